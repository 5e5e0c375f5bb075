"""The worker process as its supervisor sees it: messages in, messages out, on toy checkpoints."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from tests.settled_requests import settled, settled_over
from tests.toys import save_sd15
from webui.engine.worker import EXIT_DEVICE_LOST, Flags, answer, serve
from webui.events import Loading, Step
from webui.requests.settled import SettledTextToImage
from webui.settings import Settings
from webui.worker import wire
from webui.worker.messages import (
    Adjust,
    Cancel,
    CancelledJob,
    Done,
    Drawn,
    Emitted,
    Exit,
    FailedJob,
    Ready,
    Run,
    Status,
    Watch,
)

PATIENCE_SECONDS = 120
ANSWERS = (Done, CancelledJob, FailedJob)


class Running:
    """A worker process and our end of its pipe."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            models_dir=folder / "models", data_dir=folder / "data", device="cpu", precision="fp32", log_level="error"
        )
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.settings))
        self.process.start()
        theirs.close()

    def until(self, wanted: Callable[[Any], bool] | type[Any] | tuple[type[Any], ...]) -> list[Any]:
        """All messages up to the first that is wanted."""
        is_wanted = (lambda message: isinstance(message, wanted)) if isinstance(wanted, type | tuple) else wanted
        got: list[Any] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not got or not is_wanted(got[-1]):
            if not self.connection.poll(max(0.0, deadline - time.monotonic())):
                pytest.fail(f"no answer after {got!r}")
            got.append(wire.receive(self.connection))
        return got

    def run(self, job_id: str, request: Any, pictures: dict[str, bytes] | None = None) -> list[Any]:
        wire.send(self.connection, Run(job_id=job_id, request=request, is_watched=True, pictures=pictures or {}))
        return self.until(ANSWERS)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("worker")
    save_sd15(folder / "models" / "toy")
    running = Running(folder)
    yield running
    running.connection.close()
    running.process.join(PATIENCE_SECONDS)
    assert running.process.exitcode == 0  # the pipe closed, so it ended by itself


def asked(**values: Any) -> SettledTextToImage:
    return settled(**{"prompt": "a cat", "checkpoint": "toy", "seed": 3} | values)


def test_it_is_ready_and_then_makes_pictures(worker: Running) -> None:
    (ready,) = worker.until(Ready)
    assert (ready.device, ready.precision) == ("CPU", "fp32")
    assert ready.memory_total_bytes > 0
    messages = worker.run("one", asked(num_images=2))
    drawn = [message.image for message in messages if isinstance(message, Drawn)]
    assert isinstance(messages[-1], Done)
    assert [(i.width, i.height, i.seed, len(i.rgb)) for i in drawn] == [(64, 64, s, 64 * 64 * 3) for s in (3, 4)]
    steps = [m.event for m in messages if isinstance(m, Emitted) and isinstance(m.event, Step)]
    assert [(s.image, s.index) for s in steps if s.phase == "denoise"] == [(i, n) for i in (0, 1) for n in (1, 2, 3, 4)]
    assert sum(s.preview is not None for s in steps if s.image == 0 and s.phase == "denoise") == 4
    (status,) = worker.until(Status)
    assert status.memory_used_bytes > 0


def test_stop_ends_the_running_job_and_no_other(worker: Running) -> None:
    wire.send(worker.connection, Run(job_id="long", request=asked(steps=150, num_images=16), is_watched=False))
    worker.until(lambda m: isinstance(m, Emitted) and isinstance(m.event, Step))
    wire.send(worker.connection, Watch(job_id="long", is_watched=True))
    wire.send(worker.connection, Cancel(job_id="someone else's"))
    wire.send(worker.connection, Cancel(job_id="long"))
    assert worker.until(ANSWERS)[-1] == CancelledJob(job_id="long")
    assert isinstance(worker.run("next", asked())[-1], Done)


def test_a_job_can_be_stopped_before_it_starts(worker: Running) -> None:
    wire.send(worker.connection, Run(job_id="first", request=asked(steps=20), is_watched=False))
    wire.send(worker.connection, Run(job_id="second", request=asked(), is_watched=False))
    wire.send(worker.connection, Cancel(job_id="second"))
    assert worker.until(ANSWERS)[-1].job_id == "first"
    assert worker.until(ANSWERS)[-1] == CancelledJob(job_id="second")


def test_what_goes_wrong_is_that_job_s_own_matter(worker: Running) -> None:
    gone = worker.run("gone", asked(checkpoint="nowhere"))[-1]
    assert (gone.kind, gone.details) == ("checkpoint_not_found", {"checkpoint": "nowhere"})
    assert "CheckpointNotFound" in gone.traceback
    unclear = worker.run("unclear", asked(prompt='("a", "b").blend(x)', prompt_dialect="compel"))[-1]
    assert unclear.kind == "prompt"
    impossible = worker.run("impossible", asked(scheduler="ddim", sigmas="karras"))[-1]
    assert (impossible.kind, impossible.details["field"]) == ("invalid_request", "sigmas")
    assert isinstance(worker.run("sound", asked())[-1], Done)


def test_pictures_come_with_the_job_and_no_upload_is_opened(worker: Running) -> None:
    content = BytesIO()
    Image.new("RGBA", (80, 60), (200, 30, 30, 255)).save(content, "PNG")
    came, stored = "ab" * 32, "cd" * 32
    file = worker.settings.data_dir / "uploads" / stored[:2] / f"{stored}.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(content.getvalue())

    def redraw(name: str, strength: float) -> Any:
        request = settled_over(f"sha256:{name}", prompt="a cat", checkpoint="toy", seed=3, denoising_strength=strength)
        return worker.run(f"redraw {name[:2]} {strength}", request, {f"sha256:{came}": content.getvalue()})[-2:]

    kept, _done = redraw(came, 0.0)
    assert {kept.image.rgb[i : i + 3] for i in range(0, 30, 3)} == {bytes((200, 30, 30))}
    assert isinstance(redraw(came, 0.5)[-1], Done)
    assert redraw(stored, 0.5)[-1].kind == "not_an_image"


def loads(messages: list[Any]) -> bool:
    return any(isinstance(m, Emitted) and isinstance(m.event, Loading) for m in messages)


def test_an_idle_checkpoint_is_unloaded_and_loaded_again_when_it_is_needed(worker: Running) -> None:
    worker.run("first", asked())
    worker.until(Status)
    assert not loads(worker.run("second", asked()))
    worker.until(Status)
    wire.send(worker.connection, Adjust(model_memory_gb=None, idle_minutes=1e-4, mirror=None))
    worker.until(Status)  # of the message
    worker.until(Status)  # of the unloading
    wire.send(worker.connection, Adjust(model_memory_gb=None, idle_minutes=0, mirror=None))
    worker.until(Status)
    assert loads(worker.run("third", asked()))
    worker.until(Status)
    assert not loads(worker.run("fourth", asked()))


def test_it_exits_when_told(tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.until(Ready)  # without any checkpoint, too
    wire.send(running.connection, Exit())
    running.process.join(PATIENCE_SECONDS)
    assert running.process.exitcode == 0


class _Failing:
    """An engine whose every job runs into the same error."""

    device = SimpleNamespace(name="CPU")

    def __init__(self, error: Exception) -> None:
        self._error = error

    def run(self, request: object, context: object) -> None:
        raise self._error


def answer_to(error: Exception) -> Any:
    channel = SimpleNamespace(flags=Flags("one"), send=lambda message: None)
    run = Run(job_id="one", request=asked(), is_watched=False)
    return answer(_Failing(error), run, channel)  # type: ignore[arg-type]


def test_a_bug_travels_with_its_traceback_and_is_not_logged_here(caplog: pytest.LogCaptureFixture) -> None:
    failed = answer_to(ValueError("a bug"))
    assert (failed.kind, "ValueError: a bug" in failed.traceback) == ("internal", True)
    assert caplog.records == []


def test_a_lost_device_is_logged_before_the_process_ends(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit) as left:
        answer_to(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert left.value.code == EXIT_DEVICE_LOST
    (record,) = caplog.records
    assert record.exc_info
    assert "one" in record.getMessage()

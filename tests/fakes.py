"""A worker without torch that does what the prompt says, for tests of queue, page and API.

`build(settings, worker_target="tests.fakes:serve")` runs it in a process of its own, as the real one. Words of the form
`name=value` or `name` anywhere in the prompt script it; all other words are just a prompt. They are:

    delay=0.05     seconds each step takes (default 0.02); Stop is noticed within 10 ms in the middle of one
    steps=5        steps that run, whatever the request says (default: the request's `steps`)
    previews=no    no preview but the four of each image that there always are
    loading=0.5    seconds that loading the checkpoint takes, in ten `Loading` events; once per checkpoint (default 0)
    hang           never ends, and does not listen to Stop
    stubborn       ends in its own time, and does not listen to Stop
    die            the process ends with code 7 at step 2, every time
    die_once       the same, but only the first time that this prompt is tried on this data folder
    kill           the process is killed by the system at step 2 (SIGKILL), every time
    oom            fails with OutOfMemory at step 2
    nan            fails with NotFinite
    fail           fails with an unexpected error, with a traceback
    scores=0.3,0.1 how well the images fit, the first one first, where the best are to be kept (default: some)
    forget         says afterwards that it has no job's steps in its memory
    wait=NAME      before step 2, waits until the file NAME lies in the data folder

What it is told to hold is written into the file `held.json` of the data folder.

Style transfers have no prompt; their `iterations` are steps, and they take 5 ms each (an instant one has one step, and
one with the seed 13 fails with NotFinite). Environment variables, read by
the process when it starts, as nothing else reaches it then: `FAKE_WORKER=refuse` ends before Ready with an error,
`FAKE_WORKER=crash` without one, `FAKE_WORKER=silent` never says Ready; `FAKE_START_SECONDS` delays it.

Pictures are gradients whose colours depend on prompt and seed, so that two requests can be told apart; each preview
of one picture differs from the others. The same request gives the same picture.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection

from PIL import Image

from webui.errors import Cancelled, DarkroomError, NotAnImage, NotFinite, OutOfMemory
from webui.events import Loading, Step
from webui.requests import Request, image_seed
from webui.requests.diffusion import ImageToImage
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import count_images
from webui.settings import Settings
from webui.storage.files import write_atomically
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
    FromWorker,
    RawImage,
    Ready,
    Run,
    Status,
    ToWorker,
    Watch,
)

_MEMORY_BYTES = 8 * 2**30
_DIE_CODE = 7
UNLUCKY_SEED = 13
HELD = "held.json"


def serve(connection: Connection, settings: Settings) -> None:
    """The worker's main function; see the module."""
    time.sleep(float(os.environ.get("FAKE_START_SECONDS", "0")))
    match os.environ.get("FAKE_WORKER"):
        case "refuse":
            raise OSError("the fake was told not to start")
        case "crash":
            os._exit(_DIE_CODE)
        case "silent":
            time.sleep(3600)
    _FakeWorker(connection, settings).serve()


@dataclass
class Script:
    """What a prompt says."""

    words: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request) -> Script:
        if isinstance(request, StyleTransfer):
            steps = 1 if request.method == "instant" else request.iterations
            unlucky = {"nan": ""} if request.seed == UNLUCKY_SEED else {}
            return cls({"delay": "0.005", "steps": str(steps)} | unlucky)
        return cls({name: value for name, _, value in re.findall(r"(\w+)(=(\S+))?", request.prompt)})

    def has(self, name: str) -> bool:
        return name in self.words

    def number(self, name: str, default: float) -> float:
        return float(self.words.get(name) or default)


class _FakeWorker:
    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._settings = settings
        self._runs: list[Run] = []
        self._has_run = threading.Semaphore(0)
        self._cancelled: set[str] = set()
        self._watched: dict[str, bool] = {}
        self._loaded: set[str] = set()
        self._kept: dict[str, tuple[int, ...]] = {}

    def serve(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        self._send(Ready(device="cpu", precision="fp32", memory_total_bytes=_MEMORY_BYTES))
        while True:
            self._has_run.acquire()
            self._run(self._runs.pop(0))

    def _listen(self) -> None:
        while True:
            try:
                message: ToWorker = wire.receive(self._connection)
            except (EOFError, OSError):
                os._exit(0)
            match message:
                case Run():
                    self._watched[message.job_id] = message.is_watched
                    self._cancelled.discard(message.job_id)
                    self._runs.append(message)
                    self._has_run.release()
                case Cancel():
                    self._cancelled.add(message.job_id)
                case Watch():
                    self._watched[message.job_id] = message.is_watched
                case Adjust():
                    write_atomically(self._settings.data_dir / HELD, json.dumps(asdict(message)).encode())
                case Exit():
                    os._exit(0)

    def _send(self, message: FromWorker) -> None:
        with self._sending:
            wire.send(self._connection, message)

    def _run(self, run: Run) -> None:
        try:
            images = self._draw(run)
        except Cancelled:
            self._send(CancelledJob(job_id=run.job_id))
        except DarkroomError as error:
            self._send(FailedJob(job_id=run.job_id, kind=error.kind, details=error.details))
        except Exception:  # noqa: BLE001 – its traceback travels
            self._send(FailedJob(job_id=run.job_id, kind="internal", traceback=traceback.format_exc()))
        else:
            for image in images:
                self._send(Drawn(job_id=run.job_id, image=image))
            self._send(Done(job_id=run.job_id))
        if not isinstance(run.request, StyleTransfer):
            self._kept[run.job_id] = tuple(range(count_images(run.request)))
        kept = {} if Script.of(run.request).has("forget") else self._kept
        self._send(Status(memory_used_bytes=len(self._loaded) * 2**30, kept=dict(kept)))

    def _draw(self, run: Run) -> tuple[RawImage, ...]:
        request, script = run.request, Script.of(run.request)
        if script.has("fail"):
            raise ValueError("the fake was told to fail")
        if script.has("nan"):
            raise NotFinite(phase="denoise")
        self._load(run, script)
        if isinstance(request, StyleTransfer):
            return (self._picture(run, script, 0, *_style_size(run, request)),)
        width, height = request.width or 256, request.height or 256
        images = tuple(self._picture(run, script, index, width, height) for index in range(count_images(request)))
        return self._judged(run, script, request.keep_best, images) if request.keep_best else images

    def _load(self, run: Run, script: Script) -> None:
        checkpoint = "style" if isinstance(run.request, StyleTransfer) else run.request.checkpoint or ""
        if checkpoint in self._loaded:
            return
        seconds = script.number("loading", 0.0)
        for tenth in range(11):
            self._send(Emitted(job_id=run.job_id, event=Loading(checkpoint=checkpoint, fraction=tenth / 10)))
            self._sleep(run, seconds / 11, stubborn=False)
        self._loaded.add(checkpoint)

    def _picture(self, run: Run, script: Script, index: int, width: int, height: int) -> RawImage:
        request = run.request
        wanted = request.iterations if isinstance(request, StyleTransfer) else request.steps or 1
        if isinstance(request, ImageToImage):
            wanted = max(1, int(wanted * request.strongest))
        total = int(script.number("steps", wanted))
        delay = script.number("delay", 0.02)
        phase = "optimise" if isinstance(request, StyleTransfer) else "denoise"
        only = getattr(request, "only_image", None)
        seed = image_seed(request.seed or 0, index if only is None else only)
        picture = gradient(request, seed, width, height)
        at_least = {max(1, total * quarter // 4) for quarter in range(1, 5)}
        last = getattr(request, "stop_after", None) or total
        for step in range(1, last + 1):
            self._sleep(run, delay, stubborn=script.has("stubborn"))
            if step == 2 or total == 1:
                self._misbehave(script, run, width, height)
            wants_preview = self._watched.get(run.job_id, False) and script.words.get("previews") != "no"
            preview = _preview(picture, step, total) if step in {*at_least, last} or wants_preview else None
            loss = 1 / step if phase == "optimise" else None
            event = Step(index=step, total=total, phase=phase, image=index, preview=preview, seconds=delay, loss=loss)
            self._send(Emitted(job_id=run.job_id, event=event))
        info: dict[str, str | int | float] = {"device": "cpu", "precision": "fp32", "steps": last}
        if getattr(request, "walk_to", None) is not None:
            info["walked"] = (index if only is None else only) / (request.num_images - 1)
        return RawImage(width=width, height=height, rgb=picture.tobytes(), seed=seed, info=info)

    def _judged(self, run: Run, script: Script, keep: int, images: tuple[RawImage, ...]) -> tuple[RawImage, ...]:
        said = [float(score) for score in script.words.get("scores", "").split(",") if score]
        scores = [*said, *(_digest(run.request, image.seed)[1] / 1000 for image in images[len(said) :])]
        for index in range(len(images)):
            self._sleep(run, script.number("delay", 0.02), stubborn=False)
            self._send(Emitted(job_id=run.job_id, event=Step(index=1, total=1, phase="score", image=index)))
        order = sorted(range(len(images)), key=lambda index: -scores[index])
        return tuple(
            replace(
                image, info=image.info | {"critic": "clip/fake", "score": score, "rank": rank, "kept": rank <= keep}
            )
            for index, image in enumerate(images)
            for score, rank in ((scores[index], order.index(index) + 1),)
        )

    def _misbehave(self, script: Script, run: Run, width: int, height: int) -> None:
        if script.has("hang"):
            time.sleep(3600)
        if script.has("die"):
            os._exit(_DIE_CODE)
        if script.has("die_once") and self._is_first_time(run):
            os._exit(_DIE_CODE)
        if script.has("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if script.has("oom"):
            raise OutOfMemory(width=width, height=height, device="cpu")
        if script.has("wait"):
            while not (self._settings.data_dir / script.words["wait"]).exists():
                self._sleep(run, 0.01, stubborn=False)

    def _is_first_time(self, run: Run) -> bool:
        marker = self._settings.data_dir / f"died-{_digest(run.request, 0).hex()[:16]}"
        if marker.exists():
            return False
        marker.write_text("")
        return True

    def _sleep(self, run: Run, seconds: float, *, stubborn: bool) -> None:
        end = time.monotonic() + seconds
        while True:
            if not stubborn and run.job_id in self._cancelled:
                raise Cancelled
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.01))


def _style_size(run: Run, request: StyleTransfer) -> tuple[int, int]:
    if request.content_image not in run.pictures:
        raise NotAnImage
    with Image.open(io.BytesIO(run.pictures[request.content_image])) as content:
        scale = request.size / max(content.size)
        return max(8, round(content.width * scale)), max(8, round(content.height * scale))


def gradient(request: Request, seed: int, width: int, height: int) -> Image.Image:
    """The picture that the fake makes for a request and a seed; (height, width) RGB."""
    digest = _digest(request, seed)
    first, second = tuple(digest[:3]), tuple(digest[3:6])
    ramp = Image.linear_gradient("L").resize((width, height)).rotate(90 * (digest[6] % 4))
    return Image.composite(Image.new("RGB", ramp.size, first), Image.new("RGB", ramp.size, second), ramp).resize(
        (width, height)
    )


def _digest(request: Request, seed: int) -> bytes:
    text = "" if isinstance(request, StyleTransfer) else request.prompt
    return hashlib.sha256(f"{request.task} {text} {seed}".encode("utf-8", "replace")).digest()


def _preview(picture: Image.Image, step: int, total: int) -> bytes:
    small = picture.copy()
    small.thumbnail((256, 256))
    faded = Image.blend(Image.new("RGB", small.size, (128, 128, 128)), small, step / total)
    content = io.BytesIO()
    faded.save(content, "JPEG", quality=80)
    return content.getvalue()

"""Real processes: killed, hanging, not starting, orphaned."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.jobs.conftest import QUICK, House, eventually, process_house
from tests.owners import ANN, BOB
from webui.events import Cancelled, Finished, Loading, Started, Step
from webui.jobs import Job, JobState
from webui.requests.settled import SettledStyleTransfer
from webui.storage.owners import Owner
from webui.worker.status import WorkerState
from webui.worker.timeouts import Timeouts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")

PARENT = """
import sys, time
from pathlib import Path
from tests.jobs.conftest import process_house

if __name__ == "__main__":
    house = process_house(Path(sys.argv[1]))
    house.queue.start()
    job = house.submit("stubborn hang")
    while house.storage.jobs.get(job.id).state != "running":
        time.sleep(0.01)
    import psutil
    print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
    time.sleep(60)
"""


def worker_process() -> psutil.Process:
    """The one that was started last."""
    workers = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
    return max(workers, key=lambda worker: worker.create_time())


def until_running(house: House, job: Job) -> None:
    async def look() -> None:
        async for _, event in house.queue.watch(job.owner, job.id):
            if isinstance(event, Step):
                return

    asyncio.run(asyncio.wait_for(look(), 20))


def test_a_prompt_becomes_pictures(processes: House) -> None:
    job = processes.submit("a lake steps=8 loading=0.05", num_images=2, seed=3)
    ended = processes.ended(job)
    assert [image.seed for image in ended.images] == [3, 4]
    events = [event for _, event in processes.events(job)]
    assert any(isinstance(event, Loading) for event in events)
    steps = [event for event in events if isinstance(event, Step)]
    assert [(step.image, step.index) for step in steps] == [(image, n) for image in (0, 1) for n in range(1, 9)]
    for image in (0, 1):
        previews = [step.preview for step in steps if step.image == image and step.preview]
        assert len(set(previews)) >= 4
    assert steps[-1].preview is not None
    again = processes.ended(processes.submit("a lake steps=8 loading=0.05", seed=3))
    first, same = (processes.storage.pictures.get(ANN, id).path for id in (ended.images[0].id, again.images[0].id))
    assert Image.open(first).tobytes() == Image.open(same).tobytes()
    assert processes.queue.status().worker.state is WorkerState.READY
    assert processes.queue.status().worker.device == "cpu"


def test_a_style_transfer(processes: House) -> None:
    content = BytesIO()
    Image.new("RGB", (60, 40)).save(content, "PNG")
    reference = processes.storage.uploads.add(ANN, content.getvalue(), 60, 40)
    request = SettledStyleTransfer(content_image=reference, style_image=reference, iterations=10, size=96, seed=1)
    ended = processes.ended(processes.queue.submit(ANN, request))
    assert (ended.images[0].width, ended.images[0].height) == (96, 64)


def test_stop_takes_effect_within_a_second(processes: House) -> None:
    job = processes.submit("slow delay=30 steps=2")
    eventually(lambda: processes.state(job) is JobState.RUNNING)
    before = time.monotonic()
    pid = worker_process().pid
    processes.queue.cancel(ANN, job.id)
    assert processes.ended(job).state is JobState.CANCELLED
    assert time.monotonic() - before < 1.0
    assert worker_process().pid == pid  # it yielded, so it stays


def test_a_worker_that_does_not_yield_is_replaced(processes: House) -> None:
    job = processes.submit("stubborn hang")
    until_running(processes, job)
    process = worker_process()
    next_job = processes.submit("a lake steps=2")
    processes.queue.cancel(ANN, job.id)
    processes.queue.cancel(ANN, job.id)
    assert processes.ended(job).state is JobState.CANCELLED
    assert not process.is_running()
    assert processes.ended(next_job).state is JobState.FINISHED


def test_a_stopped_process_is_replaced_too(processes: House) -> None:
    job = processes.submit("slow delay=0.1 steps=100")
    until_running(processes, job)
    process = worker_process()
    process.suspend()
    processes.queue.cancel(ANN, job.id)
    assert processes.ended(job).state is JobState.CANCELLED
    assert not process.is_running()


def test_a_killed_worker_is_replaced_and_its_job_runs_once_more(processes: House) -> None:
    job = processes.submit("wait=go steps=4", Owner("kim"), seed=9)
    until_running(processes, job)
    worker_process().send_signal(signal.SIGKILL)
    (processes.storage.data_dir / "go").write_text("")
    ended = processes.ended(job)
    assert ended.state is JobState.FINISHED
    assert ended.images[0].seed == 9
    events = [event for _, event in processes.events(job)]
    assert sum(isinstance(event, Started) for event in events) == 2
    assert len(processes.storage.pictures.list(Owner("kim"))) == 1


@pytest.mark.parametrize(("word", "exit_code"), [("die", 7), ("kill", -9)])
def test_a_job_that_kills_its_worker_fails_and_the_next_one_runs(processes: House, word: str, exit_code: int) -> None:
    poison, fine = processes.submit(word), processes.submit("a lake steps=2")
    error = processes.ended(poison).error
    assert error is not None
    assert (error.kind, error.details) == ("worker_died", {"exit_code": exit_code})
    assert processes.ended(fine).state is JobState.FINISHED


def test_a_worker_that_is_killed_while_idle_comes_back(processes: House) -> None:
    job = processes.submit("a lake steps=1")
    processes.ended(job)
    eventually(lambda: processes.queue.get(ANN, job.id).steps_kept == (0,))
    worker_process().send_signal(signal.SIGKILL)
    assert processes.ended(processes.submit("a lake steps=1")).state is JobState.FINISHED
    assert processes.queue.get(ANN, job.id).steps_kept == ()  # they went with it


@pytest.mark.parametrize("word", ["oom", "fail", "nan"])
def test_a_failed_job_leaves_the_worker_alive(processes: House, word: str) -> None:
    eventually(lambda: processes.queue.status().worker.state is WorkerState.READY)
    pid = worker_process().pid
    error = processes.ended(processes.submit(word)).error
    assert error is not None
    assert error.kind == {"oom": "out_of_memory", "fail": "internal", "nan": "not_finite"}[word]
    assert "Traceback" not in str(error)
    assert worker_process().pid == pid


def test_a_bug_s_traceback_is_in_the_log_once(processes: House, caplog: pytest.LogCaptureFixture) -> None:
    error = processes.ended(processes.submit("fail")).error
    assert error is not None
    (record,) = [record for record in caplog.records if "told to fail" in record.getMessage() or record.exc_info]
    assert "Traceback" in record.getMessage()
    assert error.log_id in record.getMessage()
    assert error.details["log_id"] == error.log_id


def test_a_job_that_says_nothing_for_too_long_fails(tmp_path: Path) -> None:
    timeouts = Timeouts(stall=0.5, retry_first=0.05, end=1.0)
    house = process_house(tmp_path / "data", timeouts)
    house.queue.start()
    error = house.ended(house.submit("hang")).error
    assert error is not None
    assert error.kind == "worker_stalled"
    assert house.ended(house.submit("a lake steps=1")).state is JobState.FINISHED
    house.close()


@pytest.mark.parametrize(("how", "reason"), [("refuse", "the fake was told not to start"), ("crash", "exit code 7")])
def test_a_worker_that_does_not_start_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    how: str,
    reason: str,
) -> None:
    monkeypatch.setenv("FAKE_WORKER", how)
    house = process_house(tmp_path / "data", Timeouts(quick_deaths=2, retry_first=0.05, retry_most=0.1))
    house.queue.start()
    job = house.submit("a lake steps=1")
    error = house.ended(job).error
    assert error is not None
    assert error.kind == "worker_unavailable"
    assert reason in str(error.details["reason"])
    assert house.queue.status().worker.state is WorkerState.BROKEN
    told = [record for record in caplog.records if "Traceback" in record.getMessage()]
    deaths = [record for record in caplog.records if "the worker process ended" in record.getMessage()]
    assert abs(len(told) - len(deaths)) <= 1 if how == "refuse" else not told  # one for each death; one may be due
    assert "Traceback" not in capfd.readouterr().err  # what the process itself wrote
    monkeypatch.delenv("FAKE_WORKER")
    eventually(lambda: house.queue.status().worker.state is WorkerState.READY)
    assert house.ended(house.submit("a lake steps=1")).state is JobState.FINISHED
    house.close()


def test_a_worker_that_never_says_ready_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_WORKER", "silent")
    house = process_house(tmp_path / "data", Timeouts(start=0.2, quick_deaths=1, retry_first=0.05))
    house.queue.start()
    error = house.ended(house.submit("a lake")).error
    assert error is not None
    assert error.kind == "worker_unavailable"
    house.close()


def test_closing_ends_the_process_whatever_it_does(tmp_path: Path) -> None:
    house = process_house(tmp_path / "data")
    house.queue.start()
    job = house.submit("stubborn hang")
    until_running(house, job)
    process = worker_process()
    house.close()
    assert not process.is_running()


def test_the_worker_ends_when_the_program_is_killed(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert pids
    parent.kill()
    parent.communicate()
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_previews_follow_the_watchers(processes: House) -> None:
    job = processes.submit("delay=0.01 steps=40")
    eventually(lambda: processes.state(job) is JobState.FINISHED)
    unwatched = [event for _, event in processes.events(job) if isinstance(event, Step) and event.preview]
    assert len(unwatched) == 4
    watched = processes.submit("delay=0.01 steps=40")
    events = [event for _, event in processes.events(watched)]
    assert len([event for event in events if isinstance(event, Step) and event.preview]) > 20
    assert isinstance(events[-1], Finished)


def test_two_people_get_their_own_pictures(processes: House) -> None:
    jobs = [
        (owner, processes.submit(f"{owner.name} steps=1", owner, checkpoint=checkpoint, seed=1))
        for owner, checkpoint in ((Owner("una"), "starter"), (BOB, "anime")) * 3
    ]
    for owner, job in jobs:
        ended = processes.ended(job)
        picture = processes.storage.pictures.get(owner, ended.images[0].id)
        assert picture.request["prompt"] == f"{owner.name} steps=1"
        assert picture.request["checkpoint"] == ("starter" if owner == Owner("una") else "anime")
    assert len(processes.storage.pictures.list(Owner("una"))) == 3


def test_a_storm_of_stops(processes: House) -> None:
    jobs = [processes.submit("delay=0.005 steps=3") for _ in range(30)]
    for job in jobs * 3:
        processes.queue.cancel(ANN, job.id)
    assert all(isinstance(processes.events(job)[-1][1], Cancelled | Finished) for job in jobs)
    assert processes.ended(processes.submit("a lake steps=1")).state is JobState.FINISHED


def test_the_designs_timeouts() -> None:
    assert Timeouts().cancel_grace == 5.0
    assert QUICK.cancel_grace < 1.0

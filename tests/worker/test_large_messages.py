"""Pictures of 64 MiB on their way to a worker: nobody waits for the pipe, whether it is read or not."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.jobs.conftest import House, eventually, process_house
from tests.owners import ANN
from tests.worker.test_local_worker import until_running, worker_process
from webui.jobs import Job, JobState
from webui.requests.style_transfer import StyleTransfer
from webui.worker.status import WorkerState

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
LARGE_BYTES = 16 * 2**20
AT_ONCE_SECONDS = 1.0  # to submit or to stop; sending it all takes a small part of that


def large_picture(house: House, number: int) -> str:
    content = BytesIO()
    Image.new("RGB", (60, 40), (number, 0, 0)).save(content, "PNG")
    return house.storage.uploads.add(ANN, content.getvalue() + bytes(LARGE_BYTES), 60, 40)  # PNGs may have a tail


@pytest.fixture(scope="module")
def large(processes: House) -> StyleTransfer:
    content, style, *further = (large_picture(processes, number) for number in range(4))
    styles = tuple({"image": image, "weight": 1.0} for image in further)
    return StyleTransfer(content_image=content, style_image=style, style_images=styles, iterations=2000, size=96)  # type: ignore[arg-type]


def submitted(house: House, request: StyleTransfer) -> Job:
    began = time.monotonic()
    job = house.queue.submit(ANN, request)
    assert time.monotonic() - began < AT_ONCE_SECONDS
    return job


def test_it_arrives_whole_and_can_be_stopped(processes: House, large: StyleTransfer) -> None:
    eventually(lambda: processes.queue.status().worker.state is WorkerState.READY)
    pid = worker_process().pid
    job, other = submitted(processes, large), processes.submit("steps=1")
    until_running(processes, job)
    began = time.monotonic()
    processes.queue.cancel(ANN, job.id)
    assert processes.ended(job).state is JobState.CANCELLED
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert processes.ended(other).state is JobState.FINISHED
    assert worker_process().pid == pid


def test_it_can_be_stopped_on_its_way(processes: House, large: StyleTransfer) -> None:
    job = submitted(processes, large)
    processes.queue.cancel(ANN, job.id)
    assert processes.ended(job).state is JobState.CANCELLED
    assert processes.ended(processes.submit("steps=1")).state is JobState.FINISHED


def test_a_process_that_does_not_read_it_is_replaced_when_it_is_stopped(processes: House, large: StyleTransfer) -> None:
    processes.ended(processes.submit("steps=1"))
    process = worker_process()
    process.suspend()
    job, other = submitted(processes, large), submitted(processes, large)
    processes.queue.cancel(ANN, other.id)
    assert processes.state(other) is JobState.CANCELLED
    processes.queue.cancel(ANN, job.id)
    assert processes.ended(job).state is JobState.CANCELLED
    assert not process.is_running()
    assert processes.ended(processes.submit("steps=1")).state is JobState.FINISHED


def test_closing_does_not_wait_for_who_does_not_read(tmp_path: Path) -> None:
    house = process_house(tmp_path / "data")
    house.queue.start()
    house.ended(house.submit("steps=1"))
    process = worker_process()
    process.suspend()
    picture = large_picture(house, 0)
    house.queue.submit(ANN, StyleTransfer(content_image=picture, style_image=picture))
    began = time.monotonic()
    house.close()
    assert time.monotonic() - began < 10.0
    assert not process.is_running()


def test_a_job_whose_pictures_cannot_be_read_fails_alone(processes: House, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = large_picture(processes, 1)

    def refuse(owner: str, reference: str) -> bytes:
        raise RuntimeError("the store is broken")

    with monkeypatch.context() as patch:
        patch.setattr(processes.storage.uploads, "read", refuse)
        job = processes.queue.submit(ANN, StyleTransfer(content_image=picture, style_image=picture))
        error = processes.ended(job).error
    assert error is not None
    assert error.kind == "internal"
    assert processes.ended(processes.submit("steps=1")).state is JobState.FINISHED

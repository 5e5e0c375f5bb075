"""A queue on a fresh data folder, with a worker of the test's choice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.jobs.hand_worker import HandWorker
from tests.owners import ANN
from webui.checkpoints.catalogue import Catalogue, Checkpoint, Defaults
from webui.errors import TaskUnsupported
from webui.events import LAST_EVENTS, Event
from webui.jobs import Job, JobQueue, JobState, Retries, UnreadableJob
from webui.requests.diffusion import TextToImage
from webui.settings import Settings
from webui.storage import Storage
from webui.storage.owners import Owner
from webui.worker.local_worker import LocalWorker
from webui.worker.pool import WorkerPool
from webui.worker.seam import Worker
from webui.worker.timeouts import Timeouts

BOTH_TASKS = frozenset({"text_to_image", "image_to_image"})


def checkpoint(id: str, tasks: frozenset[str] = BOTH_TASKS, **changes: object) -> Checkpoint:
    """One that needs no file."""
    defaults = {
        "width": 256,
        "height": 256,
        "steps": 5,
        "guidance_scale": 4.0,
        "scheduler": "dpmpp_2m",
        "sigmas": "karras",
    }
    return Checkpoint(
        id=id,
        name=id,
        path=Path(id),
        form="folder",
        family="sd15",
        size_bytes=1,
        tasks=tasks,
        defaults=Defaults(**(defaults | changes)),
    )


class FixedCatalogue(Catalogue):
    """The real catalogue over checkpoints that a test names instead of files."""

    def __init__(self, *checkpoints: Checkpoint) -> None:
        super().__init__(Path("models"))
        self._fixed = checkpoints

    def _look(self) -> tuple[Checkpoint, ...]:
        return self._fixed


def catalogue() -> FixedCatalogue:
    return FixedCatalogue(
        checkpoint("anime", width=512, height=512, steps=7, scheduler="euler"),
        checkpoint("starter"),
        checkpoint("text only", frozenset({"text_to_image"})),
        checkpoint("broken", frozenset()).__class__(
            **{**vars(checkpoint("broken")), "problem": TaskUnsupported(checkpoint="broken", family="x", task="y")}
        ),
    )


class House:
    """Storage, queue and worker together, with shorthands for a test that is not async."""

    def __init__(self, data_dir: Path, worker: Worker, *others: Worker, retries: Retries | None = None) -> None:
        self.storage = Storage(data_dir)
        self.worker = worker
        self.queue = JobQueue(
            self.storage, catalogue(), WorkerPool([worker, *others]), retries=retries or Retries(every_seconds=0.05)
        )

    def submit(self, prompt: str = "a lake", owner: Owner = ANN, **fields: object) -> Job:
        return self.queue.submit(owner, TextToImage(prompt=prompt, **fields))  # type: ignore[arg-type]

    def events(self, job: Job | UnreadableJob, after: int = 0, seconds: float = 60.0) -> list[tuple[int, Event]]:
        """All of a job's events, once it has ended."""

        async def collect() -> list[tuple[int, Event]]:
            async with asyncio.timeout(seconds):
                return [pair async for pair in self.queue.watch(job.owner, job.id, after)]

        return asyncio.run(collect())

    def ended(self, job: Job, seconds: float = 60.0) -> Job:
        """The job after its last event."""
        events = self.events(job, seconds=seconds)
        assert isinstance(events[-1][1], LAST_EVENTS)
        return self.queue.get(job.owner, job.id)

    def state(self, job: Job) -> JobState:
        return self.queue.get(job.owner, job.id).state

    def close(self) -> None:
        self.queue.close()
        self.storage.close()


def eventually(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits until it holds; fails if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


@pytest.fixture
def anyio_backend() -> str:
    """Tests that are async run on asyncio, which the servers use."""
    return "asyncio"


@pytest.fixture
def hand() -> HandWorker:
    return HandWorker()


@pytest.fixture
def house(tmp_path: Path, hand: HandWorker) -> Iterator[House]:
    """With a worker that the test moves by hand, and that is ready."""
    made = House(tmp_path / "data", hand)
    made.queue.start()
    hand.listener.ready()
    yield made
    made.close()


QUICK = Timeouts(cancel_grace=0.4, retry_first=0.05, retry_most=0.2, end=1.0)


def process_house(data_dir: Path, timeouts: Timeouts = QUICK, target: str = "tests.fakes:serve") -> House:
    """With a real process that runs the fake worker."""
    settings = Settings(data_dir=data_dir, _cli_parse_args=[])  # type: ignore[call-arg]
    return House(data_dir, LocalWorker(settings, target, timeouts))


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A queue whose worker is a real process. Shared, for a process takes a while to start; whoever kills the worker
    leaves a new one to the next test."""
    made = process_house(tmp_path_factory.mktemp("processes") / "data")
    made.queue.start()
    yield made
    made.close()

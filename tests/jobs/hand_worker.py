"""A worker that does nothing by itself: the test says what happens, in the thread of the test."""

from __future__ import annotations

from webui.events import Loading, Step
from webui.requests import Request
from webui.settings import Settings
from webui.worker.messages import FailedJob, RawImage
from webui.worker.seam import Listener, ReadPictures
from webui.worker.status import WorkerState, WorkerStatus


class HandWorker:
    """Implements the seam; keeps what it was asked for."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, Request]] = []
        self.cancels: list[str] = []
        self.watched: dict[str, bool] = {}
        self.is_closed = False
        self.adjusted: list[Settings] = []
        self.steps_kept: dict[str, tuple[int, ...]] = {}
        self.state = WorkerState.READY

    def start(self, listener: Listener) -> None:
        self.listener = listener

    def run(self, job_id: str, request: Request, *, is_watched: bool, read_pictures: ReadPictures) -> None:
        self.runs.append((job_id, request))
        self.read_pictures = read_pictures
        self.watched[job_id] = is_watched

    def cancel(self, job_id: str) -> None:
        self.cancels.append(job_id)

    def watch(self, job_id: str, *, is_watched: bool) -> None:
        self.watched[job_id] = is_watched

    def adjust(self, settings: Settings) -> None:
        self.adjusted.append(settings)

    def status(self) -> WorkerStatus:
        return WorkerStatus(state=self.state, ready_eta_seconds=0.0, steps_kept=self.steps_kept)

    def close(self) -> None:
        self.is_closed = True

    @property
    def current(self) -> str:
        """The job that was started last."""
        return self.runs[-1][0]

    @property
    def prompts(self) -> list[str]:
        """Of all jobs that were started, in order."""
        return [getattr(request, "prompt", "") for _, request in self.runs]

    def load(self) -> None:
        self.listener.emitted(self.current, Loading(checkpoint="starter", fraction=1.0))

    def step(self, index: int, total: int = 4, preview: bytes | None = None) -> None:
        self.listener.emitted(self.current, Step(index=index, total=total, phase="denoise", preview=preview))

    def finish(self) -> None:
        """The current job is done."""
        job_id, request = self.runs[-1]
        self.listener.done(job_id, images_for(request))

    def fail(self, kind: str = "out_of_memory") -> None:
        self.listener.failed(FailedJob(job_id=self.current, kind=kind, details={"width": 8}, traceback="Traceback: x"))


def images_for(request: Request) -> tuple[RawImage, ...]:
    """As many small pictures as the request asks for."""
    count = getattr(request, "num_images", 1)
    seed = request.seed or 0
    return tuple(RawImage(width=8, height=8, rgb=bytes((n,)) * 192, seed=seed + n) for n in range(count))

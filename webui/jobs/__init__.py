"""From a request to its pictures: the queue, the worker's seam, and the supervisor of the worker on this machine."""

from webui.jobs.finisher import Retries
from webui.jobs.job import Job, JobState, QueueStatus, WorkerState, WorkerStatus
from webui.jobs.local_worker import LocalWorker
from webui.jobs.patience import Patience
from webui.jobs.queue import JobQueue

__all__ = [
    "Job",
    "JobQueue",
    "JobState",
    "LocalWorker",
    "Patience",
    "QueueStatus",
    "Retries",
    "WorkerState",
    "WorkerStatus",
]

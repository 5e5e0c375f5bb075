"""From a request to its pictures: the queue, and how its jobs end."""

from webui.jobs.finisher import Retries
from webui.jobs.job import Job, JobState, QueueStatus, UnreadableJob
from webui.jobs.queue import JobQueue

__all__ = ["Job", "JobQueue", "JobState", "QueueStatus", "Retries", "UnreadableJob"]

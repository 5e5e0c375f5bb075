"""From the database's rows to jobs, and to the current state of their pictures."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from webui import events
from webui.events import Cancelled, Event, Failed, Finished
from webui.jobs.event_log import EPOCH_IDS
from webui.jobs.job import Job, JobState, UnreadableJob
from webui.requests.settled import settled_from_dict
from webui.storage.job_rows import JobRow, JobRows
from webui.storage.pictures import Pictures

log = logging.getLogger(__name__)

_UNREADABLE = (ValidationError, KeyError, TypeError, ValueError, zlib.error)
_TIMINGS = TypeAdapter(dict[str, float])
_OUTCOMES: dict[str, TypeAdapter[Finished] | TypeAdapter[Failed] | TypeAdapter[Cancelled]] = {
    "finished": TypeAdapter(Finished),
    "failed": TypeAdapter(Failed),
    "cancelled": TypeAdapter(Cancelled),
}


def job_from_row(row: JobRow) -> Job | UnreadableJob:
    """The job of a row; unreadable if this version does not understand all of it, such as a request
    of a later schema.
    """
    try:
        request = settled_from_dict(row.request)
        outcome = _outcome(row)
        timings = _TIMINGS.validate_python(row.timings)
        state = JobState(row.state)
    except _UNREADABLE as error:
        log.debug("cannot read job %s: %s", row.id, error)
        return UnreadableJob(id=row.id, owner=row.owner, created=row.created)
    return Job(
        id=row.id,
        owner=row.owner,
        request=request,
        state=state,
        created=row.created,
        started=row.started,
        finished=row.finished,
        images=outcome.images if isinstance(outcome, Finished) else (),
        error=outcome if isinstance(outcome, Failed) else None,
        timings=timings,
    )


def past_events(row: JobRow, rows: JobRows) -> list[tuple[int, Event]]:
    """All events of a job that is not in memory; for one that cannot be read, that it failed."""
    job = job_from_row(row)
    if isinstance(job, UnreadableJob):
        # Above all ids that anybody saw, and below those of the version that goes on with it.
        return [((row.epoch + 1) * EPOCH_IDS, job.error)]
    try:
        return [(id, events.from_dict(name, values)) for id, name, values in rows.events(row.id)]
    except _UNREADABLE as error:
        log.warning("cannot read the events of job %s: %s", row.id, error)
        return [] if row.outcome is None else [(row.outcome[0], events.from_dict(*row.outcome[1:]))]


def _outcome(row: JobRow) -> Finished | Failed | Cancelled | None:
    if row.outcome is None:
        return None
    _, name, values = row.outcome
    event = events.from_dict(name, values)  # refuses fields that the check of types would pass over
    return _OUTCOMES[name].validate_python(events.to_dict(event))


def as_kept_now(jobs: Sequence[Job], pictures: Pictures) -> list[Job]:
    """The same jobs with what people have kept, put back and deleted since: a row only says how the job ended."""
    left = pictures.left_of([image.id for job in jobs for image in job.images])
    return [
        replace(job, images=tuple(replace(image, kept=left[image.id]) for image in job.images if image.id in left))
        for job in jobs
    ]

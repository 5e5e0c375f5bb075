"""From the journal's rows to jobs, and to what has become of their pictures since."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError

from webui import events, requests
from webui.events import Failed, Finished
from webui.jobs.job import Job, JobState
from webui.storage.job_rows import JobRow
from webui.storage.pictures import Pictures

log = logging.getLogger(__name__)


def job_from_row(row: JobRow) -> Job | None:
    """None for a row that this version cannot read: a request of a later schema, say."""
    try:
        request = requests.from_dict(row.request)
        outcome = events.from_dict(row.outcome[1], row.outcome[2]) if row.outcome else None
        state = JobState(row.state)
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        log.warning("job %s cannot be read: %s", row.id, error)
        return None
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
        timings=row.timings,
    )


def as_kept_now(jobs: Sequence[Job], pictures: Pictures) -> list[Job]:
    """The same jobs with what people have kept, put back and deleted since: the row says only what came out."""
    left = pictures.left_of([image.id for job in jobs for image in job.images])
    return [
        replace(job, images=tuple(replace(image, kept=left[image.id]) for image in job.images if image.id in left))
        for job in jobs
    ]

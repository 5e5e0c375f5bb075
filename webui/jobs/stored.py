"""From the journal's rows to jobs."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from webui import events, requests
from webui.events import Failed, Finished
from webui.jobs.job import Job, JobState
from webui.storage.job_rows import JobRow

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

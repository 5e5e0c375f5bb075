"""Each job's place in the line, and when its turn will probably come. Knows no worker, no database."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from webui.events import Queued
from webui.jobs.estimates import Estimates
from webui.requests.settled import Settled


class QueuePositions:
    """Tells every waiting job whose place has changed."""

    def __init__(self, estimates: Estimates, tell: Callable[[str, Queued], None]) -> None:
        """`tell(job_id, event)` hands out the news."""
        self._estimates = estimates
        self._tell = tell
        self._positions: dict[str, int] = {}

    def of(self, job_id: str) -> int:
        """The job's place in the line, from 1; 0 if it is not waiting."""
        return self._positions.get(job_id, 0)

    def clear(self) -> None:
        """Forgets all places, because nobody is waiting any more."""
        self._positions.clear()

    def announce(self, waiting: Sequence[tuple[str, Settled]], eta_seconds: Callable[[], float | None]) -> None:
        """Tells each waiting job its place, if that has changed.

        `waiting` has ids and requests in order; `eta_seconds`, the time until the first of them starts, is called only
        if there is something to tell.
        """
        positions = {job_id: position for position, (job_id, _) in enumerate(waiting, 1)}
        changed = {job_id for job_id, position in positions.items() if self._positions.get(job_id) != position}
        self._positions = positions
        if not changed:
            return
        eta = eta_seconds()
        for job_id, request in waiting:
            if job_id in changed:
                self._tell(job_id, Queued(position=positions[job_id], eta_seconds=eta))
            eta = added(eta, self._estimates.seconds(request))


def added(seconds: float | None, more: float | None) -> float | None:
    """The sum; None if either is unknown."""
    return None if seconds is None or more is None else seconds + more

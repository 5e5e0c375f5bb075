"""Decides whose turn it is: the jobs of each owner in order, and the owners in turn. Knows only ids, no jobs, no
threads.
"""

from __future__ import annotations

import itertools
from collections import deque

from webui.storage.owners import Owner


class FairQueue:
    """Round robin between owners: a thousand jobs of one person delay another person's single job by one."""

    def __init__(self) -> None:
        self._jobs: dict[Owner, deque[str]] = {}
        self._last_turn: dict[Owner, int] = {}
        self._turns = itertools.count(1)

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._jobs.values())

    def count(self, owner: Owner) -> int:
        """How many jobs of this owner are waiting."""
        return len(self._jobs.get(owner, ()))

    def add(self, owner: Owner, job_id: str) -> None:
        """Adds a job at the end of the owner's jobs."""
        self._jobs.setdefault(owner, deque()).append(job_id)

    def put_back(self, owner: Owner, job_id: str) -> None:
        """Puts a job at the very front: it had its turn, and lost it through no fault of its owner."""
        self._jobs.setdefault(owner, deque()).appendleft(job_id)
        self._last_turn[owner] = -next(self._turns)  # before those who never had a turn

    def remove(self, owner: Owner, job_id: str) -> bool:
        """Removes a job; returns whether it was waiting."""
        jobs = self._jobs.get(owner)
        if jobs is None or job_id not in jobs:
            return False
        jobs.remove(job_id)
        self._forget_if_empty(owner)
        return True

    def take(self) -> str | None:
        """Takes the next job, and moves its owner to the end; None if nobody is waiting."""
        if not self._jobs:
            return None
        owner = min(self._jobs, key=lambda owner: self._last_turn.get(owner, 0))
        job_id = self._jobs[owner].popleft()
        self._last_turn[owner] = next(self._turns)
        self._forget_if_empty(owner)
        return job_id

    def order(self) -> list[str]:
        """All waiting jobs, in the order in which they would be taken."""
        owners = sorted(self._jobs, key=lambda owner: self._last_turn.get(owner, 0))
        rounds = itertools.zip_longest(*(self._jobs[owner] for owner in owners))
        return [job_id for turn in rounds for job_id in turn if job_id is not None]

    def _forget_if_empty(self, owner: Owner) -> None:
        if not self._jobs[owner]:
            del self._jobs[owner]

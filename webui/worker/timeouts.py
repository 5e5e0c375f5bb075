"""How long the supervisor of a worker waits, and for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long the supervisor waits for what, in seconds, and how often."""

    cancel_grace: float = 5.0  # from Cancel to the end of the job; the design's five seconds
    start: float = 600.0  # from the start to Ready; a cold disk reads torch's gigabytes slowly
    stall: float = 1800.0  # without a word while a job runs; a huge picture's step on a CPU may take ten minutes
    end: float = 2.0  # from asking a process to end until it is killed
    retry_first: float = 0.5  # before the next start after a quick death, doubled each time …
    retry_most: float = 30.0  # … up to this
    quick_deaths: int = 3  # in a row without Ready, until jobs are told so

"""Wrong passwords by login, for calls whose address says nothing: those through a tunnel or proxy on this machine.

Nobody is refused because of others. After a few wrong passwords for a login, every answer about it takes longer for a
while, even for the right password, so that nobody learns sooner whether they guessed it.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

FREE_ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 4.0  # less than the five seconds after which many programs give up
FORGIVEN_AFTER_SECONDS = 15.0  # each of the wrong passwords, one after the other
MOST_REMEMBERED = FREE_ATTEMPTS + 4  # so that a minute after the last one nobody waits any more
MAX_LOGINS = 10_000  # names that do not exist count too, or it would show which do; the oldest are forgotten first


class Slowing:
    """Counts in memory, with a monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # how many, as of when

    def pause_seconds(self, user: str) -> float:
        """How long the next answer about this login takes, right or wrong."""
        too_many = int(self._remembered(_key(user))) - FREE_ATTEMPTS
        return 0.0 if too_many < 0 else min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**too_many)

    def failed(self, user: str) -> None:
        """Counts a wrong password for this login."""
        key = _key(user)
        count = min(MOST_REMEMBERED, self._remembered(key) + 1)
        self._failures.pop(key, None)
        self._failures[key] = (count, self._clock())
        while len(self._failures) > MAX_LOGINS:
            self._failures.popitem(last=False)

    def _remembered(self, key: bytes) -> float:
        count, since = self._failures.get(key, (0.0, 0.0))
        return max(0.0, count - (self._clock() - since) / FORGIVEN_AFTER_SECONDS)


def _key(user: str) -> bytes:
    """A key of fixed length, whatever somebody sent as a name."""
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).digest()

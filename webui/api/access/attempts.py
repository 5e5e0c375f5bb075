"""Wrong passwords by address: the first few are only slow; then the address must wait, twice as long each time.

This never locks out anybody at another address, nor anybody who is already logged in. It is not for addresses that many
people share (`webui/api/access/slowing.py`).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from webui.api.http_errors import TooManyAttempts

FREE_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 900.0
FORGOTTEN_AFTER_SECONDS = 3600.0
MAX_ADDRESSES = 10_000  # what a flood from many addresses may take of memory; the oldest are forgotten first


@dataclass
class _Record:
    failures: int = 0
    locked_until: float = 0.0
    last: float = 0.0


class Attempts:
    """Counts in memory, with a monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TooManyAttempts while the address has to wait."""
        record = self._records.get(address)
        if record and (left := record.locked_until - self._clock()) > 0:
            raise TooManyAttempts(retry_after_seconds=math.ceil(left))

    def failed(self, address: str) -> None:
        """Counts a wrong password from this address."""
        now = self._clock()
        record = self._records.pop(address, None)
        if record is None or now - record.last > FORGOTTEN_AFTER_SECONDS:
            record = _Record()
        record.failures += 1
        record.last = now
        if record.failures >= FREE_ATTEMPTS:
            wait = FIRST_WAIT_SECONDS * 2.0 ** min(30, record.failures - FREE_ATTEMPTS)
            record.locked_until = now + min(LONGEST_WAIT_SECONDS, wait)
        self._records[address] = record
        while len(self._records) > MAX_ADDRESSES:
            self._records.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forgets the wrong passwords from this address after a right one."""
        self._records.pop(address, None)

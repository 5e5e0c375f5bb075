"""What is held in the device's memory at the same time, within a limit in bytes and perhaps one in seconds; the least
recently used goes first.

Holds checkpoints and the networks used beside them. Does not know how they are loaded.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

_log = logging.getLogger(__name__)


class Key(NamedTuple):
    """What identifies something in memory; `kind` is `checkpoint` or `critic`."""

    kind: str
    name: str


Clock = Callable[[], float]  # seconds that only grow


@dataclass
class _Held:
    value: Any
    version: Hashable
    size_bytes: int
    used_at: float


class MemoryBudget:
    """Holds what is put into it until something else needs the room. For use by one thread."""

    def __init__(self, limit_bytes: int, give_memory_back: Callable[[], None], clock: Clock = time.monotonic) -> None:
        """`give_memory_back` is called after each unloading."""
        self.limit_bytes = limit_bytes
        self._clock = clock
        self._give_memory_back = give_memory_back
        self._held: OrderedDict[Key, _Held] = OrderedDict()  # the least recently used first

    def get(self, key: Key, version: Hashable) -> Any:
        """Returns what `key` holds and marks it as used; None if it holds nothing, or only an older version, which is
        unloaded.
        """
        held = self._held.get(key)
        if held is not None and held.version == version:
            self._held.move_to_end(key)
            held.used_at = self._clock()
            return held.value
        del held
        self.drop(key)
        return None

    def put(self, key: Key, version: Hashable, value: Any, size_bytes: int) -> None:
        """Holds `value` as the most recently used, whether there is room or not."""
        self._held[key] = _Held(value, version, size_bytes, self._clock())
        self._held.move_to_end(key)

    def take(self, key: Key) -> Any:
        """Stops holding what is under `key` and returns it; None if there was nothing."""
        held = self._held.pop(key, None)
        return None if held is None else held.value

    def drop(self, key: Key) -> None:
        """Unloads what `key` holds, if anything."""
        if self._held.pop(key, None) is not None:
            _log.info("unloading %s %s", *key)
            self._give_memory_back()

    def drop_all(self) -> None:
        """Unloads everything."""
        for key in self.keys():
            self.drop(key)

    def now(self) -> float:
        """The moment, for `use_until_now`."""
        return self._clock()

    def use_until_now(self, since: float) -> None:
        """What was asked for since that moment has been in use until now."""
        for held in self._held.values():
            if held.used_at >= since:
                held.used_at = self._clock()

    def drop_unused(self, seconds: float) -> None:
        """Unloads what nobody has used for so long."""
        latest = self._clock() - seconds
        for key in [key for key, held in self._held.items() if held.used_at <= latest]:
            self.drop(key)

    def seconds_left(self, seconds: float) -> float | None:
        """Until something has not been used for so long; 0 if it is time, None if nothing is held."""
        first = min((held.used_at for held in self._held.values()), default=None)
        return None if first is None else max(0.0, first + seconds - self._clock())

    def keys(self) -> tuple[Key, ...]:
        """The keys of everything held, the least recently used first."""
        return tuple(self._held)

    def used_bytes(self) -> int:
        """The memory that everything held takes together."""
        return sum(held.size_bytes for held in self._held.values())

    def fits_beside_last(self, wanted_bytes: int) -> bool:
        """Whether `wanted_bytes` would fit if everything but the most recently used were unloaded."""
        last = next(reversed(self._held.values()), None)
        return wanted_bytes + (0 if last is None else last.size_bytes) <= self.limit_bytes

    def make_room(self, wanted_bytes: int, *, keep: int = 0) -> None:
        """Unloads the least recently used until `wanted_bytes` more fit, or only `keep` entries are left."""
        while len(self._held) > keep and self.used_bytes() + wanted_bytes > self.limit_bytes:
            self.drop(next(iter(self._held)))

"""The numbered events of one job so far. Not thread-safe by itself; `broadcast.py` holds the lock.

Its memory is bounded: of consecutive `Queued` events only the newest is kept, and previews beyond a budget are removed
from old steps. A step itself is never left out.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right

from webui.events import LAST_EVENTS, Event, Queued, Step, event_name, to_dict
from webui.storage.job_rows import StoredEvent
from webui.storage.owners import Owner

# Ids after a restart of the program start so much higher, so that whoever saw some before it gets all of the new ones.
EPOCH_IDS = 1_000_000
# A preview is about 10 kB and comes at most five times a second: a minute and a half of them.
_PHASES_SHOWN = ("denoise", "optimise", "decode")  # in which a picture comes to be
PREVIEW_BUDGET_BYTES = 4 * 1024 * 1024


class EventLog:
    """Events with rising ids; ids may have gaps."""

    def __init__(self, job_id: str, owner: Owner, epoch: int = 0) -> None:
        self.job_id = job_id
        self.owner = owner
        self.is_ended = False
        self._next_id = epoch * EPOCH_IDS + 1
        self._ids: list[int] = []
        self._events: list[Event] = []
        self._preview_ids: list[int] = []
        self._preview_bytes = 0

    @property
    def last_id(self) -> int:
        """The id of the newest event; 0 if there is none."""
        return self._ids[-1] if self._ids else 0

    def append(self, event: Event) -> int:
        """Adds an event and returns its id. Raises ValueError after the job's last event."""
        if self.is_ended:
            raise ValueError(f"job {self.job_id} has ended")
        if isinstance(event, Queued) and self._events and isinstance(self._events[-1], Queued):
            self._ids.pop()
            self._events.pop()
        id = self._next_id
        self._next_id += 1
        self._ids.append(id)
        self._events.append(event)
        self.is_ended = isinstance(event, LAST_EVENTS)
        if isinstance(event, Step) and event.preview is not None:
            self._preview_ids.append(id)
            self._preview_bytes += len(event.preview)
            while self._preview_bytes > PREVIEW_BUDGET_BYTES and len(self._preview_ids) > 1:
                self._drop_preview(self._preview_ids.pop(0))
        return id

    def after(self, id: int) -> tuple[int, Event] | None:
        """The first event with a higher id."""
        place = bisect_right(self._ids, id)
        return (self._ids[place], self._events[place]) if place < len(self._ids) else None

    def previews_after(self, id: int) -> int:
        """How many events with a higher id have a preview."""
        return len(self._preview_ids) - bisect_right(self._preview_ids, id)

    def previews(self, image: int) -> list[bytes]:
        """The previews still kept of one image (from 0), in the order of its steps."""
        steps = (event for event in self._events if isinstance(event, Step) and event.image == image)
        return [event.preview for event in steps if event.preview is not None and event.phase in _PHASES_SHOWN]

    def drop_previews(self) -> None:
        """Drops all previews but the last one."""
        while len(self._preview_ids) > 1:
            self._drop_preview(self._preview_ids.pop(0))

    def stored(self, last: Event) -> list[StoredEvent]:
        """All events in the form in which they are stored, with `last` as the one that is about to end the job."""
        pairs = [*zip(self._ids, self._events, strict=True), (self._next_id, last)]
        return [(id, event_name(event), to_dict(without_preview(event))) for id, event in pairs]

    def _drop_preview(self, id: int) -> None:
        place = bisect_right(self._ids, id) - 1
        event = self._events[place]
        if isinstance(event, Step) and event.preview is not None:
            self._preview_bytes -= len(event.preview)
            self._events[place] = without_preview(event)


def without_preview(event: Event) -> Event:
    """The same event without a step's preview."""
    return dataclasses.replace(event, preview=None) if isinstance(event, Step) else event

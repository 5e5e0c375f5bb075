"""Closes idle connections after a while, so that nobody can hold thousands of them open.

uvicorn times out a connection between two requests, but not one that never finishes its first headers. Knows HTTP/1.1,
but no route.
"""

from __future__ import annotations

import asyncio

from webui.api.access.reading_on import ReadingOnProtocol

PATIENCE_SECONDS = 30.0


class IdleLimitedProtocol(ReadingOnProtocol):
    """uvicorn's own HTTP, with a clock that runs whenever no request is being answered."""

    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Starts the clock, or stops it while a request is being answered. Bytes that trickle in do not reset it."""
        if not self._is_idle():
            self._stop()
        elif self._clock is None:
            self._clock = self.loop.call_later(PATIENCE_SECONDS, self._give_up)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _give_up(self) -> None:
        self._clock = None
        if self._is_idle():
            self.hang_up()

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

"""Answers that are sent before the caller has sent the whole body: the rest is read and discarded.

Most clients send the whole body before they look at the answer. Closing the connection meanwhile would reset it, and
they would see that instead of the answer (RFC 9112, 9.6: a server closes in stages). Knows HTTP/1.1, but no route and
no status: all early answers are treated alike.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_BYTES = 128 * 2**20  # twice of what any address takes
MOST_SECONDS = 10.0
MOST_AT_ONCE = 8  # whoever comes when so many are read on is reset


class _Transport:
    """A transport whose first `close` may leave it open for the rest of a body; the second one closes it."""

    def __init__(self, transport: asyncio.Transport, protocol: ReadingOnProtocol) -> None:
        self._transport = transport
        self._protocol = protocol
        self._is_half_closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._is_half_closed or self._transport.is_closing()

    def close(self) -> None:
        """Says that no more will come from us, and closes when the caller has said the same, or at once."""
        if self.is_closing() or not self._protocol.reads_on():
            self._transport.close()
            return
        self._is_half_closed = True
        try:
            self._transport.write_eof()
        except OSError:  # the caller has gone
            self._transport.close()

    def hang_up(self) -> None:
        """Closes, whatever may still come."""
        self._transport.close()


class ReadingOnProtocol(H11Protocol):
    """uvicorn's own HTTP, which does not hang up on a caller who is still sending."""

    is_reading_on = False
    _read_on_bytes = 0
    _read_on_clock: asyncio.TimerHandle | None = None
    _whole_transport: _Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        self._whole_transport = _Transport(transport, self)
        super().connection_made(self._whole_transport)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._stop_reading_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.is_reading_on:
            self._read_on_bytes += len(data)
            if self._read_on_bytes > MOST_BYTES:
                self.hang_up()
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._is_unfinished():
            self._stop_reading_on()

    def on_response_complete(self) -> None:
        """See H11Protocol; it discards by itself whatever arrives of a body after its answer."""
        super().on_response_complete()
        if not self.transport.is_closing() and self._is_unfinished() and not self.reads_on():
            self.transport.close()

    def shutdown(self) -> None:
        """See H11Protocol."""
        if self.is_reading_on:
            self.hang_up()
        super().shutdown()

    def reads_on(self) -> bool:
        """Whether to read what the caller still sends; starts doing so if allowed."""
        if self.is_reading_on:
            return True
        if not self._is_unfinished() or self._waits_to_be_asked() or self._others_reading_on() >= MOST_AT_ONCE:
            return False
        self.is_reading_on = True
        self._read_on_bytes = 0
        self._read_on_clock = self.loop.call_later(MOST_SECONDS, self.hang_up)
        self.flow.resume_reading()
        return True

    def hang_up(self) -> None:
        """Closes for good, whatever may still come."""
        self._stop_reading_on()
        self._whole_transport.hang_up()

    def _is_unfinished(self) -> bool:
        """Whether the answer is sent and more of the body is to come, or what came was not HTTP, so
        that nobody knows.
        """
        is_at_work = self.cycle is not None and not self.cycle.response_complete
        return not is_at_work and self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _waits_to_be_asked(self) -> bool:
        """Whether the caller sends its body only when told to, and so sees the answer first."""
        return any(name == b"expect" and value.lower() == b"100-continue" for name, value in self.headers or ())

    def _others_reading_on(self) -> int:
        return sum(one.is_reading_on for one in self.connections if isinstance(one, ReadingOnProtocol))

    def _stop_reading_on(self) -> None:
        self.is_reading_on = False
        if self._read_on_clock is not None:
            self._read_on_clock.cancel()
            self._read_on_clock = None

"""Stopping something that waits for the network, from another thread."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Stopped(Exception):
    """Somebody wants no more of it."""


class Stop:
    """Set once. Whoever waits on the socket that is held at that moment wakes up."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def set(self) -> None:
        """From now on `check` raises."""
        with self._lock:
            self._event.set()
            if self._socket is not None:
                _shut(self._socket)

    def hold(self, used: socket.socket) -> None:
        """The socket that is waited on now. Raises Stopped."""
        with self._lock:
            self._socket = used
        self.check()

    def hold_nothing(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._socket = None

    def check(self) -> None:
        """Raises Stopped."""
        if self._event.is_set():
            raise Stopped()

    def wait(self, seconds: float) -> None:
        """Returns after that time. Raises Stopped, and then at once."""
        self._event.wait(seconds)
        self.check()


def _shut(used: socket.socket) -> None:
    """Ends it for both sides. A TLS socket's own method would also drop its decryption, under its reader's feet."""
    with suppress(OSError):
        socket.socket.shutdown(used, socket.SHUT_RDWR)

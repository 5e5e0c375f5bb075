"""Connections that ask for nothing are closed; those that are at work are left alone."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from tests.api.access.threads import listening
from webui.api.access import connections


async def patient(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers after as many tenths of a second as the path says, without reading the body."""
    if scope["type"] == "http":
        await asyncio.sleep(int(scope["path"][1:] or 0) / 10)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.5)
    with listening(patient) as port:
        yield port


def seconds_until_closed(connection: socket.socket, piece: bytes = b"") -> float:
    """How long the other side bears it when `piece` comes every tenth of a second."""
    began = time.monotonic()
    connection.settimeout(0.1)
    while time.monotonic() - began < 10:
        try:
            if piece:
                connection.sendall(piece)
            if not connection.recv(65536):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", b""),
        (b"", b"G"),
        (b"GET /0 HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n"),
        (b"POST /0 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"."),
    ],
    ids=["silence", "a line without end", "headers without end", "a body that nobody reads"],
)
def test_whoever_asks_for_nothing_is_let_go(port: int, first: bytes, piece: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(first)
        assert 0.2 < seconds_until_closed(connection, piece) < 8


def test_whoever_is_answered_has_all_the_time(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for path in (b"/15", b"/0", b"/12"):
            connection.sendall(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            said = b""
            while not said.endswith(b"\r\n\r\nok"):  # headers and body may come apart
                piece = connection.recv(65536)
                assert piece, said
                said += piece
            assert said.startswith(b"HTTP/1.1 200")

"""Answers that go out before the body has come reach the caller; what is read for that has its bounds."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from starlette.types import Receive, Scope, Send

from tests.api.access.threads import listening
from webui.api.access import reading_on

MEGABYTE = 2**20


async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading the body, and as the path says closes the connection."""
    headers = [(b"content-length", b"2")] + [(b"connection", b"close")] * (scope["path"] == "/close")
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"no"})


@pytest.fixture
def port() -> Iterator[int]:
    with listening(deaf) as port:
        yield port


def posting(port: int, path: str, length: int, more: str = "") -> socket.socket:
    """A connection that has sent the head of a call."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n".encode())
    return connection


def sent_megabytes(connection: socket.socket, most: int) -> int:
    """How many the other side takes before it hangs up."""
    piece = bytes(MEGABYTE)
    for megabyte in range(most):
        try:
            connection.sendall(piece)
        except ConnectionError:
            return megabyte
    return most


def all_that_comes(connection: socket.socket) -> bytes:
    said = b""
    while piece := connection.recv(65536):
        said += piece
    return said


@pytest.mark.parametrize("path", ["/close", "/keep"])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_a_large_body_is_read_to_its_end(port: int, path: str, is_chunked: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):
        body = (bytes(MEGABYTE) for _ in range(32)) if is_chunked else bytes(32 * MEGABYTE)
        connection.request("POST", path, body, encode_chunked=is_chunked)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (403, b"no")
    connection.close()


def test_a_connection_that_is_kept_serves_the_next_call(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.connect()
    own_port = connection.sock.getsockname()[1]
    for _ in range(3):
        connection.request("POST", "/keep", bytes(8 * MEGABYTE))
        assert connection.getresponse().read() == b"no"
        assert connection.sock.getsockname()[1] == own_port
    connection.close()


@pytest.mark.parametrize("path", ["/close", "/keep"])
def test_no_more_is_read_than_anybody_needs(port: int, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(reading_on, "MOST_BYTES", 24 * MEGABYTE)
    with posting(port, path, 500 * MEGABYTE) as connection:
        assert 24 <= sent_megabytes(connection, 500) < 100  # a few more are on their way in buffers


@pytest.mark.parametrize("path", ["/close", "/keep"])
def test_nobody_is_waited_for_longer_than_that(port: int, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(reading_on, "MOST_SECONDS", 0.6)
    with posting(port, path, 10_000) as connection:
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 8:
                connection.sendall(b".")
                time.sleep(0.05)
        assert 0.4 < time.monotonic() - began < 4


def test_the_answer_is_complete_while_the_rest_is_read(port: int) -> None:
    with posting(port, "/close", 10_000) as connection:
        began = time.monotonic()
        assert all_that_comes(connection).endswith(b"\r\n\r\nno")
        assert time.monotonic() - began < 5
        connection.sendall(b"." * 1000)


def test_eight_are_read_on_at_once(port: int) -> None:
    with ExitStack() as stack:
        eight = [stack.enter_context(posting(port, "/close", 10_000)) for _ in range(8)]
        assert all(all_that_comes(one).endswith(b"no") for one in eight)
        with posting(port, "/close", 100 * MEGABYTE) as ninth:
            assert sent_megabytes(ninth, 100) < 50
        eight[0].close()
        time.sleep(0.2)
        with posting(port, "/close", 50 * MEGABYTE) as next_one:
            assert sent_megabytes(next_one, 50) == 50
            assert all_that_comes(next_one).endswith(b"no")


@pytest.mark.parametrize("path", ["/close", "/keep"])
def test_whoever_waits_to_be_asked_is_not_read_on(port: int, path: str) -> None:
    with posting(port, path, 100 * MEGABYTE, "Expect: 100-continue\r\n") as connection:
        said = all_that_comes(connection)
        assert said.startswith(b"HTTP/1.1 403")
        assert said.endswith(b"no")
        assert sent_megabytes(connection, 100) < 50


def test_what_is_no_http_hears_so(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 8 * MEGABYTE)
        assert all_that_comes(connection).startswith(b"HTTP/1.1 400")

"""Bodies that trickle in: given up with 408, the connection closed, and nobody else hears of it."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.conftest import Server
from webui.api.bodies import limits as bodies


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.6)


JSON = b"POST /api/text-to-image HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
FORM = b"POST /api/images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
PART = b"--x\r\nContent-Disposition: form-data; name=file; filename=x.png\r\n\r\n"
LENGTH, CHUNKED = b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"


def connect(server: Server) -> socket.socket:
    host, port = urlsplit(server.url).netloc.split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def answer(connection: socket.socket) -> bytes:
    """All that comes until the other side closes, or hangs up on a piece that crossed its answer."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            said += piece
    return said


def trickle(connection: socket.socket, piece: bytes) -> None:
    """A little of a body every tenth of a second, until the other side has had enough."""
    for _ in range(100):
        readable, _, _ = select.select([connection], [], [], 0.1)
        if readable:
            break
        connection.sendall(piece)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (JSON + LENGTH, b" "),
        (JSON + CHUNKED, b"1\r\n \r\n"),
        (FORM + LENGTH + PART, b"-"),
        (FORM + CHUNKED + b"%x\r\n%b\r\n" % (len(PART), PART), b"1\r\n-\r\n"),
    ],
    ids=["json", "json chunked", "form", "form chunked"],
)
def test_a_body_that_trickles_is_given_up(server: Server, head: bytes, piece: bytes) -> None:
    with connect(server) as connection:
        began = time.monotonic()
        connection.sendall(head)
        trickle(connection, piece)
        said = answer(connection)
        assert time.monotonic() - began < 8
    top, _, body = said.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in top.lower()
    assert b"x-content-type-options: nosniff" in top.lower()
    error = json.loads(body)["error"]
    assert error["kind"] == "body_too_slow"
    assert error["message"]
    assert error["hint"]


@pytest.mark.usefixtures("_impatient")
def test_a_body_that_never_comes_is_given_up(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(JSON + LENGTH)
        assert answer(connection).startswith(b"HTTP/1.1 408 ")


def test_those_who_trickle_hold_up_nobody(
    server: Server, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 600.0)
    waiting = [connect(server) for _ in range(100)]
    try:
        for number, connection in enumerate(waiting):
            connection.sendall((JSON if number % 2 else FORM) + LENGTH + b"-")
        assert client.get("/api/jobs").status_code == 200
        assert client.post("/api/text-to-image", json={"steps": 1}).status_code == 202
        for connection in waiting:  # all of them are still waited for, and nobody else was kept waiting for them
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)
    finally:
        for connection in waiting:
            connection.close()


def test_a_body_may_take_its_time_if_it_moves(
    client: httpx.Client, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(bodies, "SLOWEST_BYTES_PER_SECOND", 1000)

    def moving() -> Iterator[bytes]:
        yield b"--x\r\nContent-Disposition: form-data; name=file; filename=x.png\r\n\r\n" + png
        for _ in range(10):
            time.sleep(0.1)
            yield b"\0" * 200
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/api/images", content=moving(), headers=headers).status_code == 201


@pytest.mark.usefixtures("_impatient")
def test_whoever_listens_is_not_asked_to_hurry(client: httpx.Client) -> None:
    job = client.post("/api/text-to-image", json={"prompt": "delay=0.3", "steps": 6}).json()["id"]
    began = time.monotonic()
    with client.stream("GET", f"/api/jobs/{job}/events") as stream:
        assert any(line == "event: finished" for line in stream.iter_lines())
    assert time.monotonic() - began > 1.0

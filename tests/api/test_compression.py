"""What is compressed and what is not, by kind, by size and by what the caller takes."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.api.conftest import generate
from webui.api.compression import Compression, encoding_for

TEXT = b"the same again and again, " * 200


def answering(kind: str, *pieces: bytes, status: int = 200, streams: bool = False, **headers: str) -> ASGIApp:
    """An app that gives one answer in these pieces, and takes note of the calls in `app.calls`."""
    length = None if streams else sum(map(len, pieces))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        app.calls.append(scope)  # type: ignore[attr-defined]
        sent = [(b"content-type", kind.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
        if length is not None:
            sent.append((b"content-length", str(length).encode()))
        await send({"type": "http.response.start", "status": status, "headers": sent})
        for index, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": index < len(pieces)})

    app.calls = []  # type: ignore[attr-defined]
    return app


def ask(app: ASGIApp, path: str = "/x", encodings: str = "gzip, br", method: str = "GET") -> httpx.Response:
    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return await client.request(method, path, headers={"Accept-Encoding": encodings})

    return asyncio.run(run())


def compressed(app: ASGIApp) -> Compression:
    return Compression(app, lasting=("/lasting/",))


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/css", "text/javascript", "application/json"])
def test_texts_become_small(kind: str) -> None:
    answer = ask(compressed(answering(kind, TEXT, etag='"one"')))
    assert answer.content == TEXT
    assert answer.headers["content-encoding"] == "br"
    assert int(answer.headers["content-length"]) < 200
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"] == 'W/"one"'


@pytest.mark.parametrize(
    "app",
    [
        answering("image/png", TEXT),
        answering("application/zip", TEXT),
        answering("text/event-stream", TEXT),
        answering("application/json", b"{}"),
        answering("application/json", TEXT, status=404),
        answering("text/html", TEXT, status=206),
        answering("application/json", TEXT, TEXT, streams=True),  # nothing of it is held back
    ],
    ids=["picture", "archive", "events", "small", "error", "part", "stream"],
)
def test_others_stay_as_they_are(app: ASGIApp) -> None:
    answer = ask(compressed(app))
    assert "content-encoding" not in answer.headers
    assert len(answer.content) == int(answer.headers.get("content-length", 2 * len(TEXT)))


def test_a_compressed_answer_stays_as_it_is() -> None:
    once = compressed(answering("text/html", TEXT))
    answer = ask(compressed(once))
    assert answer.content == TEXT
    assert answer.headers["content-encoding"] == "br"


def test_what_the_caller_does_not_take_is_not_sent() -> None:
    app = compressed(answering("text/html", TEXT))
    assert ask(app, encodings="gzip").headers["content-encoding"] == "gzip"
    assert ask(app, encodings="gzip").content == TEXT
    plain = ask(app, encodings="identity")
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"  # or a cache would give it to everybody
    assert "content-encoding" not in ask(app, method="POST").headers


def test_what_lasts_is_compressed_once_even_if_it_comes_in_pieces() -> None:
    inner = answering("text/css", TEXT, TEXT)
    app = compressed(inner)
    for encodings in ("br", "br", "gzip", "br", "gzip"):
        answer = ask(app, "/lasting/x.css", encodings)
        assert answer.content == TEXT + TEXT
        assert answer.headers["content-encoding"] == encodings
    assert len(inner.calls) == 2  # type: ignore[attr-defined]


def test_what_does_not_last_is_never_kept() -> None:
    inner = answering("text/css", TEXT)
    app = compressed(inner)
    ask(app, "/api/x")
    ask(app, "/api/x")
    assert len(inner.calls) == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP;q=1.0", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.000", ""),
        ("bread, gzipped", ""),
        ("", ""),
    ],
)
def test_the_best_that_is_accepted_is_chosen(accepted: str, chosen: str) -> None:
    assert encoding_for(accepted) == chosen


def test_the_app_compresses_texts_and_nothing_else(client: httpx.Client, png: bytes) -> None:
    for path in ("/", "/openapi.json", "/docs/static/swagger-ui.css"):
        assert client.get(path, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip", path
    assert "content-encoding" not in client.get("/healthz").headers
    picture = client.post("/api/images", files={"file": ("red.png", png, "image/png")}).json()["id"]
    assert client.get(f"/api/images/{picture}").content[:4] == b"\x89PNG"
    assert "content-encoding" not in client.get(f"/api/images/{picture}").headers
    with client.stream("GET", f"/api/jobs/{generate(client)}/events", headers={"Accept-Encoding": "br"}) as events:
        assert "content-encoding" not in events.headers

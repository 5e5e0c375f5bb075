"""Compresses answers that gain from it – HTML, scripts, styles and JSON – with Brotli or gzip, as the caller accepts.

Pure ASGI. Pictures, archives, parts of files and streams of events pass unchanged. What never changes at its address is
compressed once and kept in memory; this contains nobody's data.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field

import brotli
from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TYPES = ("text/html", "text/css", "text/javascript", "application/javascript", "application/json", "image/svg+xml")
_LEAST_BYTES = 700  # below that, the answer is one packet either way
_MOST_BYTES = 8_000_000  # what is gathered in memory to be compressed
_THREAD_BYTES = 32_768  # from that on, it takes longer than the event loop should wait
# Level 5 takes 1 s for a megabyte of scripts and 8 % less room than level 4; level 11 takes 12 s for another 9 %.
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, mode=brotli.MODE_TEXT, quality=5),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}


class Compression:
    """Wraps an app; `lasting` are the folders in which an address always has the same content, whoever asks."""

    def __init__(self, app: ASGIApp, *, lasting: tuple[str, ...]) -> None:
        self._app = app
        self._lasting = lasting
        self._kept: dict[tuple[str, str], tuple[Message, Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compresses whole answers to GET, and passes everything else on."""
        if scope["type"] != "http" or scope["method"] != "GET" or "range" in Headers(scope=scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        encoding = encoding_for(headers.get("accept-encoding", ""))
        key = (scope["path"], encoding)
        if kept := self._kept.get(key):
            for message in kept:
                await send({**message})
            return
        answer = _Answer(send, encoding)
        # Without the header, so that no layer inside does the same once more.
        plain = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, answer)
        if answer.compressed and scope["path"].startswith(self._lasting):
            self._kept[key] = answer.compressed


def encoding_for(accepted: str) -> str:
    """`br`, `gzip` or nothing: the best that an Accept-Encoding header allows."""
    allowed = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            allowed.add(name.strip())
    return next((name for name in _ENCODERS if name in allowed), "")


@dataclass
class _Answer:
    """A `send` for one answer: it holds the start back until it is clear what to do with the body."""

    send: Send
    encoding: str
    compressed: tuple[Message, Message] | None = None
    _start: Message | None = None
    _body: bytearray = field(default_factory=bytearray)

    async def __call__(self, message: Message) -> None:
        """Passes a message on, or collects it to compress the whole body at the end."""
        if message["type"] == "http.response.start" and _gains(message):
            self._start = message
            MutableHeaders(raw=message["headers"]).add_vary_header("Accept-Encoding")
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._pass(message)
            return
        self._body += message.get("body", b"")
        is_whole = not message.get("more_body", False)
        if is_whole and self.encoding and len(self._body) >= _LEAST_BYTES:
            await self._compress(self._start)
        elif is_whole or not self.encoding or not _is_gathered(self._start):
            await self._pass({**message, "body": bytes(self._body)})

    async def _pass(self, message: Message) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            await self.send(start)
        await self.send(message)

    async def _compress(self, start: Message) -> None:
        encode = _ENCODERS[self.encoding]
        body = bytes(self._body)
        body = await to_thread.run_sync(encode, body) if len(body) >= _THREAD_BYTES else encode(body)
        headers = MutableHeaders(raw=start["headers"])
        headers["Content-Encoding"] = self.encoding
        headers["Content-Length"] = str(len(body))
        if (etag := headers.get("etag")) and not etag.startswith("W/"):
            headers["ETag"] = f"W/{etag}"  # the same content, but not byte for byte
        self.compressed = ({**start, "headers": headers.raw}, {"type": "http.response.body", "body": body})
        for message in self.compressed:
            await self.send({**message})


def _is_gathered(start: Message) -> bool:
    """Whether a body in pieces is a file of known length, and not a stream that must not be held back."""
    return int(Headers(raw=start["headers"]).get("content-length", _MOST_BYTES + 1)) <= _MOST_BYTES


def _gains(start: Message) -> bool:
    """Whether an answer with this start becomes smaller."""
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return start["status"] == 200 and kind in _TYPES and "content-encoding" not in headers

"""A small Hub on this machine: the parts of the Hub's API that huggingface_hub calls, and every way to misbehave.

Tests run it in a thread; `python -m tests.downloads.small_hub BYTES` serves one file of that size, `anna/one`, and
prints its address.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repo:
    """Files by path. `gated` wants the token; `lies` are what the metadata say: `{"name": {"size", "sha256"}}`."""

    files: dict[str, bytes]
    gated: bool = False
    license: str | None = "apache-2.0"
    lies: dict[str, dict[str, Any]] = field(default_factory=dict)
    revisions: tuple[str, ...] = ("main", REVISION)


@dataclass
class Behaviour:
    """What goes wrong from now on. Numbers count down with each request that they spoil."""

    breaks: int = 0  # answers that end after `break_after` bytes
    break_after: int = 1000
    busy: int = 0  # answers 429 with Retry-After
    retry_after: str = "1"
    redirect_to: str | None = None  # files are there instead
    ignores_ranges: bool = False
    content: bytes | None = None  # sent in place of any file
    more_than_said: bytes = b""  # sent after a file, without a length
    bytes_per_second: float | None = None
    status: int | None = None
    hangs: bool = False


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]


class SmallHub(ThreadingHTTPServer):
    """`sent` counts the bytes of each file that went over the line."""

    daemon_threads = True

    def __init__(self, token: str = "hf_right") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[str, Repo] = {}
        self.behaviour = Behaviour()
        self.token = token
        self.requests: list[Request] = []
        self.sent: dict[str, int] = {}
        self.released = threading.Event()
        self.civitai: dict[int, dict[str, Any]] = {}
        self.civitai_files: dict[int, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what this is for."""

    def blobs(self) -> int:
        """How many requests for files' contents came."""
        return sum(r.method == "GET" and "/resolve/" in r.path for r in self.requests)


class _Handler(BaseHTTPRequestHandler):
    server: SmallHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        headers = {name.title(): value for name, value in self.headers.items()}
        self.server.requests.append(Request(self.command, self.path, headers))
        parts = path.strip("/").split("/")
        if path.startswith("/api/models/"):
            self._metadata(f"{parts[2]}/{parts[3]}", "/".join(parts[5:]) if len(parts) > 5 else "main")
        elif path.startswith("/api/v1/model-versions/"):
            found = self.server.civitai.get(int(parts[-1]))
            self._json(200 if found else 404, found or {"error": "no"})
        elif path.startswith("/api/download/models/"):
            self._blob(path, self.server.civitai_files[int(parts[-1])])
        elif len(parts) > 4 and parts[2] == "resolve":
            self._file(f"{parts[0]}/{parts[1]}", parts[3], "/".join(parts[4:]))
        else:
            self._json(404, {})

    def _json(self, status: int, content: Any, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _metadata(self, id: str, revision: str) -> None:
        repo = self.server.repos.get(id)
        if repo is None:
            self._json(401, {"error": "Invalid username or password."}, X_Error_Code="RepoNotFound")
        elif revision not in repo.revisions:
            self._json(404, {}, X_Error_Code="RevisionNotFound")
        else:
            siblings = [_sibling(name, content, repo.lies.get(name, {})) for name, content in repo.files.items()]
            card = {"license": repo.license} if repo.license else {}
            gated = "auto" if repo.gated else False
            self._json(200, {"id": id, "sha": REVISION, "siblings": siblings, "gated": gated, "cardData": card,
                             "private": False, "tags": [], "downloads": 0, "likes": 0})  # fmt: skip

    def _file(self, id: str, revision: str, name: str) -> None:
        repo, said = self.server.repos.get(id), self.headers.get("Authorization")
        if repo is None:
            self._json(401, {}, X_Error_Code="RepoNotFound")
        elif name not in repo.files:
            self._json(404, {}, X_Error_Code="EntryNotFound")
        elif repo.gated and said != f"Bearer {self.server.token}":
            self._json(401, {}, X_Error_Code="GatedRepo")
        else:
            self._blob(f"{id}/{name}", repo.files[name])

    def _blob(self, name: str, content: bytes) -> None:
        how = self.server.behaviour
        if how.hangs:
            self.server.released.wait(60)
        if how.status is not None:
            self._json(how.status, {})
        elif how.busy > 0:
            how.busy -= 1
            self._json(429, {}, Retry_After=how.retry_after)
        elif how.redirect_to is not None:
            self._json(302, {}, Location=how.redirect_to)
        else:
            self._send(name, content if how.content is None else how.content)

    def _send(self, name: str, content: bytes) -> None:
        how, start = self.server.behaviour, 0
        asked = self.headers.get("Range")
        end = len(content)
        if asked and not how.ignores_ranges:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1, end) if last else end
            if start >= len(content):
                self._json(416, {})
                return
        self.send_response(206 if asked and not how.ignores_ranges else 200)
        if asked and not how.ignores_ranges:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        if how.more_than_said:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        if how.breaks > 0 and end - start > how.break_after:
            how.breaks -= 1
            end, self.close_connection = start + how.break_after, True
        self._write(name, memoryview(content)[start:end], how.bytes_per_second)
        if how.more_than_said:
            self.wfile.write(how.more_than_said)
            self.close_connection = True

    def _write(self, name: str, content: memoryview, bytes_per_second: float | None) -> None:
        piece = 2**16 if bytes_per_second is None else max(1, int(bytes_per_second / 50))
        for at in range(0, len(content), piece):
            self.wfile.write(content[at : at + piece])
            self.server.sent[name] = self.server.sent.get(name, 0) + len(content[at : at + piece])
            if bytes_per_second is not None:
                time.sleep(1 / 50)


def _sibling(name: str, content: bytes, lie: dict[str, Any]) -> dict[str, Any]:
    size = lie.get("size", len(content))
    entry: dict[str, Any] = {"rfilename": name, "size": size}
    if not name.endswith((".safetensors", ".bin")):
        entry["blobId"] = git_sha1(content)
    else:
        sha = lie.get("sha256") or hashlib.sha256(content).hexdigest()
        entry["lfs"] = {"size": size, "sha256": sha, "pointerSize": 130}
    return entry


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def small_hub(token: str = "hf_right") -> Iterator[SmallHub]:
    hub = SmallHub(token)
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        hub.shutdown()
        hub.server_close()
        thread.join()


def main(size: int) -> None:
    data = bytes(2**16) if size < 2**16 else random.Random(1).randbytes(2**24)
    header = b'{"w": {"dtype": "U8", "shape": [%d], "data_offsets": [0, %d]}}' % (size, size)
    content = len(header).to_bytes(8, "little") + header + (data * (size // len(data) + 1))[:size]
    with small_hub() as hub:
        known = {"one.safetensors": {"sha256": hashlib.sha256(content).hexdigest()}}
        hub.repos["anna/one"] = Repo({"one.safetensors": content}, lies=known)
        sys.stdout.write(f"{hub.url}\n")
        sys.stdout.flush()
        sys.stdin.read()  # until whoever started it goes


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""The page that answers on the port during the installation: what is being downloaded, how fast, and how long it will
take. Who sits at this machine is asked there whether a model for photographs should be downloaded,
too.

It releases the port when its block ends. The browser then asks for `/healthz` until the app answers, and opens it.
Standard library only.
"""

from __future__ import annotations

import dataclasses
import html
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from webui.launch.address import Address, take
from webui.launch.first_model import FirstModelQuestion, is_local
from webui.launch.progress import ProgressMeter

_PAGE = Path(__file__).with_name("waiting_page.html")
_TOKEN = b"TOKEN-OF-THE-QUESTION"  # in the page: what an answer must be sent with; empty where nothing is asked
_MODELS = b"MODELS-OF-THE-QUESTION"  # the same: what may be downloaded, as JSON
_ANSWER = "/first-model"
_MAX_BODY_BYTES = 1000


class WaitingPage:
    """Serves the page on the address, from a thread, while its block runs. Entering raises LaunchError if the port is
    taken. Without a `question` it asks nothing.
    """

    def __init__(self, address: Address, meter: ProgressMeter, question: FirstModelQuestion | None = None) -> None:
        self._address = address
        self._meter = meter
        self._question = question

    def __enter__(self) -> WaitingPage:
        taken = take(self._address)
        self._server = _Server((self._address.host, self._address.port), _Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = taken
        self._server.meter = self._meter
        self._server.page = _PAGE.read_bytes()
        self._server.question = self._question
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    meter: ProgressMeter
    page: bytes
    question: FirstModelQuestion | None


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # seconds; a connection that says nothing is dropped

    def do_GET(self) -> None:
        """`/progress` as JSON; anything else is the page, as 503, so that nobody takes it for the app."""
        if self.path == "/progress":
            progress = dataclasses.asdict(self.server.meter.snapshot())
            wanted = question.answer if (question := self._question()) else None
            self._answer(HTTPStatus.OK, "application/json", json.dumps({**progress, "wants_model": wanted}).encode())
        elif self.path == "/healthz":
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "application/json", b'{"state": "installing"}')
        else:
            question = self._question()
            models = json.dumps([dataclasses.asdict(model) for model in question.models]) if question else ""
            page = self.server.page.replace(_TOKEN, question.token.encode() if question else b"")
            page = page.replace(_MODELS, html.escape(models).encode())
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/html; charset=utf-8", page)

    def do_POST(self) -> None:
        """`/first-model`: an answer to the question, from the page itself."""
        said = self.headers.get("Content-Length") or ""
        length = int(said) if said.isascii() and said.isdigit() else _MAX_BODY_BYTES + 1
        body = self.rfile.read(length) if length <= _MAX_BODY_BYTES else b""
        question = self._question() if self.path == _ANSWER else None
        is_kept = question is not None and question.keep(self.headers, body)
        self.close_connection = True
        self._answer(HTTPStatus.OK if is_kept else HTTPStatus.FORBIDDEN, "application/json", b"{}")

    def _question(self) -> FirstModelQuestion | None:
        """For who calls from this machine, under its own name."""
        return self.server.question if is_local(self.headers) else None

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the console reports the installation, not who watches it."""

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", "5")
        self.end_headers()
        self.wfile.write(body)

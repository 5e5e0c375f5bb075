"""Opens the public link: Gradio's tunnel program, checked before every start, in front of our own app.

Gradio checks its program only just after downloading it, and leaves a bad one in place; here it is checked every time.
The server's certificate goes into the data folder, not into whatever folder the program was started in.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from gradio import networking, tunneling

from webui.errors import ShareFailed
from webui.settings import Settings
from webui.share.link import Share, ShareState

_TIMEOUT_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Tunnel:
    """The link of one run. Everything that takes time happens in a thread; the app serves locally meanwhile."""

    def __init__(self, settings: Settings, state: ShareState, announce: Callable[[Share], None]) -> None:
        """`announce` is called once, from the thread, when the link is open or has failed."""
        self._host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "localhost") else settings.host
        self._port = settings.port
        self._folder = settings.data_dir
        self._state = state
        self._announce = announce
        self._tunnel: Any = None
        self._is_closed = threading.Event()

    def start(self) -> None:
        """Starts opening the link; `ShareState` shows the progress."""
        self._state.set(Share(state="opening"))
        threading.Thread(target=self._open, name="share", daemon=True).start()

    def close(self) -> None:
        """Ends the tunnel's program."""
        self._is_closed.set()
        process = getattr(self._tunnel, "proc", None)
        if process is not None:
            process.terminate()
            self._tunnel.proc = None  # Gradio would end it once more when the interpreter exits
        self._state.set(Share(state="off"))

    def _open(self) -> None:
        try:
            url = self._connect()
        except ShareFailed as error:
            _log.warning(
                "no public link (%s); serving this machine only", error.details["reason"], exc_info=error.__cause__
            )
            share = Share(state="failed", error=error)
        else:
            share = Share(state="open", url=url)
        if self._is_closed.is_set():
            self.close()
        else:
            self._state.set(share)
            self._announce(share)

    def _connect(self) -> str:
        """The public address. Raises ShareFailed."""
        server, port, certificate = self._server()
        check_program(Path(tunneling.BINARY_PATH))
        self._tunnel = tunneling.Tunnel(server, port, self._host, self._port, secrets.token_urlsafe(32), certificate)
        try:
            return str(self._tunnel.start_tunnel()).replace("http://", "https://", 1)
        except (OSError, ValueError, httpx.HTTPError, tunneling.ChecksumMismatchError) as error:
            raise ShareFailed(reason="share_refused") from error

    def _server(self) -> tuple[str, int, str | None]:
        """Host, port and certificate file of a tunnel server: Gradio's, or the one that its own variable names."""
        if own := networking.GRADIO_SHARE_SERVER_ADDRESS:
            host, _, port = own.rpartition(":")
            return host, int(port), None
        try:
            given = httpx.get(networking.GRADIO_API_SERVER, timeout=_TIMEOUT_SECONDS).raise_for_status().json()[0]
            host, number, certificate = str(given["host"]), int(given["port"]), str(given["root_ca"])
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise ShareFailed(reason="share_unreachable") from error
        file = self._folder / "share-certificate.pem"
        try:
            file.write_text(certificate, "ascii")
        except OSError as error:
            raise ShareFailed(reason="share_refused") from error
        return host, number, str(file)


def check_program(path: Path) -> None:
    """Makes sure that the tunnel program exists and has the checksum that Gradio was published with.

    One that has not is removed, so that the next start can download it again. Raises ShareFailed.
    """
    expected = tunneling.CHECKSUMS.get(tunneling.BINARY_URL)
    if expected is None:
        raise ShareFailed(reason="share_unsupported")
    if not path.exists():
        _download(path, expected)
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        path.unlink()
        raise ShareFailed(reason="share_altered")


def _download(path: Path, expected: str) -> None:
    """Fetches the program; only the genuine one gets its name and may be run."""
    try:
        content = httpx.get(tunneling.BINARY_URL, timeout=_TIMEOUT_SECONDS).raise_for_status().content
    except httpx.HTTPError as error:
        raise ShareFailed(reason="share_unreachable") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ShareFailed(reason="share_altered")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    unfinished.write_bytes(content)
    unfinished.chmod(0o755)
    os.replace(unfinished, path)

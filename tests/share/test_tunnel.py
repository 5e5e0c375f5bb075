"""The public link: only the genuine program is run, and without a connection the app serves locally and says so."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio import tunneling

from webui.errors import ShareFailed
from webui.settings import Settings
from webui.share.link import Share, ShareState
from webui.share.tunnel import Tunnel, check_program

GENUINE = b"#!/bin/sh\necho genuine\n"


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program lies; its checksum is that of GENUINE."""
    path = tmp_path / "cache" / "frpc"
    monkeypatch.setattr(tunneling, "BINARY_PATH", str(path))
    monkeypatch.setitem(tunneling.CHECKSUMS, tunneling.BINARY_URL, hashlib.sha256(GENUINE).hexdigest())
    return path


def answering(monkeypatch: pytest.MonkeyPatch, content: bytes | None = None, json: Any = None) -> None:
    def get(url: str, **options: object) -> httpx.Response:
        if content is None and json is None:
            raise httpx.ConnectError("no network")
        request = httpx.Request("GET", url)
        is_program = url == tunneling.BINARY_URL
        return (
            httpx.Response(200, content=content, request=request)
            if is_program
            else httpx.Response(200, json=json, request=request)
        )

    monkeypatch.setattr(httpx, "get", get)


def test_the_genuine_program_is_fetched_once(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, content=GENUINE)
    check_program(program)
    assert program.read_bytes() == GENUINE
    assert program.stat().st_mode & 0o100
    answering(monkeypatch)
    check_program(program)


def test_an_altered_program_is_refused_and_removed(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, content=GENUINE)
    check_program(program)
    program.write_bytes(GENUINE + b"rm -rf /\n")
    with pytest.raises(ShareFailed) as caught:
        check_program(program)
    assert caught.value.details["reason"] == "share_altered"
    assert not program.exists()


def test_a_bad_download_never_gets_the_name(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, content=b"<html>please log in to this Wi-Fi</html>")
    with pytest.raises(ShareFailed) as caught:
        check_program(program)
    assert caught.value.details["reason"] == "share_altered"
    assert not program.exists()


def test_a_machine_without_a_program_is_told(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(tunneling.CHECKSUMS, tunneling.BINARY_URL)
    with pytest.raises(ShareFailed) as caught:
        check_program(program)
    assert caught.value.details["reason"] == "share_unsupported"


def opened(tmp_path: Path) -> tuple[Tunnel, ShareState, list[Share]]:
    """A tunnel that has either come up or failed."""
    told: list[Share] = []
    done = threading.Event()
    state = ShareState()
    settings = Settings(share=True, auth=("a:b",), data_dir=tmp_path)
    tunnel = Tunnel(settings, state, lambda share: (told.append(share), done.set())[0])
    tunnel.start()
    assert done.wait(20)
    return tunnel, state, told


def test_without_a_connection_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch)
    tunnel, state, told = opened(tmp_path)
    assert state.now.state == "failed"
    assert state.now.error is not None
    assert state.now.error.details["reason"] == "share_unreachable"
    assert told == [state.now]
    tunnel.close()


@pytest.mark.parametrize("json", [[], {}, [{"host": "h"}], [{"host": "h", "port": "x", "root_ca": ""}], "?"])
def test_nonsense_from_the_server_is_a_failure_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, json: Any) -> None:
    answering(monkeypatch, content=GENUINE, json=json)
    tunnel, state, _ = opened(tmp_path)
    assert state.now.state == "failed"
    tunnel.close()


def test_a_tunnel_opens_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    processes: list[subprocess.Popen[bytes]] = []

    def start(self: Any) -> str:
        self.proc = subprocess.Popen(["sleep", "60"])
        processes.append(self.proc)
        return "http://abc.gradio.live"

    monkeypatch.setattr(tunneling.Tunnel, "start_tunnel", start)
    answering(monkeypatch, content=GENUINE, json=[{"host": "h", "port": 7000, "root_ca": "PEM"}])
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    tunnel, state, told = opened(data_dir)
    assert state.now == Share(state="open", url="https://abc.gradio.live")
    assert told == [state.now]
    assert (data_dir / "share-certificate.pem").read_text() == "PEM"
    assert not (tmp_path / ".gradio").exists()
    tunnel.close()
    assert processes[0].wait(5) is not None
    assert state.now.state == "off"

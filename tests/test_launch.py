"""`python launch.py` as a person starts it: it serves, says where, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0  # generous: this asks whether it starts, not how fast


@contextmanager
def started(data_dir: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running app and its address, with everything it wrote so far read away up to that line."""
    line = [sys.executable, "launch.py", "--no-browser", "--port", "0", "--data-dir", str(data_dir), *flags]
    with subprocess.Popen(
        line, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, "LANG": "C.UTF-8"}
    ) as process:
        try:
            assert process.stderr is not None
            said = ""
            while not (found := re.search(r"Darkroom is at (\S+)\n", said)):
                more = process.stderr.readline()
                assert more, said
                said += more
            yield process, found[1]
        finally:
            process.kill()


def wait_until_it_answers(address: str) -> httpx.Response:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return httpx.get(f"{address}/healthz", timeout=10)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, sign: signal.Signals) -> None:
    with started(tmp_path) as (process, address):
        assert wait_until_it_answers(address).status_code == 200
        children = psutil.Process(process.pid).children(recursive=True)
        assert children, "the worker"
        process.send_signal(sign)
        assert process.wait(15) == 0
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []


@pytest.mark.slow
def test_workers_end_with_a_killed_server(tmp_path: Path) -> None:
    with started(tmp_path) as (process, address):
        wait_until_it_answers(address)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        _, alive = psutil.wait_procs(children, timeout=30)
        assert alive == []


@pytest.mark.slow
def test_a_public_host_gets_a_login_that_is_said(tmp_path: Path) -> None:
    with started(tmp_path, "--host", "0.0.0.0") as (process, address):
        assert process.stderr is not None
        logins = [
            re.search(r"og in as (\S+) with the password ([a-z0-9-]+)", process.stderr.readline()) for _ in range(2)
        ]
        assert [login and login[1] for login in logins] == ["operator", "guest"]
        wait_until_it_answers(address)
        assert httpx.get(f"{address}/api/jobs", timeout=10).status_code == 401
        for login in filter(None, logins):
            assert httpx.get(f"{address}/api/jobs", auth=(login[1], login[2]), timeout=10).status_code == 200


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LANG": "C.UTF-8"}
    line = [sys.executable, "launch.py", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_help_names_every_flag() -> None:
    done = call("--help")
    assert done.returncode == 0
    for flag in [
        "host",
        "port",
        "share",
        "auth",
        "device",
        "precision",
        "models-dir",
        "data-dir",
        "no-browser",
        "log-level",
    ]:
        assert f"--{flag}" in done.stdout
    assert "launch.py test" in done.stdout


def test_a_taken_port_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = call("--no-browser", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} of" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "70000"], "--port: "),
        (["--auth", "nobody"], "a login is USER:PASSWORD"),
        (["--device", "abacus"], "--device: "),
    ],
)
def test_a_flag_that_makes_no_sense_is_a_sentence(arguments: list[str], said: str) -> None:
    done = call(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_flag_is_refused() -> None:
    assert call("--colour").returncode == 2


def test_a_data_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = call("--no-browser", "--port", "0", "--data-dir", str(tmp_path / "file"))
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr

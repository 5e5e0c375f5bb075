"""Which torch fits which machine; the programs and folders that tell are played."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import pytest

from webui.launch import torch_wheel
from webui.launch.torch_wheel import TorchWheel, choose, reachable


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a GPU: only the programs in this folder are found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(torch_wheel, "has_rocm", lambda: False)
    return tmp_path


def add_nvidia_smi(machine: Path, answer: str, code: int = 0) -> None:
    program = machine / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '%b' '{answer}'\nexit {code}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("answer", "index"),
    [
        (r"580.82.07, 9.0\n", "cu130"),
        (r"595.10, 7.5\n595.10, 12.0\n", "cu130"),
        (r"580.82.07, 9.0\n580.82.07, 6.1\n", "cu126"),  # the older of two GPUs decides
        (r"550.54.15, 8.9\n", "cu126"),
        (r"470.10, 8.6\n", "cpu"),  # a driver that no build of today runs on
        (r"No devices were found\n", "cpu"),
    ],
)
def test_nvidia(machine: Path, answer: str, index: str) -> None:
    add_nvidia_smi(machine, answer)
    assert str(choose({}, system="Linux").index).endswith("/" + index)


def test_a_driver_that_does_not_answer_is_none(machine: Path) -> None:
    add_nvidia_smi(machine, "NVIDIA-SMI has failed", code=9)
    assert choose({}, system="Windows").kind == "CPU"


def test_amd(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_wheel, "has_rocm", lambda: True)
    assert str(choose({}, system="Linux").index).endswith("/rocm7.2")
    assert choose({}, system="Windows").kind == "CPU"


def test_apple_takes_the_plain_package(machine: Path) -> None:
    assert choose({}, system="Darwin").index is None


def test_no_gpu(machine: Path) -> None:
    assert str(choose({}, system="Linux").index).endswith("/cpu")


def test_a_given_index_overrides_everything(machine: Path) -> None:
    add_nvidia_smi(machine, r"580.82.07, 9.0\n")
    environment = {"TORCH_INDEX_URL": "https://mirror.example/cu128"}
    assert choose(environment, system="Darwin").index == "https://mirror.example/cu128"


def test_an_index_that_refuses_gives_the_plain_package() -> None:
    assert reachable(TorchWheel("CPU", "http://127.0.0.1:9/whl/cpu", 1)).index is None


def test_an_index_that_says_nothing_gives_the_plain_package_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_wheel, "PROBE_SECONDS", 0.3)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as silent:
        index = f"http://127.0.0.1:{silent.server_port}/whl/cpu"
        assert reachable(TorchWheel("CPU", index, 1)).index is None


def test_an_index_that_answers_is_taken() -> None:
    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/whl/cpu/torch/" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/whl"
        assert reachable(TorchWheel("CPU", f"{address}/cpu", 1)).index == f"{address}/cpu"
        assert reachable(TorchWheel("CPU", f"{address}/cu999", 1)).index is None
        server.shutdown()


def test_an_address_that_is_none_gives_the_plain_package() -> None:
    assert reachable(TorchWheel("TORCH_INDEX_URL", "nonsense", 1)).index is None

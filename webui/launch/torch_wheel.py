"""Which build of torch fits this machine, and where to get it. Standard library only.

PyTorch publishes a build for each kind of device on an index of its own, and one plain package on PyPI (CUDA on Linux,
CPU on Windows, Apple on macOS). Knows nothing about pip.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_INDEXES = "https://download.pytorch.org/whl/"
PROBE_SECONDS = 5.0
# Builds of torch 2.13 and the oldest driver they run on: PyTorch's RELEASE.md (compatibility matrix) and NVIDIA's CUDA
# release notes, table 2. CUDA 13 dropped every GPU before Turing (compute capability 7.5).
_CUDA_13_DRIVER, _CUDA_13_CAPABILITY = 580, 7.5
_CUDA_12_DRIVER = 525
_ROCM = "rocm7.2"


@dataclass(frozen=True)
class TorchWheel:
    """A build: `kind` for people (`CUDA 13.0`, `CPU`), `index` its address, None for the plain package.

    `expected_bytes` is the approximate size of the build and its dependencies, for estimating the time left.
    """

    kind: str
    index: str | None
    expected_bytes: int


def choose(environment: Mapping[str, str] = os.environ, *, system: str | None = None) -> TorchWheel:
    """The build for this machine, whether or not its index can be reached. `TORCH_INDEX_URL` overrides everything."""
    system = system or platform.system()
    if address := environment.get("TORCH_INDEX_URL", "").strip():
        return TorchWheel("TORCH_INDEX_URL", address, 900_000_000)
    if system == "Darwin":
        return TorchWheel("Apple", None, 100_000_000)
    if found := _nvidia():
        driver, capability = found
        if driver >= _CUDA_13_DRIVER and capability >= _CUDA_13_CAPABILITY:
            return TorchWheel("CUDA 13.0", _INDEXES + "cu130", 2_300_000_000)
        if driver >= _CUDA_12_DRIVER:
            return TorchWheel("CUDA 12.6", _INDEXES + "cu126", 2_900_000_000)
    if system == "Linux" and has_rocm():
        return TorchWheel("ROCm 7.2", _INDEXES + _ROCM, 4_500_000_000)
    return TorchWheel("CPU", _INDEXES + "cpu", 210_000_000)


def reachable(wheel: TorchWheel) -> TorchWheel:
    """The same build if its index answers within seconds, else the plain package."""
    if wheel.index is None or _answers(wheel.index):
        return wheel
    return TorchWheel(f"{wheel.kind}, from PyPI", None, wheel.expected_bytes)


def _nvidia() -> tuple[int, float] | None:
    """(major version of the driver, compute capability) of the oldest NVIDIA GPU; None without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=driver_version,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=15, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None  # a driver that is installed but not running: no GPU to speak of
    gpus = [(int(driver), float(cap)) for driver, cap in re.findall(r"^(\d+)[.\d]*, *(\d+\.\d+)", answer, re.MULTILINE)]
    return min(gpus, key=lambda gpu: gpu[1], default=None)


def has_rocm() -> bool:
    """Whether ROCm is installed on this machine."""
    return Path("/dev/kfd").exists() and (Path("/opt/rocm").exists() or shutil.which("rocminfo") is not None)


def _answers(index: str) -> bool:
    """Whether the index has a page on torch. Runs in a thread, since looking up a name has no time-out."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(index.rstrip("/") + "/torch/", timeout=PROBE_SECONDS) as answer:
                answers.append(answer.status == 200)
        except (OSError, ValueError):  # URLError is an OSError; ValueError: not an address at all
            answers.append(False)

    if index.startswith("file:"):
        return True  # pip reads such folders, urllib lists none
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    return answers == [True]

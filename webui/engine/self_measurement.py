"""How fast this machine computes, measured in two seconds: `python -m webui.engine.self_measurement`.

A process of its own prints one line of JSON and ends. It times the two things that networks consist of, a convolution
and a matrix product, at sizes of Stable Diffusion's, on the device and in the number type that pictures will be drawn
with. Knows no checkpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

import psutil
import torch

from webui.engine.device import Device, choose_device, memory_total_bytes

SECONDS = 1.0  # for each of the two
_CHANNELS, _SIDE = 640, 32  # of the middle blocks of SD's U-Net at 512 pixels
_ROWS, _INNER, _OUTER = 1024, 1280, 5120
_CALLS = 4  # in one spell


def measure(device: Device, seconds: float = SECONDS) -> dict[str, str | float]:
    """Floating-point operations a second, and what there is of memory in bytes."""
    with torch.inference_mode():
        convolution, matmul = _convolution(device), _matmul(device)
        return {
            "device": device.name,
            "kind": device.torch_device.type,
            "precision": device.precision,
            "convolution_flops": _rate(convolution, 2 * 9 * _CHANNELS**2 * _SIDE**2, device, seconds),
            "matmul_flops": _rate(matmul, 2 * _ROWS * _INNER * _OUTER, device, seconds),
            "device_memory_bytes": memory_total_bytes(device),
            "host_memory_bytes": int(psutil.virtual_memory().total),
        }


def _convolution(device: Device) -> Callable[[], object]:
    layer = torch.nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, device=device.torch_device, dtype=device.dtype)
    layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    picture = torch.randn(1, _CHANNELS, _SIDE, _SIDE, device=device.torch_device, dtype=device.dtype)
    there = picture.contiguous(memory_format=torch.channels_last)
    return lambda: layer(there)


def _matmul(device: Device) -> Callable[[], object]:
    layer = torch.nn.Linear(_INNER, _OUTER, device=device.torch_device, dtype=device.dtype)
    rows = torch.randn(_ROWS, _INNER, device=device.torch_device, dtype=device.dtype)
    return lambda: layer(rows)


def _rate(compute: Callable[[], object], operations: int, device: Device, seconds: float) -> float:
    """Operations a second, by the quickest of many short spells: whatever else runs beside spoils some of them.

    The first calls choose algorithms, and are not counted.
    """
    for _ in range(2):
        compute()
    _wait_for(device)
    calls = _CALLS if device.is_cpu else 20 * _CALLS
    best, end = 0.0, time.perf_counter() + seconds
    while best == 0 or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(calls):
            compute()
        _wait_for(device)
        passed = time.perf_counter() - start
        best = max(best, operations * calls / passed)
    return best


def _wait_for(device: Device) -> None:
    """What was asked of a GPU is done when it says so."""
    if device.torch_device.type == "cuda":
        torch.cuda.synchronize(device.torch_device)
    elif device.torch_device.type == "mps":
        torch.mps.synchronize()


def main(arguments: list[str]) -> None:
    """Prints the measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    asked = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(measure(choose_device(asked.device, asked.precision))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

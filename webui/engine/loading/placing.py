"""Reads files through once and places networks on the device: progress counts bytes, a stop takes effect within
megabytes, and every tensor is checked. Knows no checkpoints.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import nn

from webui.checkpoints.refusals import Broken
from webui.engine.convolution import exchange_where_narrow
from webui.engine.device import Device

READ_BYTES = 8 * 2**20  # at a time: some milliseconds from a disk
PERCENT = 0.01


class Progress:
    """Counts bytes. Each is read from the file once and placed on the device once, so the total is
    twice `total_bytes`.
    """

    def __init__(self, total_bytes: int, on_fraction: Callable[[float], None], check: Callable[[], None]) -> None:
        self._total = max(1, 2 * total_bytes)
        self._done = 0
        self._told = 0.0
        self._on_fraction = on_fraction
        self.check = check
        self.digests: dict[Path, str] | None = None  # sha256 of the files that were read, where somebody wants them

    def add(self, done_bytes: int) -> None:
        """Counts `done_bytes` more and reports the fraction, in [0, 1], at every percent. Raises whatever `check`
        raises.
        """
        self.check()
        self._done += done_bytes
        fraction = min(1.0, self._done / self._total)
        if fraction - self._told >= PERCENT:
            self._told = fraction
            self._on_fraction(fraction)


def read_through(file: Path, progress: Progress) -> None:
    """Reads the whole file once into the system's cache, from where the loader then maps it.

    If the progress collects `digests`, the file's sha256 goes there.
    """
    buffer = memoryview(bytearray(READ_BYTES))
    digest = hashlib.sha256()
    with file.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            if progress.digests is not None:
                digest.update(buffer[:count])  # about 1 GB a second
            progress.add(count)
    if progress.digests is not None:
        progress.digests[file] = digest.hexdigest()


def place_on_device(module: nn.Module, device: Device, progress: Progress, file_bytes: int) -> nn.Module:
    """Moves a network to the device in inference mode and checks every tensor. Raises Broken for NaN, infinity and
    missing weights.
    """
    tensors = [*module.parameters(), *module.buffers()]
    if any(tensor.is_meta for tensor in tensors):
        raise Broken("missing_tensors")
    total = max(1, sum(tensor.nbytes for tensor in tensors))
    for part in module.modules():
        for parameter in part.parameters(recurse=False):
            parameter.data = _moved(parameter.data, device)
            progress.add(file_bytes * parameter.nbytes // total)
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, _moved(buffer, device))  # not by `.data`: a buffer may be a view that holds its base
            progress.add(file_bytes * buffer.nbytes // total)
    if not _all_finite(module.state_dict().values()):  # what came from the file: a mask of one's own may be infinite
        raise Broken("not_finite")
    exchange_where_narrow(module)
    return module.eval().requires_grad_(False)


def _moved(tensor: torch.Tensor, device: Device) -> torch.Tensor:
    """A tensor on the device that is never a view of the file; on the CPU the loaders would leave it one."""
    return tensor.detach().to(device.torch_device, copy=device.is_cpu)


def _all_finite(tensors: Iterable[torch.Tensor]) -> bool:
    """Whether no tensor holds NaN or infinity, judged by sums; the device is waited for only once for all of them."""
    sums = [tensor.sum(dtype=torch.float32) for tensor in tensors if tensor.is_floating_point()]
    return not sums or bool(torch.stack(sums).isfinite().all())

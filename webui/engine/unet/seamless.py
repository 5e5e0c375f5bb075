"""Pictures that continue at their edges: convolutions see the opposite edge instead of zeros.

Attention and normalisation do not depend on places. So without zero padding, a network does the same to a picture
wherever it begins. Knows no requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from diffusers.models.downsampling import Downsample2D
from torch import Tensor, nn
from torch.nn import functional

from webui.engine.convolution import conv2d

AXES = {"none": (), "x": ("x",), "y": ("y",), "both": ("x", "y")}


@contextmanager
def seamless(tiling: str, *networks: nn.Module) -> Iterator[None]:
    """While this lasts, `networks` wrap around along the axes of `tiling`: none, x (left to right), y (top to bottom),
    both.

    Afterwards they are as before, however the block was left.
    """
    axes = AXES[tiling]
    changed: list[Any] = []
    modules: list[Any] = [module for network in networks for module in network.modules()] if axes else []
    try:
        for module in modules:
            if isinstance(module, Downsample2D) and module.padding == 0 and isinstance(module.conv, nn.Conv2d):
                # it has put a column and a row of zeros at the right and at the bottom by itself
                changed.append(_exchanged(module.conv, partial(_wrapped_last, module.conv, axes)))
            elif isinstance(module, nn.Conv2d) and any(_padding(module)):
                changed.append(_exchanged(module, partial(_wrapped, module, axes)))
        yield
    finally:
        for module in changed:
            del module._conv_forward  # the class's own is there again


def _exchanged(conv: Any, forward: Any) -> Any:
    conv._conv_forward = forward  # of this one module, in front of its class's
    return conv


def _padding(conv: nn.Conv2d) -> tuple[int, int]:
    """(down, across), the zeros on each side."""
    if isinstance(conv.padding, str):
        return (0, 0)
    down, across = conv.padding
    return int(down), int(across)


def _wrapped(conv: nn.Conv2d, axes: tuple[str, ...], pixels: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    down, across = _padding(conv)
    pixels = functional.pad(pixels, (across, across, 0, 0), mode="circular" if "x" in axes else "constant")
    pixels = functional.pad(pixels, (0, 0, down, down), mode="circular" if "y" in axes else "constant")
    return conv2d(pixels, weight, bias, conv)


def _wrapped_last(
    conv: nn.Conv2d, axes: tuple[str, ...], pixels: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    pixels = pixels.clone()
    if "x" in axes:
        pixels[..., :, -1] = pixels[..., :, 0]
    if "y" in axes:
        pixels[..., -1, :] = pixels[..., 0, :]
    return conv2d(pixels, weight, bias, conv)

"""A way around a fault in oneDNN's products for AMX: for strided convolutions whose output is one pixel wide and
several high, they read memory that nothing was written to (torch 2.13, bf16: NaN now and then). With height and width
exchanged they do not.

Knows no pipelines.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def exchange_where_narrow(network: nn.Module) -> None:
    """Makes all strided convolutions of `network` compute as `conv2d` does, in place."""
    for part in network.modules():
        if type(part) is nn.Conv2d and max(part.stride) > 1:
            part.__class__ = StridedConv2d


def conv2d(pixels: Tensor, weight: Tensor, bias: Tensor | None, conv: nn.Conv2d) -> Tensor:
    """Applies `conv` to `pixels` (B, C, H, W) with the given weights.

    `pixels` must be padded already: the padding of `conv` itself is not applied.
    """
    (down, across), (below, beside) = conv.stride, conv.dilation
    span = beside * (weight.shape[-1] - 1) + 1
    if pixels.is_cpu and across > 1 and pixels.shape[-1] < span + across:
        turned = functional.conv2d(pixels.mT, weight.mT, bias, (across, down), 0, (beside, below), conv.groups)
        return turned.mT
    return functional.conv2d(pixels, weight, bias, conv.stride, 0, conv.dilation, conv.groups)


class StridedConv2d(nn.Conv2d):
    """A strided convolution that computes as `conv2d` does."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not isinstance(self.padding, str) and any(self.padding):
            down, across = self.padding
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            input = functional.pad(input, (across, across, down, down), mode=mode)
        return conv2d(input, weight, bias, self)

"""Weights kept in 16 bits and computed with in float32, layer by layer, where memory is short and the CPU multiplies
neither fp16 nor bf16 quickly.

Each layer widens its weights for its own call alone, so that the memory needed is that of 16 bits and of one layer in
32. The numbers are exactly those of a network in float32 whose weights were rounded to what is kept.

diffusers' layerwise casting is for networks that were loaded in the number type that they compute in, which is what
there is no memory for: whatever it skips stays as it was loaded. It also skips every layer in a norm, a quarter of
FLUX's weights, and casts all others twice a call.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from webui.engine.convolution import StridedConv2d


class _WideLinear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight.float(), _wide(self.bias))


class _WideEmbedding(nn.Embedding):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).float()


class _WideConv1d(nn.Conv1d):
    def forward(self, input: Tensor) -> Tensor:
        return _convolved(self, input)


class _WideConv2d(nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:
        return _convolved(self, input)


class _WideConv3d(nn.Conv3d):
    def forward(self, input: Tensor) -> Tensor:
        return _convolved(self, input)


class _WideStridedConv2d(StridedConv2d):
    def forward(self, input: Tensor) -> Tensor:
        return _convolved(self, input)


def _convolved(layer: Any, input: Tensor) -> Tensor:
    convolved: Tensor = layer._conv_forward(input, layer.weight.float(), _wide(layer.bias))
    return convolved


# Of exactly these classes: a subclass may do more with its weights.
_WIDE: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: _WideLinear,
    nn.Embedding: _WideEmbedding,
    nn.Conv1d: _WideConv1d,
    nn.Conv2d: _WideConv2d,
    nn.Conv3d: _WideConv3d,
    StridedConv2d: _WideStridedConv2d,
}


def compute_wide(network: nn.Module) -> None:
    """Makes `network`, whose weights have 16 bits, compute in float32, in place. Its `dtype` says float32 from then on.

    Everything but linear layers, convolutions and embeddings is small, and becomes float32; so does what the network
    names as sensitive, part of which looks at the number type of its own weights.
    """
    sensitive = [re.compile(pattern) for pattern in _sensitive(network)]
    for name, layer in network.named_modules():
        wider = _WIDE.get(type(layer))
        if wider is not None and not any(pattern.search(name) for pattern in sensitive):
            layer.__class__ = wider
        else:
            _widen(layer)
    network.__class__ = _computing_wide(type(network))


def _sensitive(network: Any) -> set[str]:
    """Patterns of names, as diffusers and transformers have them. Layers in norms are among them for the sake of 8
    bits; they do not look at their weights, and some are large.
    """
    lists = (getattr(network, name, None) for name in ("_skip_layerwise_casting_patterns", "_keep_in_fp32_modules"))
    return {pattern for found in lists for pattern in found or ()} - {"norm"}


def _widen(layer: nn.Module) -> None:
    for parameter in layer.parameters(recurse=False):
        if parameter.is_floating_point():
            parameter.data = parameter.data.float()
    for name, buffer in list(layer.named_buffers(recurse=False)):
        if buffer.is_floating_point():
            exact = getattr(layer, f"scalar_{name}", None)  # Gemma's scale of embeddings, rounded when it was made
            wide = buffer.float() if exact is None else torch.tensor(exact, dtype=torch.float32)
            setattr(layer, name, wide)


def _computing_wide(kind: Any) -> Any:
    """The same class by its name, whose `dtype` is what it computes in and not what its first weights are kept in."""
    return type(kind.__name__, (kind,), {"__module__": kind.__module__, "dtype": property(lambda _self: torch.float32)})


def _wide(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.float()

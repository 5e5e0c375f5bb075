"""VGG-19's trained weights, from any safetensors file in `models/vgg19/`.

Reads torchvision's tensor names (`features.0.weight`) and timm's (the same, or `features_0.weight` of its feature
extractors). Knows no losses.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from webui.engine.style.vgg import LAYERS, Layer, Vgg19
from webui.errors import WeightsBroken

_NAME = re.compile(r"(?:.*\.)?features[._](\d+)\.(weight|bias)")


def load_vgg19(path: Path, depth: int, device: torch.device, dtype: torch.dtype) -> Vgg19:
    """The first `depth` layers with the weights in `path`, and max pooling, with which they were trained.

    Raises WeightsBroken for a file that is not VGG-19's.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = {match.groups(): name for name in file.keys() if (match := _NAME.fullmatch(name))}  # noqa: SIM118
            weights = [
                (_tensor(file, path, names, layer, "weight"), _tensor(file, path, names, layer, "bias"))
                for layer in LAYERS[:depth]
            ]
    except (SafetensorError, OSError) as error:
        raise WeightsBroken(file=path.name, reason=str(error)) from error
    return Vgg19(weights, pooling="max", origin=path.name, dtype=dtype).to(device)


def _tensor(file: safe_open, path: Path, names: dict[tuple[str, ...], str], layer: Layer, kind: str) -> Tensor:
    name = names.get((str(layer.index), kind))
    if name is None:
        raise WeightsBroken(file=path.name, reason=f"features.{layer.index}.{kind} is missing")
    tensor: Tensor = file.get_tensor(name)  # type: ignore[no-untyped-call]
    shape = (layer.outputs, layer.inputs, 3, 3) if kind == "weight" else (layer.outputs,)
    if tuple(tensor.shape) != shape or not tensor.is_floating_point():
        raise WeightsBroken(
            file=path.name, reason=f"{name} is {tensor.dtype} {tuple(tensor.shape)}, VGG-19 has {shape}"
        )
    if not bool(torch.isfinite(tensor.float()).all()):
        raise WeightsBroken(file=path.name, reason=f"{name} is not finite")
    return tensor.float()

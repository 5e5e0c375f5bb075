"""Weights that were scaled to fit into eight bits: finds the tensor with the scale of each, from a file's header.

ComfyUI writes `X.scale_weight` beside `X.weight` (and a tensor `scaled_fp8` as a mark), newer versions `X.weight_scale`
as in compressed-tensors: one number for all weights, or one for each row. The scales of a layer's input (`scale_input`,
`input_scale`) are for multiplying in eight bits, which is not done here. Any other weight that is not floating point is
packed in a way of its own, and refused. Reads names, types and shapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from webui.checkpoints.refusals import Unrecognised
from webui.checkpoints.safetensors_header import Header, TensorInfo

_SCALES = (".scale_weight", ".weight_scale")
_NOT_NEEDED = re.compile(r"(^|\.)(scale_input|input_scale|scaled_fp8|comfy_quant)$")
_OTHER_SCALES = re.compile(
    r"(scale_weight|weight_scale\w*|weight_zero_point|weight_packed|qweight|qzeros)$|\.weight\..+$"
)
FLOATS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})  # that are numbers by themselves
_FORMATS = ("float8_e4m3fn", "float8_e5m2")  # of `_quantization_metadata` and `comfy_quant`
QUANTISED = "quantised"


def scales_of(header: Header) -> dict[str, str]:
    """The name of the scale of each weight that has one. Raises Unrecognised with `quantised`."""
    _check_formats(header.metadata)
    scales = {}
    for name, info in header.tensors.items():
        ending = next((one for one in _SCALES if name.endswith(one)), None)
        if ending is not None:
            weight = name.removesuffix(ending) + ".weight"
            if weight in scales or not _fits(info, header.tensors.get(weight)):
                raise Unrecognised(QUANTISED)
            scales[weight] = name
        elif _OTHER_SCALES.search(name) or (name.endswith("weight") and info.dtype not in FLOATS):
            raise Unrecognised(QUANTISED)
    return scales


def is_needed(name: str) -> bool:
    """Whether a tensor is a weight itself, and not an addition to one."""
    return not name.endswith(_SCALES) and not _NOT_NEEDED.search(name)


def check_format(text: str) -> None:
    """Checks the text of a layer's `comfy_quant`, or a layer's entry in the metadata. Raises Unrecognised with
    `quantised`.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("format") not in _FORMATS or said.get("convrot"):
        raise Unrecognised(QUANTISED)


def _check_formats(metadata: Mapping[str, str]) -> None:
    try:
        said = json.loads(metadata.get("_quantization_metadata", "{}"))
    except (ValueError, RecursionError):
        said = None
    layers = said.get("layers", {}) if isinstance(said, dict) else None
    if not isinstance(layers, dict):
        raise Unrecognised(QUANTISED)
    for layer in layers.values():
        check_format(json.dumps(layer))


def _fits(scale: TensorInfo, weight: TensorInfo | None) -> bool:
    """Whether the scale is one number, or one for each row of the weights."""
    if weight is None or weight.dtype not in FLOATS or scale.dtype not in FLOATS or not weight.shape:
        return False
    if all(length == 1 for length in scale.shape):
        return True
    return scale.shape[0] == weight.shape[0] and all(length == 1 for length in scale.shape[1:])

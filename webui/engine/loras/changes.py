"""What a LoRA's file says of one layer, and the change of that layer's weights that it stands for.

LoRA (Hu et al. 2021, arXiv:2106.09685): ΔW = α/r · B A with `down` A and `up` B; for convolutions as LoCon has it,
with Tucker's core as `mid`. LoHa (Hyeon-Woo et al. 2022, arXiv:2108.06098): the Hadamard product of two of these. LoKr
(Yeh et al. 2024, arXiv:2309.14859): the Kronecker product of two. Knows tensors, no files and no networks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

# The end of a tensor's name, and what it is; kohya's trainer, LyCORIS, PEFT and diffusers each have their own names.
_ENDINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern + "$"), role)
    for pattern, role in (
        (r"[._]lora_down\.weight", "down"),
        (r"[._]lora_up\.weight", "up"),
        (r"[._]lora_mid\.weight", "mid"),
        (r"\.lora_A(?:\.default)?\.weight", "down"),
        (r"\.lora_B(?:\.default)?\.weight", "up"),
        (r"(?:[._]lora|\.lora_linear_layer)\.down\.weight", "down"),
        (r"(?:[._]lora|\.lora_linear_layer)\.up\.weight", "up"),
        (r"\.alpha", "alpha"),
        (r"\.(hada_w[12]_[ab]|hada_t[12])", ""),
        (r"\.(lokr_w[12](?:_[ab])?|lokr_t2)", ""),
    )
)
_KINDS = (
    frozenset({"down", "up", "mid"}),
    frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"}),
    frozenset({"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"}),
)


@dataclass
class LayerChange:
    """The tensors for one layer by role, and `alpha` where the file has one."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    alpha: float | None = None

    def delta(self, shape: torch.Size, device: torch.device) -> Tensor:
        """ΔW of `shape`, float32. Raises ValueError where the tensors do not make one, KeyError where one lacks."""
        rank: int | None
        parts = {role: tensor.to(device, torch.float32) for role, tensor in self.tensors.items()}
        try:
            if "up" in parts or "down" in parts:
                delta, rank = _lora(parts)
            elif "hada_w1_a" in parts:
                delta, rank = _loha(parts)
            else:
                delta, rank = _lokr(parts)
            scale = 1.0 if self.alpha is None or rank is None else self.alpha / rank
            return delta.reshape(shape) * scale
        except RuntimeError as error:  # of sizes that do not go together
            raise ValueError(str(error)) from error


def by_layer(tensors: Mapping[str, Tensor]) -> dict[str, LayerChange]:
    """A file's tensors by the layer that they change, under the name that the file has for it.

    Raises ValueError for a tensor of a kind that is not known: leaving it out would be another LoRA.
    """
    layers: dict[str, LayerChange] = {}
    for name, tensor in tensors.items():
        layer, role = _split(name)
        change = layers.setdefault(layer, LayerChange())
        if role == "alpha":
            change.alpha = float(tensor)
        else:
            change.tensors[role] = tensor
    for layer, change in layers.items():
        if not any(change.tensors.keys() <= kind for kind in _KINDS) or not change.tensors:
            raise ValueError(f"{layer} mixes kinds, or has an alpha alone")
    return layers


def _split(name: str) -> tuple[str, str]:
    for pattern, role in _ENDINGS:
        if match := pattern.search(name):
            return name[: match.start()], role or match[1]
    raise ValueError(f"{name} is of no known kind")


def _lora(parts: dict[str, Tensor]) -> tuple[Tensor, int]:
    up, down = parts["up"].flatten(1), parts["down"].flatten(1)
    rank = down.shape[0]
    if "mid" in parts:
        return torch.einsum("nmkl,in,mj->ijkl", parts["mid"], up, down), rank
    return up @ down, rank


def _loha(parts: dict[str, Tensor]) -> tuple[Tensor, int]:
    first = _product(parts["hada_w1_a"], parts["hada_w1_b"], parts.get("hada_t1"))
    second = _product(parts["hada_w2_a"], parts["hada_w2_b"], parts.get("hada_t2"))
    return first * second, parts["hada_w1_b"].shape[0]


def _lokr(parts: dict[str, Tensor]) -> tuple[Tensor, int | None]:
    """The rank is that of the factor that has one; two whole factors have none, and no scale."""
    first = parts["lokr_w1"] if "lokr_w1" in parts else parts["lokr_w1_a"] @ parts["lokr_w1_b"]
    if "lokr_w2" in parts:
        second = parts["lokr_w2"]
    else:
        second = _product(parts["lokr_w2_a"], parts["lokr_w2_b"], parts.get("lokr_t2"))
    ranked = parts.get("lokr_w2_b", parts.get("lokr_w1_b"))
    if second.dim() == 4:
        first = first[..., None, None]
    return torch.kron(first, second), None if ranked is None else ranked.shape[0]


def _product(left: Tensor, right: Tensor, core: Tensor | None) -> Tensor:
    if core is None:
        return left @ right.flatten(1)
    return torch.einsum("ijkl,jr,ip->prkl", core, right, left)

"""What a LoRA's file holds for one layer, and the change of that layer's weights that it stands for.

LoRA (Hu et al. 2021, arXiv:2106.09685): ΔW = α/r · B A with `down` A and `up` B; convolutions as in LoCon, with
Tucker's core as `mid`. LoHa (Hyeon-Woo et al. 2022, arXiv:2108.06098): the Hadamard product of two of these. LoKr (Yeh
et al. 2024, arXiv:2309.14859): the Kronecker product of two. Knows tensors, no files and no networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from webui.checkpoints.lora_kinds import split, unread_kind


@dataclass
class LayerChange:
    """The tensors for one layer by their role, and `alpha` if the file has one."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    alpha: float | None = None

    def delta(self, shape: torch.Size, device: torch.device) -> Tensor:
        """ΔW of the layer's `shape`, float32, on `device`. Raises KeyError if a tensor is missing, ValueError if they
        do not fit.

        The shape is checked before anything is computed: a wrong one could take more memory than there is, and the same
        number of values in another shape is another matrix.
        """
        try:
            planned, _ = self._product(torch.device("meta"))
            if planned.shape[:1] != shape[:1] or planned.numel() != shape.numel():
                raise ValueError(f"shape {tuple(planned.shape)}, not {tuple(shape)}")
            delta, rank = self._product(device)
            scale = 1.0 if self.alpha is None or rank is None else self.alpha / rank
            return delta.reshape(shape) * scale
        except (RuntimeError, IndexError, ZeroDivisionError) as error:  # of sizes that do not go together
            raise ValueError(str(error)) from error

    def _product(self, device: torch.device) -> tuple[Tensor, int | None]:
        """ΔW before scaling, and its rank; on the device `meta` this gives only the shape and takes no memory."""
        parts = {role: tensor.to(device, torch.float32) for role, tensor in self.tensors.items()}
        if "up" in parts or "down" in parts:
            return _lora(parts)
        return _loha(parts) if any(role.startswith("hada") for role in parts) else _lokr(parts)


def by_layer(tensors: Mapping[str, Tensor]) -> dict[str, LayerChange]:
    """Sorts a file's tensors by the layer that they change, under the file's own name for that layer.

    Raises ValueError for a tensor of an unsupported kind: without it, this would be another LoRA.
    """
    kind = unread_kind(tensors, {})
    if kind is not None:
        raise ValueError(f"a layer is of another kind: {kind}")
    layers: dict[str, LayerChange] = {}
    for name, tensor in tensors.items():
        found = split(name)
        if found is None:
            continue
        layer, role = found
        change = layers.setdefault(layer, LayerChange())
        if role == "alpha":
            change.alpha = float(tensor)
        else:
            change.tensors[role] = tensor
    return layers


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
    """The rank is that of whichever factor has one; two full factors have no rank and are not scaled."""
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

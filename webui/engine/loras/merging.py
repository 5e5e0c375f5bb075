"""Merges LoRAs into a checkpoint's weights while pictures ask for them, and restores the weights exactly.

A merged LoRA costs no time at any step. The original weights of each changed layer are kept in the host's memory and
put back; subtracting the change again would leave rounding errors. Knows pipelines and files, no prompts and no jobs.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from webui.checkpoints.addons import Addons, LoraFile
from webui.checkpoints.lora_kinds import adapter_settings
from webui.engine.loras.changes import LayerChange, by_layer
from webui.engine.loras.layers import layers_by_name, plain_name
from webui.errors import LoraUnusable
from webui.prompts.a1111 import Lora

SHORT_DIGITS = 12  # of A1111's `Lora hashes`
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MergedLora:
    """The hash of the LoRA's file, as A1111 computes it, and how many of its `layers` the checkpoint has (`used`)."""

    hash: str
    used: int
    layers: int


@dataclass
class _Merged:
    """What is merged into a pipeline: file, stamp and weights of each LoRA, and the original weights of the changed
    layers.
    """

    key: tuple[Any, ...] = ()
    loras: dict[str, MergedLora] = field(default_factory=dict)
    before: dict[nn.Parameter, Tensor] = field(default_factory=dict)


class LoraMerger:
    """Knows for each pipeline what is merged into it. For use by one thread."""

    def __init__(self, addons: Addons) -> None:
        self._addons = addons
        self._merged: WeakKeyDictionary[Any, _Merged] = WeakKeyDictionary()

    def apply(
        self, pipeline: Any, loras: Sequence[Lora], check: Callable[[], None]
    ) -> tuple[dict[str, MergedLora], bool]:
        """Makes `loras` the ones that are merged into the weights of `pipeline`; if one is named twice, its weights add
        up.

        Returns what was merged, by name, and whether any weight changed. Layers that the checkpoint lacks, or has in
        another size, are skipped. Raises LoraUnusable, also if no layer is left, and whatever `check` raises between
        layers; then no LoRA is merged.
        """
        summed = _summed(loras)
        known = self._addons.loras() if summed else {}
        wanted = [(_file(known, lora), lora) for lora in summed]
        key = tuple((str(file.path), file.stamp, lora.weight, lora.text_weight) for file, lora in wanted)
        state = self._merged.setdefault(pipeline, _Merged())
        if state.key == key:
            return state.loras, False
        _restore(state)
        try:
            layers = layers_by_name(pipeline.components) if wanted else {}
            text_layers = _text_layers(pipeline.components)
            for file, lora in wanted:
                state.loras[lora.name] = _merge(layers, text_layers, file, lora, state.before, check)
        except BaseException:
            _restore(state)
            raise
        state.key = key
        return state.loras, True


def _file(known: Mapping[str, LoraFile], lora: Lora) -> LoraFile:
    if lora.name not in known:
        raise LoraUnusable(name=lora.name, reason="lora_missing")
    file = known[lora.name]
    if file.problem is not None:
        raise LoraUnusable(name=lora.name, reason=file.problem, **({"kind": file.kind} if file.kind else {}))
    return file


def _summed(loras: Sequence[Lora]) -> list[Lora]:
    """One LoRA for each name, with its weights added up; LoRAs whose weights are all 0 are left out."""
    sums: dict[str, Lora] = {}
    for lora in loras:
        known = sums.get(lora.name, Lora(lora.name, 0.0, 0.0))
        sums[lora.name] = Lora(lora.name, known.weight + lora.weight, known.text_weight + lora.text_weight)
    return [lora for lora in sums.values() if lora.weight or lora.text_weight]


def _restore(state: _Merged) -> None:
    with torch.no_grad():
        for parameter, weights in state.before.items():
            parameter.copy_(weights)
    state.key, state.loras, state.before = (), {}, {}


def _merge(
    layers: Mapping[str, nn.Module],
    text_layers: Set[nn.Module],
    file: LoraFile,
    lora: Lora,
    before: dict[nn.Parameter, Tensor],
    check: Callable[[], None],
) -> MergedLora:
    """Adds one LoRA to the weights. `before` receives the original weights of layers that it does not hold yet."""
    digest, changes = _read(file)
    used = 0
    for name, change in changes.items():
        check()
        layer = layers.get(plain_name(name))
        if layer is not None:
            strength = lora.text_weight if layer in text_layers else lora.weight
            used += _add(layer, change, strength, before, lora.name)
    if not used:
        _log.warning("none of the %d layers of the LoRA %s fits", len(changes), lora.name)
        raise LoraUnusable(name=lora.name, reason="lora_fit")
    if used < len(changes):
        _log.warning("using %d of %d layers of the LoRA %s", used, len(changes), lora.name)
    return MergedLora(digest, used, len(changes))


def _add(layer: nn.Module, change: LayerChange, strength: float, before: dict[nn.Parameter, Tensor], name: str) -> bool:
    """Adds the change to the layer if its size fits; returns whether it did."""
    weight: Any = layer.weight
    try:
        delta = change.delta(weight.shape, weight.device)
    except ValueError:
        return False
    except KeyError as error:
        _log.warning("a layer of the LoRA %s lacks %s", name, error)
        raise LoraUnusable(name=name, reason="lora_broken") from error
    if not bool(torch.isfinite(delta).all()):
        raise LoraUnusable(name=name, reason="lora_not_finite")
    if strength:
        with torch.no_grad():
            if weight not in before:
                before[weight] = weight.detach().to("cpu", copy=True)
            weight.copy_(weight.float() + strength * delta)
    return True


def _text_layers(components: Mapping[str, Any]) -> Set[nn.Module]:
    networks = [part for name, part in components.items() if name.startswith("text_encoder") and part is not None]
    return {layer for network in networks for layer in network.modules()}


def _read(file: LoraFile) -> tuple[str, dict[str, LayerChange]]:
    """The hash of the file's tensors, without the header as in A1111, and the changes by layer. Raises LoraUnusable."""
    try:
        with open(file.path, "rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            opened.seek(8 + length)
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        with safe_open(file.path, framework="pt") as tensors:
            metadata = tensors.metadata() or {}
            changes = by_layer({name: tensors.get_tensor(name) for name in tensors.keys()})  # noqa: SIM118 – no mapping
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        _log.warning("the LoRA %s cannot be read: %s", file.name, error)
        raise LoraUnusable(name=file.name, reason="lora_broken") from error
    _take_alphas(changes, metadata)
    return digest[:SHORT_DIGITS], changes


def _take_alphas(changes: dict[str, LayerChange], metadata: Mapping[str, str]) -> None:
    """Takes α from the metadata, where diffusers and PEFT write it for each part of the pipeline or
    for single layers.
    """
    settings = adapter_settings(metadata) or {}
    for layer, change in changes.items():
        part, _, path = layer.partition(".")
        patterns = settings.get(f"{part}.alpha_pattern")
        own = patterns.get(path) if isinstance(patterns, dict) else None
        alpha = settings.get(f"{part}.lora_alpha") if own is None else own
        if change.alpha is None and isinstance(alpha, int | float):
            change.alpha = float(alpha)

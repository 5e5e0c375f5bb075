"""How long a picture of a bundle takes here and whether it fits, from a measurement of the machine; and which three to
show first.

Counted are convolutions and matrix products. What lies between them (normalisations, activations, moving data) is in
one factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from webui.checkpoints.kept_weights import are_kept_narrow
from webui.downloads.bundles import Bundle, Cost
from webui.downloads.machine import Machine

SLOW_SECONDS = 60.0
# SD 1.5's U-Net took 1.66 to 1.77 times what its convolutions and products alone would take: measured on two cores with
# AVX512_BF16 in bf16, three runs, the measurement of the machine beside each.
OVERHEAD = 1.7
_WORKING_BYTES = 1.5e9  # activations, and the program itself
_USABLE = 0.9  # of a memory
_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
Card = Literal["quick", "best", "edits"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """`fits`: the weights find room on the device, or one part after the other beside the machine's memory."""

    seconds: float
    memory_bytes: int
    fits: bool

    @property
    def is_slow(self) -> bool:
        """Whether nobody should be led there."""
        return self.seconds > SLOW_SECONDS


def estimate(bundle: Bundle, costs: Mapping[str, Cost], machine: Machine) -> Estimate:
    """For one picture at the bundle's own settings. A processor decodes with the tiny decoder where there is one."""
    named = bundle.costs
    decoder = named.tiny_decoder if machine.is_cpu and named.tiny_decoder else named.decoder
    calls = ((named.text, 1), (named.network, bundle.evaluations), (decoder, 1))
    seconds = OVERHEAD * sum(count * _seconds(costs[name], machine) for name, count in calls)
    size = _BYTES[machine.precision] * 1e9
    free_bytes = _USABLE * machine.device_memory_bytes
    if machine.is_cpu and machine.precision == "fp32" and are_kept_narrow(size * bundle.parameters_billion, free_bytes):
        size = _BYTES["fp16"] * 1e9
    needed, largest = (
        size * count + _WORKING_BYTES for count in (bundle.parameters_billion, bundle.largest_part_billion)
    )
    fits = needed <= _USABLE * machine.device_memory_bytes or (
        not machine.is_cpu
        and largest <= _USABLE * machine.device_memory_bytes
        and needed <= _USABLE * machine.host_memory_bytes
    )
    return Estimate(seconds=seconds, memory_bytes=int(needed), fits=fits)


def _seconds(cost: Cost, machine: Machine) -> float:
    return 1e12 * (cost.convolution / machine.convolution_flops + cost.matmul / machine.matmul_flops)


def recommend(bundles: Sequence[Bundle], estimates: Mapping[str, Estimate]) -> dict[str, list[Card]]:
    """By id: the cards that a bundle is. The quickest; the best within a minute; the best within a minute at changing
    pictures. Nothing slow, and nothing that does not fit."""
    usable = [bundle for bundle in bundles if not estimates[bundle.id].is_slow and estimates[bundle.id].fits]
    drawing = [bundle for bundle in usable if not bundle.edits]
    editing = [bundle for bundle in usable if bundle.edits]

    def seconds(bundle: Bundle) -> float:
        return estimates[bundle.id].seconds

    found: dict[str, list[Card]] = {}
    if drawing:
        found.setdefault(min(drawing, key=seconds).id, []).append("quick")
        found.setdefault(max(drawing, key=lambda one: (one.quality, -seconds(one))).id, []).append("best")
    if editing:
        found.setdefault(max(editing, key=lambda one: (one.quality, -seconds(one))).id, []).append("edits")
    return found

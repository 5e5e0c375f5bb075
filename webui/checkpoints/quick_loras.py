"""Which LoRA of few steps could make an ordinary checkpoint quick. Reads headers and configs. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping

from webui.capabilities import Capability
from webui.checkpoints.addons import LoraFile
from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.made_for import MadeFor
from webui.checkpoints.text_widths import text_widths

USUAL_STEPS = 4  # that most such LoRAs are best with


def quick_lora_for(checkpoint: Checkpoint, loras: Mapping[str, LoraFile]) -> tuple[str, MadeFor] | None:
    """What a prompt calls it and what it was made for, of the LoRAs by name the one nearest to four steps; None where
    none fits, and for a checkpoint that is quick or small as it is.
    """
    can_be_named = Capability.PROMPT_SYNTAX in FAMILIES[checkpoint.family].capabilities
    if checkpoint.made_for is not None or checkpoint.is_introductory or not can_be_named:
        return None
    found = [
        (name, file.made_for)
        for name, file in loras.items()
        if file.made_for is not None and file.problem is None and file.family == checkpoint.family
    ]
    if not found:
        return None
    width = sum(text_widths(checkpoint))
    fitting = [one for one in found if loras[one[0]].fits(checkpoint.family, width)]
    return min(fitting, key=lambda one: (abs(one[1].steps - USUAL_STEPS), len(one[0]), one[0]), default=None)

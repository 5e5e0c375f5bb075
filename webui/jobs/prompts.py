"""What becomes of a request's prompts when it is submitted: wildcards are settled, and what cannot be is said at once.

Knows the folders of wildcards and LoRAs, no tokens and no engine.
"""

from __future__ import annotations

from pathlib import Path

from webui.capabilities import Capability
from webui.checkpoints.addons import Addons
from webui.checkpoints.families import FAMILIES
from webui.errors import PromptError
from webui.prompts.plain_words import words_to_fit
from webui.prompts.reading import check_prompts
from webui.prompts.settle import settle_prompts
from webui.prompts.wildcards import Wildcards
from webui.requests import SomeDiffusion


class PromptRules:
    """Reads `wildcards/` below the presets folder and `loras/` below the models folder."""

    def __init__(self, models_dir: Path, presets_dir: Path) -> None:
        self._wildcards = Wildcards(presets_dir / "wildcards")
        self._addons = Addons(models_dir)

    def settle(self, request: SomeDiffusion, family: str) -> SomeDiffusion:
        """A request in which only its prompts are open yet, with those settled.

        Raises PromptError for a prompt that cannot be read, and for a LoRA that is missing or made for another family.
        Raises InvalidRequest where the best are to be kept and a prompt says nothing that they could fit.
        """
        settled = settle_prompts(request, self._wildcards)
        has_syntax = Capability.PROMPT_SYNTAX in FAMILIES[family].capabilities
        loras = check_prompts(settled, settled.steps or 1, has_syntax=has_syntax)
        known = self._addons.loras() if loras else {}
        for lora in loras:
            file = known.get(lora.name)
            if file is None or not file.fits(family):
                reason = "prompt_lora_missing" if file is None else "prompt_lora_family"
                raise PromptError(reason=reason, position=lora.position, name=lora.name, field="prompt")
        if settled.keep_best:
            words_to_fit(settled, settled.steps or 1, has_syntax=has_syntax)
        return settled

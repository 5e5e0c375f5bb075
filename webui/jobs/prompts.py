"""Settles the looks and wildcards of a request when it is submitted, or says why it cannot.

Knows the folders of looks, wildcards and LoRAs, no tokens and no engine.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from webui.capabilities import Capability
from webui.checkpoints.addons import Addons, LoraFile
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.made_for import MadeFor
from webui.errors import InvalidRequest, PromptError
from webui.presets import Presets
from webui.prompts.plain_words import words_to_fit
from webui.prompts.reading import check_prompts, loras_in
from webui.prompts.settle import settle_prompts
from webui.prompts.wildcards import Wildcards
from webui.requests import SomeDiffusion
from webui.requests.diffusion import Diffusion, LookText


class PromptRules:
    """Reads `looks/` and `wildcards/` below the presets folder, and the LoRAs that are there."""

    def __init__(self, addons: Addons, presets_dir: Path) -> None:
        self._presets = Presets(presets_dir)
        self._wildcards = Wildcards(presets_dir / "wildcards")
        self._addons = addons

    def settle(self, request: SomeDiffusion, family: str) -> SomeDiffusion:
        """Settles the prompts of a request that has nothing else open.

        Raises PromptError for a prompt that cannot be read, and for a LoRA that is missing, made for another family, or
        of an unsupported kind. Raises InvalidRequest for a look that does not exist, and for a request that keeps the
        best of several although a prompt has no words to fit.
        """
        capabilities = FAMILIES[family].capabilities
        settled = settle_prompts(request, self._wildcards, self._look_texts(request, capabilities))
        has_syntax = Capability.PROMPT_SYNTAX in capabilities
        loras = check_prompts(settled, settled.steps or 1, has_syntax=has_syntax)
        known = self._addons.loras() if loras else {}
        for lora in loras:
            problem = _lora_problem(known.get(lora.name), family)
            if problem:
                raise PromptError(**problem, position=lora.position, name=lora.name, field="prompt")
        if settled.keep_best:
            words_to_fit(settled, settled.steps or 1, has_syntax=has_syntax)
        return settled

    def made_for(self, request: SomeDiffusion, family: str) -> MadeFor | None:
        """What the first LoRA of few steps that stands in the prompt itself was made for, where it fits."""
        try:
            loras = loras_in(request.prompt, request.prompt_dialect)
        except PromptError:  # which `settle` words
            return None
        known = self._addons.loras() if loras else {}
        files = (known.get(lora.name) for lora in loras if lora.weight > 0)
        return next((file.made_for for file in files if file and file.made_for and file.family == family), None)

    def _look_texts(self, request: Diffusion, capabilities: Collection[Capability]) -> tuple[LookText, ...]:
        """The texts of the looks: from the request itself if it was settled before, else from the files."""
        if tuple(look.name for look in request.look_texts) == request.looks:
            return request.look_texts
        texts = []
        for name in request.looks:
            look = self._presets.look(name)
            if look is None:
                raise InvalidRequest(field="looks", reason="no_such_look", name=name)
            text = look.text_for(request.prompt)
            knows_negative_prompts = Capability.NEGATIVE_PROMPT in capabilities
            texts.append(text if knows_negative_prompts else replace(text, negative_prompt=""))
        return tuple(texts)


def _lora_problem(file: LoraFile | None, family: str) -> dict[str, str]:
    """Why a LoRA cannot be used with checkpoints of `family`, as an error's details; empty if it can."""
    if file is None:
        return {"reason": "prompt_lora_missing"}
    if file.problem is not None:
        return {"reason": f"prompt_{file.problem}", **({"kind": file.kind} if file.kind else {})}
    return {} if file.fits(family) else {"reason": "prompt_lora_family"}

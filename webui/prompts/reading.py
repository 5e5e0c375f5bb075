"""How prompts are read, and whether they can be: uses the engine's own parsers, without encoding anything.

Knows the dialects and the request, no files and no tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from webui.errors import PromptError
from webui.prompts import a1111, compel
from webui.prompts.settle import prompts_of
from webui.requests.diffusion import Diffusion


@dataclass(frozen=True)
class Reading:
    """The dialect; `emphasis`, for A1111's dialect only; and `clip_skip`: which layer of CLIP is used, counted from the
    end.
    """

    dialect: Literal["a1111", "compel"] = "a1111"
    emphasis: Literal["original", "no_norm"] = "original"
    clip_skip: int = 1


AS_A1111 = Reading()


def check_prompts(request: Diffusion, steps: int, *, has_syntax: bool) -> tuple[a1111.Lora, ...]:
    """The LoRAs that the prompts of any image ask for, each with its first weights.

    Families without `has_syntax` read prompts as plain text, except for comments and LoRAs. Raises PromptError if a
    prompt cannot be read.
    """
    texts = {
        (field, getattr(prompts_of(request, index), field))
        for index in range(request.num_images)
        for field in ("prompt", "negative_prompt")
    }
    loras: dict[str, a1111.Lora] = {}
    for field, text in sorted(texts):
        try:
            for lora in _check(text, request.prompt_dialect, steps, field == "negative_prompt", has_syntax):
                loras.setdefault(lora.name, lora)
        except PromptError as error:
            raise PromptError(**({"field": field} | error.details)) from error
    return tuple(loras.values())


def as_it_stands(text: str, dialect: str) -> str:
    """What a family without prompt syntax is given: everything but comments and LoRAs."""
    return a1111.take_loras(a1111.without_comments(text))[1] if dialect == "a1111" else text


def loras_in(prompt: str, dialect: str) -> tuple[a1111.Lora, ...]:
    """The LoRAs that a prompt asks for, whatever the family. Raises the same PromptErrors for them
    as `check_prompts`.
    """
    return a1111.take_loras(a1111.without_comments(prompt))[0] if dialect == "a1111" else ()


def _check(text: str, dialect: str, steps: int, is_negative: bool, has_syntax: bool) -> tuple[a1111.Lora, ...]:
    if dialect == "compel":
        if has_syntax:
            compel.parse(text)
        return ()
    if not has_syntax:
        return a1111.take_loras(a1111.without_comments(text), is_negative=is_negative)[0]
    prompt = a1111.parse(text, is_negative=is_negative)
    for part in prompt.parts:
        part.timeline.schedule(steps)
    return prompt.loras

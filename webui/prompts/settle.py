"""Settles the wildcards of a request, for each of its images with that image's own seed.

The request keeps the template; what it became goes beside it, so that a job that waits gives the same pictures also
when the wildcard files have changed meanwhile. Knows requests and wildcards, no checkpoints.
"""

from __future__ import annotations

import dataclasses

from webui.errors import InvalidRequest, PromptError
from webui.prompts.a1111 import without_comments
from webui.prompts.templates import is_template, settle
from webui.prompts.wildcards import Wildcards
from webui.requests import Diffusion, ResolvedPrompt, SomeDiffusion, image_seed


def settle_prompts(request: SomeDiffusion, wildcards: Wildcards) -> SomeDiffusion:
    """The request with `resolved_prompts`, one for each image; None where its prompts are no templates.

    Whatever it had there before is replaced. Raises PromptError as `settle` does, InvalidRequest for an open seed.
    """
    if not is_template(request.prompt) and not is_template(request.negative_prompt):
        return dataclasses.replace(request, resolved_prompts=None) if request.resolved_prompts else request
    if request.seed is None or request.seed < 0:
        raise InvalidRequest(field="seed", reason="seed_open")
    seeds = [image_seed(request.seed, index) for index in range(request.num_images)]
    resolved = tuple(
        ResolvedPrompt(
            prompt=_settled(request, "prompt", seed, wildcards),
            negative_prompt=_settled(request, "negative_prompt", seed, wildcards),
        )
        for seed in seeds
    )
    return dataclasses.replace(request, resolved_prompts=resolved)


def prompts_of(request: Diffusion, index: int) -> ResolvedPrompt:
    """The prompts of image `index` (from 0), as far as they are settled."""
    if request.resolved_prompts is not None and index < len(request.resolved_prompts):
        return request.resolved_prompts[index]
    return ResolvedPrompt(prompt=request.prompt, negative_prompt=request.negative_prompt)


def _settled(request: Diffusion, field: str, seed: int, wildcards: Wildcards) -> str:
    text: str = getattr(request, field)
    if request.prompt_dialect == "a1111":
        text = without_comments(text)  # a wildcard that was commented out is none
    try:
        return settle(text, f"{field} {seed}", wildcards)
    except PromptError as error:
        raise PromptError(**(error.details | {"field": field})) from error

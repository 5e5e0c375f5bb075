"""Settles the looks and wildcards of a request, for each image with its own seed.

The request keeps the template and stores the result beside it, so that it gives the same pictures even after looks and
wildcard files have changed. Knows requests and wildcards, no checkpoints.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable

from webui.errors import InvalidRequest, PromptError
from webui.prompts.a1111 import without_comments
from webui.prompts.templates import is_template, settle
from webui.prompts.wildcards import Wildcards
from webui.requests import SomeDiffusion, image_seed
from webui.requests.diffusion import Diffusion, LookText, ResolvedPrompt
from webui.requests.field_types import MAX_PROMPT_CHARACTERS, is_chinese

DIGEST_DIGITS = 16


def settle_prompts(request: SomeDiffusion, wildcards: Wildcards, looks: tuple[LookText, ...] = ()) -> SomeDiffusion:
    """The request with `looks` as the texts of its looks, and with `resolved_prompts`, one for each image.

    These are None if its prompts are not templates and have no looks. Prompts that were resolved from the same template
    and seed before are kept, others are replaced. Raises PromptError as `settle` does and if a prompt becomes too long,
    and InvalidRequest for an open seed.
    """
    request = dataclasses.replace(request, looks=tuple(look.name for look in looks), look_texts=looks)
    if not looks and not is_template(request.prompt) and not is_template(request.negative_prompt):
        return dataclasses.replace(request, resolved_prompts=None, resolved_from=None)
    if request.seed is None or request.seed < 0:
        raise InvalidRequest(field="seed", reason="seed_open")
    made_of = _digest(request)
    if request.resolved_from == made_of and len(request.resolved_prompts or ()) == request.num_images:
        return request
    prompt, negative_prompt = with_looks(request.prompt, request.negative_prompt, looks)
    seeds = [image_seed(request.seed, index) for index in range(request.num_images)]
    resolved = tuple(
        ResolvedPrompt(
            prompt=_resolved(prompt, request.prompt_dialect, "prompt", seed, wildcards),
            negative_prompt=_resolved(negative_prompt, request.prompt_dialect, "negative_prompt", seed, wildcards),
        )
        for seed in seeds
    )
    return dataclasses.replace(request, resolved_prompts=resolved, resolved_from=made_of)


def with_looks(prompt: str, negative_prompt: str, looks: Iterable[LookText]) -> tuple[str, str]:
    """The prompts with all looks, each around the result of the ones before it.

    With an empty prompt, only the look's words remain; an empty look never leaves a leading comma.
    """
    for look in looks:
        prompt = look.prompt.replace("{prompt}", _closed(prompt.strip(" ,，"))).strip(" ,，")
        comma = "，" if is_chinese(look.prompt) else ", "
        parts = (negative_prompt.strip(" ,，"), look.negative_prompt)
        negative_prompt = comma.join(_closed(part) for part in parts if part)
    return prompt, negative_prompt


def prompts_of(request: Diffusion, index: int) -> ResolvedPrompt:
    """The prompts of image `index` (from 0), as far as they are settled."""
    if request.resolved_prompts is not None and index < len(request.resolved_prompts):
        return request.resolved_prompts[index]
    return ResolvedPrompt(prompt=request.prompt, negative_prompt=request.negative_prompt)


def _closed(text: str) -> str:
    """The text with its last comment ended, so that what a look adds after it is not part of the comment."""
    return f"{text}\n" if "#" in text.rpartition("\n")[2] else text


def _resolved(text: str, dialect: str, field: str, seed: int, wildcards: Wildcards) -> str:
    if dialect == "a1111":
        text = without_comments(text)  # a wildcard that was commented out is none
    try:
        text = settle(text, f"{field} {seed}", wildcards, has_comments=dialect == "a1111")
    except PromptError as error:
        raise PromptError(**(error.details | {"field": field})) from error
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise PromptError(reason="prompt_settled_long", position=0, limit=MAX_PROMPT_CHARACTERS, field=field)
    return text


def _digest(request: Diffusion) -> str:
    """A digest of everything that the prompts of a request's images are made of, except for the files of wildcards."""
    looks = [dataclasses.asdict(look) for look in request.look_texts]
    made_of = (request.prompt, request.negative_prompt, request.prompt_dialect, request.seed, request.num_images, looks)
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:DIGEST_DIGITS]

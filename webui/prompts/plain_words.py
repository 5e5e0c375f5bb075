"""A prompt as plain words, for a model that judges pictures by them: what the picture should show, without syntax.

Left out are comments, LoRAs, weights, brackets and `BREAK`; prompts joined by `AND` with a weight of 0 or less; and of
what changes from step to step, everything but its last state, in which the picture was finished. Names of embeddings
stay, as ordinary words. The negative prompt is ignored. The text is not cut: CLIP reads the first 75 tokens, and the
critic sees to that. Knows no tokens and no files.
"""

from __future__ import annotations

from webui.errors import InvalidRequest
from webui.prompts import a1111, compel
from webui.prompts.attention import attention
from webui.prompts.lexer import Fragment
from webui.prompts.reading import as_it_stands
from webui.prompts.settle import prompts_of
from webui.requests.diffusion import Diffusion


def words_to_fit(request: Diffusion, steps: int, *, has_syntax: bool) -> tuple[str, ...]:
    """The words of each image's own prompt, for a request with settled wildcards.

    Raises InvalidRequest if an image has no words, since no picture could then fit it, and PromptError as the dialects
    do.
    """
    found = {
        prompt: plain_words(prompt, request.prompt_dialect, steps, has_syntax=has_syntax)
        for prompt in {prompts_of(request, index).prompt for index in range(request.num_images)}
    }
    if not all(found.values()):
        raise InvalidRequest(field="keep_best", reason="nothing_to_fit")
    return tuple(found[prompts_of(request, index).prompt] for index in range(request.num_images))


def plain_words(text: str, dialect: str, steps: int, *, has_syntax: bool) -> str:
    """`text` without its syntax, as it is at the last of `steps` steps. Raises PromptError as the dialects do.

    >>> plain_words("a (red:1.3) [cat:fox:0.5], <lora:fur:0.8> ((snow))", "a1111", 20, has_syntax=True)
    'a red fox, snow'
    """
    if not has_syntax:
        return _joined([as_it_stands(text, dialect)])
    if dialect == "compel":
        return _joined([compel.parse(text).plain_text])
    parts = [part for part in a1111.parse(text).parts if part.weight > 0]
    last = [part.timeline.schedule(steps)[-1][1] for part in parts]
    return _joined([_unweighted([fragment for section in attention(text) for fragment in section]) for text in last])


def _unweighted(fragments: list[Fragment]) -> str:
    return "".join(f" {fragment.text}" for fragment in fragments if fragment.weight > 0)


def _joined(texts: list[str]) -> str:
    """One line, with one space between words and none before a comma."""
    return ", ".join(" ".join(text.split()).replace(" ,", ",") for text in texts if text.strip(" ,\n\t")).strip()

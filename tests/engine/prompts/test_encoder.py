"""Embeddings: exactly the pipelines' own for plain prompts in both dialects; compel's weights, blends and lengths."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline

from webui.engine.prompts.encoder import PromptEmbeds, PromptEncoder, Reading
from webui.errors import Cancelled

COMPEL = Reading("compel")
NEVER: Callable[[], None] = lambda: None  # noqa: E731


@pytest.fixture(scope="module", params=["toy-sd15", "toy-sd2", "toy-sdxl"])
def pipeline(request: pytest.FixtureRequest, toy_models: Path) -> Any:
    return DiffusionPipeline.from_pretrained(toy_models / request.param)


def encode(
    pipeline: Any, prompt: str, negative_prompt: str = "", *, is_guided: bool = True, reading: Reading = COMPEL
) -> PromptEmbeds:
    with torch.inference_mode():
        return PromptEncoder().encode(
            pipeline, prompt, negative_prompt, is_guided=is_guided, check=NEVER, reading=reading
        )


@pytest.mark.parametrize("reading", [COMPEL, Reading(), Reading("a1111", "no_norm")], ids=str)
@pytest.mark.parametrize(("prompt", "negative"), [("a cat on a red lake, night", "dog"), ("photo", ""), ("", "")])
def test_a_plain_prompt_is_what_the_pipeline_makes_of_it(
    pipeline: Any, prompt: str, negative: str, reading: Reading
) -> None:
    ours = encode(pipeline, prompt, negative, reading=reading)
    with torch.inference_mode():
        if hasattr(pipeline, "text_encoder_2"):
            theirs = pipeline.encode_prompt(
                prompt, device="cpu", do_classifier_free_guidance=True, negative_prompt=negative or None
            )
            assert torch.equal(ours.pooled_prompt_embeds, theirs[2])
            assert torch.equal(ours.negative_pooled_prompt_embeds, theirs[3])
        else:
            theirs = pipeline.encode_prompt(prompt, "cpu", 1, True, negative)
    assert torch.equal(ours.prompt_embeds, theirs[0])
    assert torch.equal(ours.negative_prompt_embeds, theirs[1])


def test_weights_change_the_embeddings_by_degrees(pipeline: Any) -> None:
    plain = encode(pipeline, "a cat on a lake").prompt_embeds

    def distance(prompt: str) -> float:
        embeds = encode(pipeline, prompt).prompt_embeds
        assert embeds.shape == plain.shape
        return float((embeds - plain).norm())

    assert 0 < distance("a cat+ on a lake") < distance("a cat++++ on a lake")
    assert 0 < distance("a cat- on a lake") < distance("a cat---- on a lake")
    assert distance("(a cat on a lake)1.0") == 0
    assert distance('("a cat on a lake", "a dog").blend(1, 0)') < 1e-4
    assert distance('("a cat on a lake", "a dog").blend(1, 1)') > 0


def test_long_prompts_are_not_cut_and_both_sides_are_equally_long(pipeline: Any) -> None:
    short = encode(pipeline, "a cat", "dog").prompt_embeds
    long = encode(pipeline, "a red cat on a lake at night, " * 20 + "a dog", "dog")
    assert long.prompt_embeds.shape[1] > short.shape[1]
    assert long.prompt_embeds.shape == long.negative_prompt_embeds.shape
    other = encode(pipeline, "a red cat on a lake at night, " * 20 + "a cat", "dog")
    assert not torch.equal(long.prompt_embeds, other.prompt_embeds)  # the last word counts
    both = encode(pipeline, '("a cat", "a dog").and()')
    assert both.prompt_embeds.shape[1] == 2 * short.shape[1]


def test_without_guidance_there_is_no_negative_side(pipeline: Any) -> None:
    ours = encode(pipeline, "a cat", "dog", is_guided=False)
    assert ours.negative_prompt_embeds is None
    assert ours.negative_pooled_prompt_embeds is None


@pytest.mark.parametrize("reading", [COMPEL, Reading()], ids=str)
def test_no_text_makes_it_fall(pipeline: Any, reading: Reading) -> None:
    chosen = random.Random(0)
    pieces = ["a ", "cat", "! ", "!", "!!- ", "+ ", "(", ")", "1.3 ", ". ", ", ", "<|endoftext|> ", "é", "湖", '"']
    pieces += ["[", "]", "|", ":", "(a:1.2)", "BREAK ", " AND ", "\\", "[a:b:.5]"]
    for length in (1, 2, 3, 5, 8, 13, 40, 120):
        text = "".join(chosen.choices(pieces, k=length))
        assert bool(encode(pipeline, text, "x", reading=reading).prompt_embeds.isfinite().all()), text


def test_encodings_are_kept_for_as_long_as_their_encoder(pipeline: Any) -> None:
    encoder = PromptEncoder()
    passes: list[int] = []
    hook = pipeline.text_encoder.register_forward_pre_hook(lambda _module, _inputs: passes.append(1))
    try:
        for _ in range(3):
            encoder.encode(pipeline, "a cat+", "dog", is_guided=True, check=NEVER, reading=COMPEL)
            once = len(passes)
        assert len(passes) == once
        encoder.encode(pipeline, "another", "dog", is_guided=True, check=NEVER)
        assert len(passes) > once
    finally:
        hook.remove()


def test_it_can_be_stopped(pipeline: Any) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        PromptEncoder().encode(pipeline, "a cat", "", is_guided=True, check=stop)

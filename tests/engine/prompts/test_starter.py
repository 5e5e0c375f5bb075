"""The dialect on the starter's own text encoder: what is heard at each step, and what changes nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import CLIPTextModel, CLIPTokenizer

from webui.engine.prompts.encoder import PromptEmbeds, PromptEncoder, Reading
from webui.prompts.reading import AS_A1111
from webui.settings import ROOT

STARTER = ROOT / "models" / "starter"


@pytest.fixture(scope="module")
def pipeline() -> Any:
    """Its tokenizer and text encoder alone."""
    return SimpleNamespace(
        tokenizer=CLIPTokenizer.from_pretrained(STARTER / "tokenizer"),
        text_encoder=CLIPTextModel.from_pretrained(STARTER / "text_encoder").float().eval(),
        unet=SimpleNamespace(config=SimpleNamespace()),
        config=SimpleNamespace(force_zeros_for_empty_prompt=False),
    )


def heard(pipeline: Any, prompt: str, steps: int = 4, reading: Reading = AS_A1111) -> tuple[PromptEmbeds, ...]:
    with torch.inference_mode():
        return PromptEncoder().schedule(
            pipeline, prompt, "snow", steps=steps, is_guided=True, check=lambda: None, reading=reading
        )


def one(pipeline: Any, prompt: str, reading: Reading = AS_A1111) -> torch.Tensor:
    return heard(pipeline, prompt, 1, reading)[0].prompt_embeds


def test_what_changes_nothing(pipeline: Any) -> None:
    plain = one(pipeline, "a calm lake at sunset")
    assert torch.equal(one(pipeline, "a calm (lake:1.0) at sunset # snow"), plain)
    assert torch.equal(one(pipeline, "a calm lake at sunset", Reading("compel")), plain)
    chinese = one(pipeline, "秋树环绕的宁静湖泊")
    assert torch.equal(one(pipeline, "秋树环绕的宁静湖泊", Reading("compel")), chinese)
    assert torch.equal(one(pipeline, "(秋树环绕的宁静湖泊:1.0)"), chinese)


def test_a_weight_moves_its_word_and_keeps_the_mean(pipeline: Any) -> None:
    plain, heavy = one(pipeline, "a calm lake at sunset"), one(pipeline, "a calm (lake:1.4) at sunset")
    loose = one(pipeline, "a calm (lake:1.4) at sunset", Reading("a1111", "no_norm"))
    assert torch.allclose(loose[:, 3], plain[:, 3] * 1.4, atol=1e-5)
    assert torch.equal(loose[:, 4:], plain[:, 4:])
    assert float(heavy.mean()) == pytest.approx(float(plain.mean()), rel=1e-3)
    assert float(loose.mean()) != pytest.approx(float(plain.mean()), rel=1e-4)


def test_each_step_hears_what_the_schedule_says(pipeline: Any) -> None:
    steps = heard(pipeline, "a [lake:forest:0.5] at [sunset|night]")
    texts = ["a lake at sunset", "a lake at night", "a forest at sunset", "a forest at night"]
    for step, text in zip(steps, texts, strict=True):
        assert torch.equal(step.prompt_embeds, one(pipeline, text)), text
    assert len({id(step) for step in steps}) == 4


def test_and_keeps_its_parts_apart(pipeline: Any) -> None:
    (step,) = heard(pipeline, "a lake AND snow :0.6", 1)
    assert step.weights == (1.0, 0.6)
    assert torch.equal(step.prompt_embeds[:1], one(pipeline, "a lake"))
    assert torch.equal(step.prompt_embeds[1:], one(pipeline, "snow"))

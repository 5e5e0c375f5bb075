"""Prompts when a job is submitted: wildcards settled for each image, the unreadable refused, LoRAs never ignored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.checkpoints.test_addons import KOHYA, save
from webui.checkpoints.addons import Addons
from webui.errors import InvalidRequest, PromptError
from webui.jobs.prompts import PromptRules
from webui.prompts.settle import prompts_of, settle_prompts
from webui.prompts.wildcards import Wildcards
from webui.requests import from_dict, to_dict
from webui.requests.diffusion import ResolvedPrompt, TextToImage
from webui.requests.field_types import MAX_SEED

REQUEST = TextToImage(prompt="a cat", seed=5, steps=20)


@pytest.fixture
def rules(tmp_path: Path) -> PromptRules:
    folder = tmp_path / "presets" / "wildcards"
    folder.mkdir(parents=True)
    (folder / "animal.txt").write_text("\n".join(f"animal {n}" for n in range(1000)), encoding="utf-8")
    for name, width in (("ink", 768), ("inkxl", 2048)):
        save(tmp_path / "models" / "loras" / f"{name}.safetensors", {KOHYA: (4, width)})
    save(tmp_path / "models" / "loras" / "dora.safetensors", {KOHYA: (4, 768), "lora_unet_a.dora_scale": (4,)})
    (tmp_path / "models" / "loras" / "cut.safetensors").write_bytes(b"<html>")
    return PromptRules(Addons(tmp_path / "models"), tmp_path / "presets")


def settled(rules: PromptRules, family: str = "sd15", **values: object) -> TextToImage:
    return rules.settle(replace(REQUEST, **values), family)


def test_every_image_has_its_own_choice_by_its_own_seed(rules: PromptRules) -> None:
    request = settled(rules, prompt="a __animal__", negative_prompt="{x|y} __animal__", num_images=4)
    assert (request.prompt, request.negative_prompt) == ("a __animal__", "{x|y} __animal__")
    assert request.resolved_prompts is not None
    assert len({own.prompt for own in request.resolved_prompts}) == 4
    assert all(own.prompt.removeprefix("a ") not in own.negative_prompt for own in request.resolved_prompts)
    third = settled(rules, prompt="a __animal__", negative_prompt="{x|y} __animal__", seed=7)
    assert third.resolved_prompts == request.resolved_prompts[2:3]
    assert prompts_of(request, 2) == request.resolved_prompts[2]
    assert from_dict(to_dict(request)) == request


def test_seeds_begin_again_at_the_end(rules: PromptRules) -> None:
    request = settled(rules, prompt="__animal__", seed=MAX_SEED, num_images=2)
    assert request.resolved_prompts is not None
    assert request.resolved_prompts[1:] == settled(rules, prompt="__animal__", seed=0).resolved_prompts


def test_a_prompt_without_wildcards_stays_as_it_is(rules: PromptRules) -> None:
    assert settled(rules) == REQUEST
    forged = (ResolvedPrompt(prompt="something else"),)
    assert settled(rules, resolved_prompts=forged) == REQUEST
    assert settled(rules, prompt="{a}", resolved_prompts=forged).resolved_prompts == (ResolvedPrompt(prompt="a"),)
    assert prompts_of(REQUEST, 3) == ResolvedPrompt(prompt="a cat")


def test_a_wildcard_in_a_comment_is_none(rules: PromptRules) -> None:
    request = settled(rules, prompt="a {cat} # __nothing__\nb")
    assert request.resolved_prompts is not None
    assert request.resolved_prompts[0].prompt.split() == ["a", "cat", "b"]
    with pytest.raises(PromptError):
        settled(rules, prompt="a # __nothing__", prompt_dialect="compel")


def test_an_open_seed_settles_nothing(rules: PromptRules) -> None:
    with pytest.raises(InvalidRequest):
        settle_prompts(TextToImage(prompt="{a|b}"), Wildcards(Path("nowhere")))


@pytest.mark.parametrize(
    ("values", "reason", "field"),
    [
        ({"prompt": "__nothing__"}, "prompt_wildcard", "prompt"),
        ({"negative_prompt": "__nothing__"}, "prompt_wildcard", "negative_prompt"),
        ({"prompt": "<lora:nothing:1>"}, "prompt_lora_missing", "prompt"),
        ({"prompt": "<lora:../../etc/passwd:1>"}, "prompt_lora_missing", "prompt"),
        ({"prompt": "{<lora:inkxl:0.8>}"}, "prompt_lora_family", "prompt"),
        ({"prompt": "<lora:dora:1>"}, "prompt_lora_kind", "prompt"),
        ({"prompt": "<lora:ink:1><lora:cut:1>"}, "prompt_lora_broken", "prompt"),
        ({"prompt": "<lora:ink:1> <lora:nothing:1>"}, "prompt_lora_missing", "prompt"),
        ({"negative_prompt": "<lora:ink:1>"}, "prompt_lora_negative", "negative_prompt"),
        ({"negative_prompt": "[a|b]" * 200}, "prompt_changes", "negative_prompt"),
        ({"prompt": "[a|b|c|d|e|f|g]" + "x" * 9_900}, "prompt_changes_long", "prompt"),
        ({"prompt": '("a", "b").blend(1)', "prompt_dialect": "compel"}, "prompt_weights_count", "prompt"),
    ],
)
def test_what_cannot_be_is_refused(rules: PromptRules, values: dict[str, object], reason: str, field: str) -> None:
    with pytest.raises(PromptError) as caught:
        settled(rules, **values)
    assert (caught.value.details["reason"], caught.value.details["field"]) == (reason, field)


def test_a_lora_that_is_there_stays_in_the_prompt(rules: PromptRules) -> None:
    assert settled(rules, prompt="<lora:ink:0.8> a").prompt == "<lora:ink:0.8> a"


def test_families_that_are_no_unets_read_prompts_as_they_stand(rules: PromptRules) -> None:
    assert settled(rules, "FluxPipeline", prompt="[a|b]" * 200).prompt == "[a|b]" * 200
    with pytest.raises(PromptError):
        settled(rules, "FluxPipeline", prompt="<lora:ink:1>")
    compel = {"prompt": "<lora:ink:1> is text here", "prompt_dialect": "compel"}
    assert settled(rules, **compel).prompt == compel["prompt"]


def test_old_requests_keep_their_dialect_and_new_ones_are_a1111() -> None:
    assert TextToImage().prompt_dialect == "a1111"
    old = {"task": "text_to_image", "schema_version": 1, "prompt": "a (red)1.3 fox", "prompt_dialect": "compel"}
    request = from_dict(old)
    assert isinstance(request, TextToImage)
    assert (request.prompt_dialect, request.emphasis, request.resolved_prompts) == ("compel", "original", None)

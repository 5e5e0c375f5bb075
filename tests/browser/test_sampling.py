"""The fold Sampling and the closed negative prompt: what is set in them is sent, kept, given back and never secret."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.studio import ROOT, Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

CHOSEN: dict[str, Any] = {
    "clip_skip": 2, "variation_strength": 0.3, "variation_seed": 77, "guidance_rescale": 0.7, "guidance_start": 0.2,
    "eta": 0.5, "tiling": "x", "emphasis": "no_norm",
}  # fmt: skip
LABELS = {
    "Clip skip": "2", "Variation strength": "0.3", "Variation seed": "77", "Guidance rescale": "0.7",
    "Guidance start": "0.2", "Eta": "0.5", "Tiling": "Across", "Emphasis": "No norm",
}  # fmt: skip

# In the order of the fold.
TOLD = ("Clip skip", "Variation seed", "Variation strength", "Guidance rescale", "Guidance start", "Eta", "Tiling",
        "Emphasis")  # fmt: skip


def head(visit: Visit) -> Any:
    return visit.page.locator(".fold[aria-controls=sampling]")


def choose(visit: Visit) -> None:
    """Sets all of CHOSEN by hand."""
    for name in ("Clip skip", "Variation strength", "Guidance rescale", "Guidance start", "Eta"):
        visit.set_number(f"{name} value", LABELS[name])
    expect(visit.control("Variation seed")).to_be_enabled()
    visit.set_number("Variation seed", "77")
    for name in ("tiling", "emphasis"):
        visit.page.locator(f"#{name}").get_by_label(LABELS[name.capitalize()]).check()


def pick_scheduler(visit: Visit, name: str) -> None:
    visit.choose("Scheduler", name)


def request_of(visit: Visit, job: str) -> dict[str, Any]:
    script = "async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request"
    return dict(visit.page.evaluate(script, job))


def test_all_that_is_set_is_sent_kept_and_given_back(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    expect(visit.control("Scheduler")).to_be_visible()
    expect(visit.page.locator("#clip_skip")).to_be_hidden()
    head(visit).click()
    expect(head(visit)).to_have_attribute("aria-expanded", "true")
    choose(visit)
    expect(head(visit)).to_have_text("Sampling8 changed")
    head(visit).click()
    expect(visit.page.locator("#clip_skip")).to_be_hidden()
    expect(head(visit)).to_have_attribute("title", ", ".join(f"{name} {LABELS[name]}" for name in TOLD))
    visit.write("all of it steps=2")
    sent = request_of(visit, visit.generate())
    assert {name: sent[name] for name in CHOSEN} == CHOSEN
    visit.wait_state("finished")
    visit.page.reload()
    expect(head(visit)).to_have_text("Sampling8 changed")
    visit.page.locator(".fold-back").click()
    expect(head(visit)).to_have_text("Sampling")
    assert visit.page.evaluate("() => document.activeElement.matches('.fold')"), "the button is gone, focus is not"
    plain = request_of(visit, visit.generate())
    assert {name: plain[name] for name in CHOSEN} == {
        "clip_skip": 1, "variation_strength": 0, "variation_seed": None, "guidance_rescale": 0, "guidance_start": 0,
        "eta": None, "tiling": "none", "emphasis": "original",
    }  # fmt: skip
    visit.wait_state("finished")
    visit.page.locator(".rail-list .thumb").nth(1).click()
    visit.button("Details").click()
    told = visit.page.locator(".details dl").inner_text().split("\n")
    assert [name for name in LABELS if told[told.index(name) + 1] != LABELS[name]] == []
    visit.button("Use these settings").click()
    expect(head(visit)).to_have_text("Sampling8 changed")


def test_what_has_no_effect_is_grey_says_why_and_is_not_sent(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    head(visit).click()
    page = visit.page
    expect(page.locator("#variation_seed input")).to_be_disabled()
    expect(page.locator("#clip_skip input[type=range]")).to_have_attribute("max", "3")
    visit.set_number("Eta value", "0.5")
    pick_scheduler(visit, "DPM++ 2M")
    expect(page.locator("#eta input[type=number]")).to_be_disabled()
    expect(page.locator("#eta input[type=number]")).to_have_attribute("aria-describedby", "why_eta")
    expect(page.locator("#why_eta")).to_have_text(
        "This scheduler’s noise cannot be changed; only Euler a, DPM2 a and DDIM have an eta."
    )
    page.locator("#emphasis").get_by_label("No norm").check()
    page.locator("#prompt_dialect").get_by_label("Compel").check()
    expect(page.locator("#emphasis input").first).to_be_disabled()
    expect(head(visit)).to_have_text("Sampling2 changed")  # the scheduler and the dialect; the rest does nothing
    visit.write("a sunset+ steps=2")
    sent = request_of(visit, visit.generate())
    assert (sent["scheduler"], sent["eta"], sent["emphasis"], sent["prompt_dialect"]) == (
        "dpmpp_2m", None, "original", "compel",
    )  # fmt: skip
    pick_scheduler(visit, "DDIM")
    expect(page.locator("#sigmas select")).to_be_disabled()
    expect(page.locator("#why_scheduler")).to_have_text("This scheduler works only with the checkpoint’s own sigmas.")
    expect(page.locator("#eta input[type=number]")).to_be_enabled()
    visit.set_number("Guidance end value", "0.4")
    visit.set_number("Guidance start value", "0.6")
    expect(visit.control("Guidance end value")).to_have_value("0.65")  # the interval is never empty
    visit.set_number("Guidance end value", "0.3")
    expect(visit.control("Guidance start value")).to_have_value("0.25")
    visit.set_number("Guidance scale value", "1")
    expect(page.locator("#guidance_end input[type=number]")).to_be_disabled()
    expect(page.locator("#why_guidance_rescale")).to_be_hidden()  # the same sentence stands below its neighbours
    expect(page.locator("#why_guidance_start")).to_contain_text("There is no guidance")


def test_the_negative_prompt_opens_when_it_is_used(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    box = visit.control("Negative prompt")
    closed = visit.page.locator("#negative_prompt").bounding_box()
    box.click()
    opened = visit.page.locator("#negative_prompt").bounding_box()
    assert closed is not None
    assert opened is not None
    assert opened["height"] > closed["height"]
    visit.page.locator("#ratio").get_by_label("4:3").check()  # the click that leaves it is not lost
    expect(visit.page.locator("html")).to_have_attribute("data-negative", "")
    box.fill("fog")
    visit.control("Prompt").click()
    expect(visit.page.locator("html")).to_have_attribute("data-negative", "open")


@pytest.fixture(scope="module")
def two_families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The starter, and a folder of a family with other rules, whose weights nobody will ever load."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(ROOT / "models" / "starter", folder / "starter", ignore=shutil.ignore_patterns("recipe"))
    flux = folder / "flux"
    flux.mkdir()
    lay_out_flux(flux, folder / "starter" / "vae")
    flags = ("--models-dir", str(folder))
    with Studio(tmp_path_factory.mktemp("families"), is_real=False, flags=flags) as studio:
        yield studio


def lay_out_flux(folder: Path, vae: Path) -> None:
    """What the catalogue reads of FLUX.1 dev: an index and configs."""
    shutil.copytree(vae, folder / "vae")
    shutil.copytree(vae, folder / "transformer")
    (folder / "transformer" / "config.json").write_text('{"guidance_embeds": true}', "utf-8")
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text("{}", "utf-8")
    index = {
        "_class_name": "FluxPipeline",
        "vae": ["diffusers", "AutoencoderKL"],
        "transformer": ["diffusers", "FluxTransformer2DModel"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    }
    (folder / "model_index.json").write_text(json.dumps(index), "utf-8")


def test_another_family_leaves_what_it_can_and_sends_nothing_else(two_families: Studio, open_page: OpenPage) -> None:
    visit = open_page(two_families)
    page = visit.page
    head(visit).click()
    choose(visit)
    visit.control("Negative prompt").fill("fog")
    visit.choose("Checkpoint", "flux")
    expect(page.locator("#scheduler option:checked")).to_have_text("Euler")
    expect(page.locator("#scheduler select")).to_be_disabled()
    expect(page.locator("#why_scheduler")).to_have_text("This checkpoint works only with Euler.")
    expect(page.locator("#note")).to_contain_text("Scheduler Euler")
    for name in ("clip_skip", "variation_strength", "tiling", "prompt_dialect", "emphasis"):
        expect(page.locator(f"#{name} :is(input, select)").first).to_be_disabled()
    expect(page.locator("#negative_prompt textarea")).to_be_disabled()
    expect(page.locator("#why_negative_prompt")).to_contain_text("takes no negative prompt")
    shown = [line.inner_text() for line in page.locator("#sampling .why").all() if line.is_visible()]
    assert all(one != other for one, other in itertools.pairwise(shown)), "neighbours share a sentence"
    visit.button("Looks").click()
    page.get_by_label("Watercolour", exact=True).check()
    page.keyboard.press("Escape")
    visit.write("steps=2 a lake")
    sent = request_of(visit, visit.generate())
    assert sent["checkpoint"] == "flux"
    assert sent["negative_prompt"] == sent["resolved_prompts"][0]["negative_prompt"] == ""
    assert (sent["clip_skip"], sent["tiling"], sent["variation_strength"], sent["emphasis"]) == (
        1,
        "none",
        0,
        "original",
    )
    visit.wait_state("finished")
    visit.choose("Checkpoint", "Starter")
    expect(visit.control("Clip skip value")).to_have_value("2")
    expect(visit.control("Clip skip value")).to_be_enabled()
    expect(visit.control("Negative prompt")).to_have_value("fog")

"""Getting models on the page: offers for this machine, and what somebody names, from a Hub on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import DESKTOP, PHONE, ROOT, Studio, Visit
from tests.browser.test_access import serious_findings
from tests.downloads.conftest import folder, lora, weights
from tests.downloads.small_hub import Repo, SmallHub, small_hub
from tests.model_files import with_starter

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


@pytest.fixture
def hub() -> Iterator[SmallHub]:
    with small_hub() as hub:
        hub.repos["anna/ink"] = Repo({"ink.safetensors": lora()})
        hub.repos["anna/large"] = Repo({"large.safetensors": weights(2_000_000)})
        hub.repos["anna/closed"] = Repo({"one.safetensors": weights()}, gated=True)
        yield hub


@pytest.fixture
def studio(tmp_path: Path, hub: SmallHub) -> Iterator[Studio]:
    models = with_starter(tmp_path / "models")
    flags = ("--models-dir", str(models))
    environment = {"FAKE_HUB": hub.url, "HF_HOME": str(tmp_path / "hub"), "DARKROOM_AUTH": ""}
    with Studio(tmp_path / "data", is_real=False, flags=flags, environment=environment) as studio:
        studio.wait_until_ready()
        yield studio


def getting(one: Visit) -> Locator:
    """Opens what can be got."""
    one.button("Models").click()
    one.page.locator(".model-get button").click()
    expect(one.page.locator(".get .offer").first).to_be_attached()
    return one.page.locator(".get")


def look_for(box: Locator, text: str) -> None:
    box.get_by_label("Another model").fill(text)
    box.get_by_role("button", name="Look", exact=True).click()


def offer(box: Locator, id: str) -> Locator:
    """The card of a bundle, wherever it is."""
    card = box.locator(f".offer[data-offer={id}]")
    if not card.is_visible():
        box.locator("summary").click()
    return card


def sells_turbo(hub: SmallHub) -> None:
    """The bundle SD-Turbo, with a tokenizer that can be read."""
    tokenizer = ROOT / "models" / "starter" / "tokenizer"
    own = {f"tokenizer/{path.name}": path.read_bytes() for path in tokenizer.iterdir()}
    hub.repos["stabilityai/sd-turbo"] = Repo({**folder(), **own})
    hub.repos["madebyollin/taesd"] = Repo(
        {"config.json": b'{"_class_name": "AutoencoderTiny"}', "diffusion_pytorch_model.safetensors": weights()}
    )


def test_a_repository_is_looked_at_fetched_and_listed(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    box = getting(one)
    look_for(box, "anna/ink")
    expect(box.locator(".get-plan")).to_contain_text("to download")
    box.locator(".get-plan").get_by_role("button", name="Download").click()
    expect(box.locator(".download-list li")).to_contain_text("Downloaded")
    one.page.locator(".models [data-part=lora]").click()
    expect(one.page.locator(".model[data-id='loras/ink']")).to_be_visible()
    one.page.locator(".models [data-part=get]").click()
    box.get_by_role("button", name="Remove from the list: anna/ink").click()
    expect(box.locator(".download-list li")).to_have_count(0)


def test_a_download_is_paused_resumed_and_taken_back(studio: Studio, hub: SmallHub, open_page: OpenPage) -> None:
    hub.behaviour.bytes_per_second = 150_000
    one = open_page(studio)
    box = getting(one)
    look_for(box, "anna/large")
    box.locator(".get-plan").get_by_role("button", name="Download").click()
    line = box.locator(".download-list li")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    line.get_by_role("button", name="Resume").click()
    expect(line.get_by_role("button", name="Pause")).to_be_visible()
    line.get_by_role("button", name="Cancel").click()
    expect(line).to_have_count(0)


@pytest.mark.parametrize("text", ["anna/missing", "anna/closed", "http://127.0.0.1/one.safetensors", "what?"])
def test_what_cannot_be_had_is_a_sentence(studio: Studio, open_page: OpenPage, text: str) -> None:
    one = open_page(studio)
    box = getting(one)
    look_for(box, text)
    expect(one.page.locator("#note")).not_to_be_empty()
    expect(box.locator(".get-plan")).to_be_empty()
    one.errors[:] = [error for error in one.errors if "Failed to load resource" not in error]


def test_an_offer_is_fetched_and_used_with_its_settings(studio: Studio, hub: SmallHub, open_page: OpenPage) -> None:
    sells_turbo(hub)
    one = open_page(studio)
    card = offer(getting(one), "sd-turbo")
    expect(card).to_contain_text("reads English")
    card.get_by_role("button", name="Download: SD-Turbo").click()
    card.get_by_role("button", name="Use: SD-Turbo").click(timeout=60_000)
    expect(one.page.locator(".models")).to_be_hidden()
    expect(one.page.locator("#note")).to_contain_text("SD-Turbo is chosen")
    expect(one.control("Steps value")).to_have_value("1")


def test_a_prompt_waits_over_a_reload_and_is_drawn_when_the_model_is_here(
    studio: Studio, hub: SmallHub, open_page: OpenPage
) -> None:
    sells_turbo(hub)
    hub.behaviour.bytes_per_second = 2_000  # so that it lasts longer than all that is looked at before it is resumed
    one = open_page(studio)
    one.write("a lake at dawn steps=2 delay=0")
    offer(getting(one), "sd-turbo").get_by_role("button", name="Get and use: SD-Turbo").click()
    expect(one.page.locator(".models")).to_be_hidden()
    waits, ring = one.page.locator(".stage-waits"), one.page.locator(".ring")
    expect(waits).to_contain_text("Your prompt waits for SD-Turbo")
    expect(ring).to_have_accessible_name(re.compile(r"Downloading SD-Turbo: \d+ %"))
    one.page.reload()
    expect(waits).to_contain_text(re.compile(r"waits for SD-Turbo.*%"))
    assert serious_findings(one) == []
    ring.click()
    line = one.page.locator(".download-list li")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    one.page.locator(".models .sheet-close").click()
    expect(ring).to_have_accessible_name(re.compile("Paused: SD-Turbo"))
    ring.click()
    hub.behaviour.bytes_per_second = None
    line.get_by_role("button", name="Resume").click()
    one.page.locator(".models .sheet-close").click()
    one.wait_state("finished")
    expect(one.page.locator(".stage-title")).to_have_text("a lake at dawn steps=2 delay=0")
    expect(waits).to_be_hidden()
    expect(ring).to_be_hidden()
    assert one.chosen("Checkpoint") == "sd-turbo"
    assert len(one.job_ids()) == 1


def test_a_file_of_this_computer_is_looked_at_and_linked(studio: Studio, open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "brush.safetensors"
    path.write_bytes(lora())
    one = open_page(studio)
    box = getting(one)
    look_for(box, str(path))
    plan = box.locator(".get-plan")
    expect(plan).to_contain_text("LoRAs")
    expect(plan.get_by_role("button", name="Move it")).to_be_visible()
    plan.get_by_role("button", name="Link it in").click()
    expect(one.page.locator("#note")).to_contain_text("loras/brush is among your models")
    expect(plan).to_be_empty()
    one.page.locator(".models [data-part=lora]").click()
    expect(one.page.locator(".model[data-id='loras/brush']")).to_be_visible()
    assert path.exists()


def test_the_offers_fit_a_phone_and_have_no_barriers(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio, PHONE)
    one.page.locator("#tasks").first.wait_for()
    one.page.evaluate("() => { location.hash = '#text_to_image/models'; }")
    one.page.locator(".models [data-part=get]").click()
    expect(one.page.locator(".get .offer").first).to_be_attached()
    assert one.page.evaluate("() => document.querySelector('.models').scrollWidth - innerWidth") <= 0
    assert serious_findings(one) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_after_the_first_picture_a_real_model_is_offered_once(
    studio: Studio, open_page: OpenPage, size: tuple[int, int]
) -> None:
    one = open_page(studio, size)
    line = one.page.locator(".introduction")
    expect(line).to_be_hidden()
    one.write("a lake delay=0 steps=2")
    one.generate()
    one.wait_state("finished")
    expect(line).to_contain_text("This is the small starter model.")
    box = line.bounding_box()
    assert box is not None
    for part in ("#stage", ".strip"):  # it lies between them
        other = one.page.locator(part).bounding_box()
        assert other is not None
        assert box["y"] >= other["y"] + other["height"] - 1 or box["y"] + box["height"] <= other["y"] + 1
    words = line.locator("span")
    assert words.evaluate("(node) => node.scrollWidth <= node.clientWidth"), "all of it can be read"
    if size == PHONE:
        heights = line.locator("button").evaluate_all("(found) => found.map((node) => node.offsetHeight)")
        assert min(heights) >= 44
    one.rest()
    assert serious_findings(one) == []
    line.get_by_role("button", name="Get a real one").click()
    expect(one.page.locator(".get .offer").first).to_be_attached()
    expect(line).to_be_hidden()
    one.page.reload()
    one.page.locator(".sheet-close").locator("visible=true").click()
    expect(one.page.locator('#stage[data-state="finished"] img')).to_be_visible()
    one.write("another lake delay=0 steps=2")
    one.generate()
    one.wait_state("finished")
    one.rest()
    expect(line).to_be_hidden()

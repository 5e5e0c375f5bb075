"""The sheet with the models as people use it: looking, using, renaming, deleting, and folders of other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings
from tests.model_files import ANY, LORA_SDXL, save, with_starter

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
LORA = {next(iter(LORA_SDXL)): (4, 256)}  # as wide as the starter's text


@contextmanager
def studio_in(folder: Path) -> Iterator[Studio]:
    """The app with a few models, and another program's folder beside them."""
    models = with_starter(folder / "models")
    save(models / "loras" / "ink.safetensors", LORA, {"modelspec.trigger_phrase": "inkwash, paper"})
    save(models / "loras" / "xl.safetensors", LORA_SDXL)
    save(folder / "ComfyUI" / "models" / "upscale_models" / "4x.safetensors", ANY)
    with Studio(folder / "data", is_real=False, flags=("--models-dir", str(models))) as studio:
        studio.wait_until_ready()
        yield studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One for all tests that leave the models as the others expect them."""
    with studio_in(tmp_path_factory.mktemp("models")) as studio:
        yield studio


@pytest.fixture
def own_studio(tmp_path: Path) -> Iterator[Studio]:
    with studio_in(tmp_path) as studio:
        yield studio


def sheet_of(one: Visit) -> Locator:
    """Opens the sheet from the header."""
    one.button("Models").click()
    expect(one.page.locator(".models .model").first).to_be_visible()
    return one.page.locator(".models")


def kind(one: Visit, name: str) -> None:
    one.page.locator(f".models [data-part={name}]").click()


def open_model(one: Visit, id: str) -> Locator:
    one.page.locator(f".model[data-id='{id}'] .model-open").click()
    expect(one.page.locator(".models-one")).to_be_visible()
    return one.page.locator(".models-one")


def test_its_scripts_come_when_it_is_opened(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    loaded = "() => performance.getEntriesByType('resource').filter(({ name }) => /models[/.]/.test(name)).length"
    assert one.page.evaluate(loaded) == 0
    sheet_of(one)
    assert one.page.evaluate(loaded) > 5


def test_back_closes_a_model_then_the_sheet_and_the_address_opens_them(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet = sheet_of(one)
    kind(one, "lora")
    side = open_model(one, "loras/ink")
    assert one.page.evaluate("location.hash") == "#text_to_image/models/model/loras%2Fink"
    one.page.reload()
    expect(side.get_by_role("heading", name="ink", exact=True)).to_be_visible()
    one.page.go_back()
    expect(side).to_be_hidden()
    expect(sheet).to_be_visible()
    one.page.go_back()
    expect(sheet).to_be_hidden()
    one.page.go_forward()
    expect(sheet).to_be_visible()
    one.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_a_lora_goes_into_the_prompt_with_its_weight(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    one.write("a lake")
    sheet_of(one)
    kind(one, "lora")
    side = open_model(one, "loras/ink")
    side.get_by_label("Weight").fill("0.8")
    side.get_by_role("button", name="Add to prompt").click()
    side.get_by_role("button", name="inkwash").click()
    side.get_by_label("Weight").fill("0.5")
    side.get_by_role("button", name="Add to prompt").click()
    one.button("Close").click()
    expect(one.control("Prompt")).to_have_value("a lake <lora:ink:0.5>, inkwash")
    one.button("Undo").click()
    expect(one.control("Prompt")).to_have_value("a lake <lora:ink:0.8>, inkwash")


def test_what_does_not_fit_says_so_before_it_is_used(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet_of(one)
    kind(one, "lora")
    side = open_model(one, "loras/xl")
    expect(side).to_contain_text("made for another kind of checkpoint")
    expect(side.get_by_role("button", name="Add to prompt")).to_have_count(0)


def test_searching(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet = sheet_of(one)
    sheet.get_by_label("Search models").fill("PAPER")
    expect(sheet.locator(".model")).to_have_count(1)
    expect(sheet.locator(".model")).to_contain_text("ink")
    sheet.get_by_label("Search models").fill("nothing of the kind")
    expect(sheet).to_contain_text("No model has these words.")
    sheet.get_by_label("Search models").press("Escape")
    expect(sheet.locator(".model[data-id=starter]")).to_be_visible()


def test_the_chosen_checkpoint_stays_chosen_under_another_name(own_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(own_studio)
    sheet_of(one)
    side = open_model(one, "starter")
    side.get_by_role("button", name="Rename").click()
    side.get_by_label("New name").fill("a/b:c")
    side.get_by_role("button", name="Save", exact=True).click()
    expect(side.get_by_role("alert").locator("visible=true")).to_contain_text("a name has 1 to 200 characters")
    assert "422" in one.errors.pop(), "the browser says it in its console"
    side.get_by_label("New name").fill("mine")
    side.get_by_role("button", name="Save", exact=True).click()
    expect(side.get_by_role("heading", name="mine", exact=True)).to_be_visible()
    one.button("Close").click()
    assert one.chosen("Checkpoint") == "mine"


def test_defaults_are_saved_and_count_at_once(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet_of(one)
    side = open_model(one, "starter")
    side.get_by_label("Steps").fill("7")
    side.get_by_role("button", name="Save the defaults").click()
    expect(one.page.locator("#note")).to_contain_text("saved beside the checkpoint")
    one.page.reload()
    expect(side.get_by_label("Steps")).to_have_value("7")


def test_deleting_with_undo_and_from_the_trash(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet = sheet_of(one)
    kind(one, "lora")
    ink = sheet.locator(".model[data-id='loras/ink']")
    open_model(one, "loras/ink").get_by_role("button", name="Delete").click()
    expect(ink).to_have_count(0)
    one.button("Undo").click()
    expect(ink).to_be_visible()
    open_model(one, "loras/ink").get_by_role("button", name="Delete").click()
    expect(ink).to_have_count(0)
    kind(one, "trash")
    one.page.locator(".models-one").get_by_role("button", name="Put back: ink").click()
    expect(ink).to_be_visible()


def test_a_folder_of_another_program(studio: Studio, open_page: OpenPage) -> None:
    folder = studio.data_dir.parent
    one = open_page(studio)
    sheet = sheet_of(one)
    kind(one, "folders")
    path = sheet.get_by_label("Path of the folder")
    path.fill(str(folder / "none"))
    path.press("Enter")
    expect(sheet.get_by_role("alert").locator("visible=true")).to_contain_text("no such folder")
    assert "422" in one.errors.pop(), "the browser says it in its console"
    path.fill(str(folder / "ComfyUI"))
    path.press("Enter")
    kind(one, "upscaler")
    expect(sheet.locator(".model[data-id='ComfyUI:upscale_models/4x']")).to_be_visible()
    side = open_model(one, "ComfyUI:upscale_models/4x")
    expect(side.get_by_role("button", name="Delete")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_on_a_phone_it_opens_from_the_list_of_checkpoints(studio: Studio, open_page: OpenPage, locale: str) -> None:
    one = open_page(studio, PHONE, locale=locale)
    one.page.locator("#checkpoint select").select_option(" all")
    sheet = one.page.locator(".models")
    expect(sheet.locator(".model").first).to_be_visible()
    open_model(one, "starter")
    one.rest()
    assert one.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    small = "(node) => node.offsetParent && node.offsetHeight < 44 && node.type !== 'range'"
    buttons = ".models :is(button, input, select)"
    found = f"() => [...document.querySelectorAll('{buttons}')].filter({small}).map((node) => node.outerHTML)"
    assert one.page.evaluate(found) == []
    assert serious_findings(one) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_by_keyboard_and_without_serious_findings(studio: Studio, open_page: OpenPage, scheme: str) -> None:
    one = open_page(studio, scheme=scheme)
    one.button("Models").focus()
    one.page.keyboard.press("Enter")
    expect(one.page.locator(".models .model").first).to_be_visible()
    tile = one.page.locator(".model[data-id=starter] .model-open")
    for _ in range(20):
        one.page.keyboard.press("Tab")
        if tile.evaluate("(node) => node === document.activeElement"):
            break
    one.page.keyboard.press("Enter")
    expect(one.page.locator(".models-one h3")).to_be_focused()
    one.rest()
    assert serious_findings(one) == []
    one.page.keyboard.press("Escape")
    expect(tile).to_be_focused()
    one.page.keyboard.press("Escape")
    expect(one.button("Models")).to_be_focused()


def test_a_vae_is_chosen_in_the_fold_and_goes_into_the_request(studio: Studio, open_page: OpenPage) -> None:
    save(studio.data_dir.parent / "models" / "vae" / "sharp.safetensors", {"decoder.conv_in.weight": (8, 16, 3, 3)})
    one = open_page(studio)
    one.page.locator("#sampling_head .fold").click()
    one.choose("VAE", "sharp")
    one.write("a lake delay=0")
    job = one.generate()
    asked = one.page.evaluate("async (job) => (await (await fetch(`/api/jobs/${job}`)).json()).request", job)
    assert asked["vae"] == "vae/sharp"
    one.choose("VAE", "The checkpoint’s own")
    expect(one.page.locator("#sampling_head .fold-changed")).to_have_count(0)

"""The sheet Settings as the operator uses it; guests do not see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
OUTSIDE = {
    "HF_TOKEN": "",
    "HUGGING_FACE_HUB_TOKEN": "",
    "HF_ENDPOINT": "",
    "CIVITAI_API_TOKEN": "civ_of_the_environment",
}
COUNT_NOTES = """() => {
    window.notes = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) { window.notes += 1; start.apply(this, when); };
}"""
HIDE = """() => {
    Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("home")
    (home / "ComfyUI" / "models").mkdir(parents=True)
    flags = ("--extra-models-dir", str(home / "ComfyUI"), "--idle-minutes", "5")
    environment = {**OUTSIDE, "HF_HOME": str(home / "hub")}
    with Studio(home / "data", is_real=False, flags=flags, environment=environment) as studio:
        studio.wait_until_ready()
        yield studio


@pytest.fixture
def studio(running: Studio) -> Studio:
    """In which nothing is set."""
    nothing = dict.fromkeys(("hub_token", "mirror", "image_format", "file_names", "sound", "language"))
    httpx.patch(f"{running.address}/api/settings", json=nothing).raise_for_status()
    return running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    flags = ("--auth", "anna:one", "--auth", "ben:two")
    with Studio(tmp_path_factory.mktemp("guarded"), is_real=False, flags=flags) as studio:
        studio.wait_until_ready()
        yield studio


def sheet_of(one: Visit) -> Locator:
    """Opens the sheet from the header."""
    one.button("Settings").click()
    sheet = one.page.locator(".operator")
    expect(sheet.locator("#setting_mirror")).to_be_visible()
    return sheet


def test_changes_are_saved_at_once_and_refused_in_words(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet = sheet_of(one)
    mirror = sheet.get_by_label("Mirror of the Hub", exact=True)
    mirror.fill("http://hf-mirror.com")
    mirror.press("Enter")
    expect(sheet.get_by_role("alert").locator("visible=true")).to_contain_text(
        "Not saved: a mirror is an https address"
    )
    assert "422" in one.errors.pop(), "the browser says it in its console"
    mirror.fill("https://hf-mirror.com")
    mirror.press("Enter")
    expect(one.page.locator("#note")).to_contain_text("Saved.")
    expect(sheet.get_by_role("alert").locator("visible=true")).to_have_count(0)
    one.page.reload()
    expect(mirror).to_have_value("https://hf-mirror.com")
    kept = json.loads((studio.data_dir / "settings.json").read_text("utf-8"))
    assert kept == {"mirror": "https://hf-mirror.com"}


def test_what_stands_above_is_shown_and_not_changed(studio: Studio, open_page: OpenPage) -> None:
    sheet = sheet_of(open_page(studio))
    idle = sheet.locator("#setting_idle_minutes")
    expect(idle).to_be_disabled()
    expect(idle).to_have_value("5")
    expect(sheet.locator("[data-setting=idle_minutes]")).to_contain_text(
        "Set by --idle-minutes when Darkroom was started."
    )
    civitai = sheet.locator("[data-setting=civitai_token]")
    expect(civitai).to_contain_text("CIVITAI_API_TOKEN")
    expect(civitai.locator("input, button")).to_have_count(0)
    expect(sheet.locator("[data-setting=extra_models_dir]")).to_contain_text("ComfyUI")


def test_a_token_goes_in_and_never_comes_out(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    row = sheet_of(one).locator("[data-setting=hub_token]")
    field = row.locator("input")
    assert (field.get_attribute("type"), field.get_attribute("autocomplete")) == ("password", "new-password")
    field.fill("hf_first_token")
    field.press("Enter")
    expect(row).to_contain_text("Set")
    expect(field).to_have_count(0)
    expect(row.get_by_role("button", name="Replace")).to_be_focused()
    assert "hf_first_token" not in one.page.content()
    row.get_by_role("button", name="Replace").click()
    field.fill("hf_second_token")
    field.press("Enter")
    expect(field).to_have_count(0)
    assert json.loads((studio.data_dir / "settings.json").read_text("utf-8")) == {"hub_token": "hf_second_token"}
    row.get_by_role("button", name="Remove").click()
    expect(field).to_be_focused()
    assert json.loads((studio.data_dir / "settings.json").read_text("utf-8")) == {}


def test_format_names_and_sound_count_at_once(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    one.page.evaluate(COUNT_NOTES)
    sheet = sheet_of(one)
    sheet.get_by_label("Format", exact=True).select_option("webp")
    expect(one.page.locator("html")).to_have_attribute("data-save-format", "webp")
    names = sheet.get_by_label("File names", exact=True)
    names.fill("{prompt} {seed}")
    names.press("Enter")
    expect(one.page.locator("#note")).to_contain_text("Saved.")
    sheet.get_by_role("switch", name="Sound").check()
    one.page.wait_for_function("() => window.notes === 2")
    one.page.keyboard.press("Escape")
    one.write("a calm lake steps=2 delay=0")
    one.set_number("Seed", "7")
    one.generate()
    one.wait_state("finished")
    assert one.page.evaluate("window.notes") == 2, "the page is in sight"
    with one.page.expect_download() as download:
        one.page.locator("#stage_box").get_by_role("link", name="Save", exact=True).click()
    assert download.value.suggested_filename == "a calm lake steps=2 delay=0 7.webp"
    one.write("a calm lake steps=2 delay=2")
    one.generate()
    one.wait_state("running")
    one.page.evaluate(HIDE)
    one.page.wait_for_function("() => window.notes === 4")


def test_the_language_is_everybodys_until_they_choose_one(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet_of(one).get_by_label("Language", exact=True).select_option("zh-CN")
    expect(one.page.locator("html")).to_have_attribute("lang", "zh-CN")
    other = open_page(studio)
    expect(other.page.locator(".models-button")).to_have_text("模型库")
    other.page.locator(".language-button").click()
    expect(other.page.locator("html")).to_have_attribute("lang", "en")


def test_it_has_an_address_and_leads_to_the_folders_and_back(studio: Studio, open_page: OpenPage) -> None:
    one = open_page(studio)
    sheet = sheet_of(one)
    assert one.page.evaluate("location.hash") == "#text_to_image/operator"
    sheet.get_by_role("button", name="Change…").click()
    expect(one.page.locator(".models-one h3")).to_have_text("Folders")
    one.page.go_back()
    one.page.go_back()
    expect(one.page.locator(".models")).to_be_hidden()
    expect(sheet).to_be_visible()
    one.page.go_back()
    expect(sheet).to_be_hidden()


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_it_is_among_the_settings(studio: Studio, open_page: OpenPage, scheme: str, locale: str) -> None:
    one = open_page(studio, PHONE, locale=locale, scheme=scheme)
    one.page.locator(".more").click()
    one.page.locator(".to-operator").click()
    expect(one.page.locator(".operator #setting_mirror")).to_be_visible()
    one.rest()
    assert one.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    small = "(node) => node.offsetParent && node.offsetHeight < 44 && node.type !== 'checkbox'"
    controls = "[...document.querySelectorAll('.operator :is(button, input, select)')]"
    assert one.page.evaluate(f"() => {controls}.filter({small}).map((one) => one.id)") == []
    assert serious_findings(one) == []
    memory = one.page.locator("#setting_model_memory_gb")
    memory.press_sequentially("1e")
    memory.press("Enter")  # which takes the keyboard away
    expect(memory).not_to_be_focused()
    expect(memory).to_have_attribute("aria-invalid", "true")
    said = one.page.locator("#setting_model_memory_gb_said")
    expect(said).to_be_visible()
    colour = said.evaluate("(node) => getComputedStyle(node).color")
    expect(memory).to_have_css("border-top-color", colour)
    names = one.page.locator("#setting_file_names")
    names.fill("{seed}")
    names.press("Enter")
    expect(one.page.locator("#note")).to_be_in_viewport()
    assert json.loads((studio.data_dir / "settings.json").read_text("utf-8")) == {"file_names": "{seed}"}
    one.rest()
    assert serious_findings(one) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_on_a_desktop_and_escape_leaves(studio: Studio, open_page: OpenPage, scheme: str) -> None:
    one = open_page(studio, scheme=scheme)
    sheet = sheet_of(one)
    one.rest()
    assert serious_findings(one) == []
    one.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(one.button("Settings")).to_be_focused()


def test_guests_do_not_see_it(guarded: Studio, open_page: OpenPage) -> None:
    guest = open_page(guarded, login=("ben", "two"))
    expect(guest.page.locator(".device")).to_contain_text("fp32")  # so the server has said who this is
    expect(guest.page.locator(".operator-button")).to_be_hidden()
    operator = open_page(guarded, login=("anna", "one"))
    sheet_of(operator)

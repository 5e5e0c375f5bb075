"""The sheet Settings by itself: what is typed stays until it is saved, what is no value is not sent, and the focus."""

from __future__ import annotations

from typing import Any

import pytest

from tests.modules.conftest import Modules
from webui.api.routes.settings import SettingOut
from webui.operator.declared import DECLARED


def setting(declared: Any, **values: Any) -> dict[str, Any]:
    """One that nobody has set, as the API tells of it."""
    folders = declared.kind == "folders"
    nothing = {"kind": declared.kind, "value": [] if folders else declared.default, "is_set": False, "above": None}
    told = {
        "default": None if folders else declared.default, "limits": declared.limits, "choices": list(declared.choices),
        "given": [], "otherwise": None, "mirror_with_token": None, "takes_effect": declared.effect,
        "needs_restart": False,
    }  # fmt: skip
    return SettingOut.model_validate({**nothing, **told, **values}).model_dump()


SETTINGS = {declared.name: setting(declared) for declared in DECLARED}
# `settings` is what the server has, which refuses one value. `row`, `field` and `said` are of one setting.
PAGE = """
    const settings = given.settings;
    const sent = [];
    answers["GET /api/settings"] = () => ({ json: settings });
    answers["PATCH /api/settings"] = () => {
        const { body } = calls.at(-1);
        const [[name, value]] = Object.entries(body);
        sent.push(body);
        if (value === "https://wrong.example") {
            const item = { type: "invalid_request", loc: ["body", name], msg: "no", ctx: { reason: "no" } };
            return { status: 422, json: { detail: [item] } };
        }
        const isToken = settings[name].kind === "token";
        settings[name] = { ...settings[name], value: isToken ? null : value, is_set: value !== null };
        return { json: settings };
    };
    const { definePlaces } = await at("core/places.js");
    const { emit } = await at("core/bus.js");
    await at("operator/sheet.js");
    definePlaces();
    const part = document.createElement("darkroom-part");
    part.setAttribute("name", "operator");
    const opener = document.createElement("button");
    document.body.append(opener, part);
    opener.focus();
    const row = (name) => document.querySelector(`[data-setting=${name}]`);
    const field = (name) => document.getElementById(`setting_${name}`);
    const said = (name) => document.querySelector(`#setting_${name}_said:not([hidden])`)?.textContent ?? null;
    const noted = () => document.getElementById("note")?.firstElementChild.textContent ?? null;
    const open = async () => { emit("open-operator"); await until(() => row("mirror")); };
    await open();
"""


def page(modules: Modules, **changed: dict[str, Any]) -> None:
    """Opens the sheet; what it defines stands for what a test runs after that."""
    settings = {**SETTINGS, **{name: {**SETTINGS[name], **values} for name, values in changed.items()}}
    names = "settings, sent, emit, row, field, said, noted, open, opener"
    modules.run(f"{PAGE} Object.assign(window, {{ {names} }});", {"settings": settings})


def focused(modules: Modules) -> str:
    return str(modules.run("return document.activeElement.id;"))


@pytest.mark.parametrize("before", [None, 7])
@pytest.mark.parametrize("leaving", ["Enter", "Tab"])
def test_what_is_no_number_is_not_sent(modules: Modules, before: float | None, leaving: str) -> None:
    page(modules, idle_minutes={"value": before})
    idle = modules.page.locator("#setting_idle_minutes")
    idle.press("End")
    idle.press_sequentially("1e")
    idle.press(leaving)
    modules.page.wait_for_function("said('idle_minutes') !== null")
    found = modules.run(
        """const { ariaInvalid, validity } = field("idle_minutes");
        return [sent, said("idle_minutes"), ariaInvalid, noted(), validity.badInput];"""
    )
    assert found == [[], "Not saved: this is not a number.", "true", None, True]
    idle.fill("12")
    idle.press("Enter")
    modules.page.wait_for_function("sent.length && !field('idle_minutes').readOnly")
    found = modules.run("return [sent, said('idle_minutes'), field('idle_minutes').ariaInvalid, noted()];")
    assert found == [[{"idle_minutes": 12}], None, None, "Saved."]


def test_what_the_server_refuses_is_marked_until_it_is_taken_back(modules: Modules) -> None:
    page(modules)
    mirror = modules.page.locator("#setting_mirror")
    mirror.fill("https://wrong.example")
    mirror.press("Enter")
    modules.page.wait_for_function("said('mirror') !== null")
    assert modules.run("return [said('mirror'), field('mirror').ariaInvalid];") == ["Not saved: no.", "true"]
    assert focused(modules) == "setting_mirror"
    mirror.fill("")
    mirror.press("Enter")
    modules.page.wait_for_function("said('mirror') === null")
    assert modules.run("return [field('mirror').ariaInvalid, sent.length, noted()];") == [None, 1, None]


def test_enter_leaves_the_focus_where_it_is_and_tab_takes_it_on(modules: Modules) -> None:
    page(modules)
    mirror = modules.page.locator("#setting_mirror")
    mirror.fill("https://one.example")
    modules.run("window.before = field('mirror');")
    mirror.press("Enter")
    modules.page.wait_for_function("field('mirror') !== before")
    assert focused(modules) == "setting_mirror"
    mirror.fill("https://two.example")
    modules.run("window.before = field('mirror');")
    mirror.press("Tab")
    modules.page.wait_for_function("field('mirror') !== before")
    assert focused(modules) == "setting_download_mb_per_second"
    assert modules.run("return sent;") == [{"mirror": "https://one.example"}, {"mirror": "https://two.example"}]


def test_switches_lists_and_tokens_keep_the_focus_too(modules: Modules) -> None:
    page(modules)
    modules.page.locator("#setting_sound").press("Space")
    modules.page.wait_for_function("settings.sound.value && field('sound').checked && noted()")
    assert focused(modules) == "setting_sound"
    modules.page.locator("#setting_image_format").focus()
    modules.page.locator("#setting_image_format").select_option("webp")
    modules.page.wait_for_function("settings.image_format.value === 'webp'")
    modules.page.wait_for_function("document.activeElement === field('image_format')")
    modules.page.locator("#setting_hub_token").fill("hf_some_token")
    modules.page.locator("#setting_hub_token").press("Enter")
    modules.page.wait_for_function("field('hub_token').tagName === 'BUTTON'")
    assert focused(modules) == "setting_hub_token"
    modules.page.locator("[data-setting=hub_token] button", has_text="Remove").press("Enter")
    modules.page.wait_for_function("field('hub_token').tagName === 'INPUT'")
    assert focused(modules) == "setting_hub_token"


def test_a_folder_that_comes_leaves_what_is_half_typed(modules: Modules) -> None:
    page(modules)
    modules.page.locator("#setting_file_names").press_sequentially("-{date}")
    modules.page.locator("#setting_hub_token").press_sequentially("hf_half")
    modules.run("settings.extra_models_dir = { ...settings.extra_models_dir, value: ['/models/theirs'] };")
    modules.run("emit('checkpoints'); await until(() => row('extra_models_dir').textContent.includes('theirs'));")
    assert modules.run("return field('hub_token').value;") == "hf_half"
    assert focused(modules) == "setting_hub_token"
    modules.page.locator("#setting_extra_models_dir").focus()
    modules.run("settings.extra_models_dir = { ...settings.extra_models_dir, value: [] };")
    modules.run("emit('checkpoints'); await until(() => !row('extra_models_dir').textContent.includes('theirs'));")
    assert focused(modules) == "setting_extra_models_dir"


def test_half_a_token_does_not_wait_in_a_closed_sheet(modules: Modules) -> None:
    page(modules)
    modules.page.locator("#setting_hub_token").press_sequentially("hf_half")
    modules.page.keyboard.press("Escape")
    modules.page.wait_for_function("document.activeElement === opener")
    assert modules.run("await open(); return [field('hub_token').value, sent];") == ["", []]


def test_what_is_refused_after_the_sheet_was_closed_is_said_in_a_note(modules: Modules) -> None:
    page(modules)
    modules.page.locator("#setting_mirror").fill("https://wrong.example")
    modules.page.keyboard.press("Escape")
    modules.page.wait_for_function("noted() !== null")
    assert modules.run("return [noted(), sent.length];") == ["Not saved: no.", 1]


@pytest.mark.parametrize("is_chinese", [False, True])
def test_who_gets_the_token_is_said_truly(modules: Modules, is_chinese: bool) -> None:
    if is_chinese:
        modules.run("speakChinese();")
    above = {"kind": "environment", "name": "HF_TOKEN"}
    page(modules, hub_token={"is_set": True, "above": above, "mirror_with_token": "mirror.example"})
    hub = modules.run("return row('hub_token').textContent;")
    assert "mirror.example" in hub
    assert "HF_ENDPOINT" in hub
    assert "huggingface.co" not in hub
    modules.run("document.querySelector('.operator').close(); settings.hub_token.mirror_with_token = null;")
    modules.run("await until(() => !row('mirror')); await open();")
    assert "huggingface.co" in modules.run("return row('hub_token').textContent;")


def test_a_password_manager_has_no_login_to_fill_in(modules: Modules) -> None:
    page(modules)
    found = modules.run(
        "return ['hub_token', 'civitai_token'].map((name) => [field(name).type, field(name).autocomplete]);"
    )
    assert found == [["password", "new-password"]] * 2

"""Writing prompts: what is said under them, weights by key, earlier prompts, and the way back from each replacement."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.studio import DESKTOP, PHONE, Studio, Visit
from tests.browser.test_access import serious_findings
from tests.browser.test_layout import LIMIT, WATCH, shifts
from tests.modules.test_weights import COMPEL, WEIGHTS

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

# An error, and five warnings for the starter; two chunks.
FULL = (
    "a calm carburettor (at night, "
    + "snowy lake, autumn trees, " * 14
    + "lake++ (red:9) <lora:nothing:1>, a masterpiece"
)
SELECTED = "box => box.value.slice(box.selectionStart, box.selectionEnd)"
# As if it had been chosen in this browser before.
CHOOSE_COMPEL = """() => {
    const controls = JSON.parse(localStorage.getItem("darkroom.controls"));
    localStorage.setItem("darkroom.controls", JSON.stringify({ ...controls, prompt_dialect: "compel" }));
}"""


def box(visit: Visit, field: str = "prompt") -> Locator:
    return visit.page.locator(f"#{field} textarea")


def notes(visit: Visit, field: str = "prompt") -> Locator:
    return visit.page.locator(f"#{field}_help .help-note").locator("visible=true")


def line(visit: Visit, field: str = "prompt") -> Locator:
    return visit.page.locator(f"#{field}_help .help-line")


def selected(visit: Visit, field: str = "prompt") -> str:
    return str(box(visit, field).evaluate(SELECTED))


def remember(visit: Visit, *prompts: str) -> None:
    """As if they had been submitted."""
    visit.page.evaluate("(list) => localStorage.setItem('darkroom.prompt_history', list)", json.dumps(prompts))


def test_tokens_borders_and_notes(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    expect(line(visit)).to_contain_text("Ctrl+")
    box(visit).fill("a calm lake")
    expect(line(visit)).to_have_text("3/75")
    expect(notes(visit)).to_have_count(0)
    box(visit).fill("🙂 🙂 a calm carburettor")
    expect(notes(visit)).to_have_text(["This checkpoint has never seen “carburettor”."])
    notes(visit).click()
    assert selected(visit) == "carburettor"
    box(visit).fill(FULL)
    expect(notes(visit)).to_have_count(3)
    expect(notes(visit).first).to_contain_text("There is no LoRA “nothing”")
    expect(line(visit)).to_contain_text("/75")
    more = line(visit).get_by_role("button", name="more")
    more.click()
    assert notes(visit).count() >= 5
    notes(visit).filter(has_text="lake++").click()
    assert selected(visit) == "lake++"
    line(visit).get_by_role("button", name="Go to where chunk 2 begins").click()
    start = box(visit).evaluate("box => box.selectionStart")
    assert start > 200
    assert FULL[start:].startswith(("snowy", "autumn"))
    said = visit.page.locator("#prompt_help [role=status]")
    expect(said).to_contain_text("There is no LoRA “nothing”")
    expect(line(visit, "negative_prompt")).to_be_hidden()
    box(visit, "negative_prompt").fill("snow")
    expect(line(visit, "negative_prompt")).to_have_text("1/75")
    visit.set_number("Guidance scale value", "1")
    expect(notes(visit, "negative_prompt")).to_contain_text("no effect at a guidance scale of 1")


def test_one_question_at_a_time_and_the_last_answer_counts(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    asked: list[str] = []
    visit.page.evaluate(
        """() => {
            const fetched = window.fetch;
            window.underWay = window.mostUnderWay = 0;
            window.fetch = async (path, ...rest) => {
                if (path !== "/api/prompt-check") return fetched(path, ...rest);
                window.mostUnderWay = Math.max(window.mostUnderWay, ++window.underWay);
                await new Promise((resolve) => setTimeout(resolve, 400));
                try { return await fetched(path, ...rest); } finally { window.underWay -= 1; }
            };
        }"""
    )
    visit.page.on("request", lambda one: asked.append(one.post_data or "") if "prompt-check" in one.url else None)
    box(visit).focus()
    visit.page.keyboard.type("a calm lake", delay=15)
    visit.rest()  # the first question is out
    visit.page.keyboard.type(" at night and more snow", delay=15)
    expect(line(visit)).to_have_text("10/75")
    prompts = [json.loads(one)["prompt"] for one in asked]
    assert prompts[-1] == "a calm lake at night and more snow"
    assert len(prompts) <= 3, "not one for each key"
    assert visit.page.evaluate("() => window.mostUnderWay") == 1
    visit.page.route("**/api/prompt-check", lambda route: route.abort())
    visit.page.keyboard.type("s")
    expect(line(visit)).to_have_text("")
    assert "prompt-check" in visit.errors.pop(), "the browser says it in its console, the page does not"


@pytest.mark.parametrize(("dialect", "cases"), [("a1111", WEIGHTS), ("compel", COMPEL)], ids=["a1111", "compel"])
def test_weights_by_key(
    fake_studio: Studio, open_page: OpenPage, dialect: str, cases: list[tuple[str, str, str]]
) -> None:
    visit = open_page(fake_studio)
    if dialect == "compel":
        visit.page.evaluate(CHOOSE_COMPEL)
        visit.page.reload()
        visit.rest()
    keys = visit.page.keyboard
    for before, pressed, after in cases:
        plain = before.replace("‹", "").replace("›", "")
        box(visit).fill(plain)
        box(visit).evaluate("(box, at) => box.setSelectionRange(...at)", [before.index("‹"), before.index("›") - 1])
        for key in pressed:
            keys.press({"U": "Control+ArrowUp", "D": "Control+ArrowDown"}[key])
        value, start, end = box(visit).evaluate("box => [box.value, box.selectionStart, box.selectionEnd]")
        assert f"{value[:start]}‹{value[start:end]}›{value[end:]}" == after
        if plain == value or "a calm" not in plain:
            continue
        for _ in pressed:
            keys.press("Control+z")
        assert box(visit).input_value() == plain, "the browser's own Undo takes it back"


def test_earlier_prompts_by_arrow_keys(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    for prompt in ("first steps=1", "second steps=1", "second steps=1"):
        visit.write(prompt)
        visit.generate()
    wrapped = "a third one " * 12
    visit.write("")
    kept = visit.page.evaluate("() => JSON.parse(localStorage.getItem('darkroom.prompt_history'))")
    assert kept == ["first steps=1", "second steps=1"]
    keys = visit.page.keyboard
    box(visit).fill(wrapped)
    keys.press("ArrowUp")
    expect(box(visit)).to_have_value(wrapped)  # from a lower line the cursor goes up as ever
    box(visit).evaluate("box => box.setSelectionRange(3, 3)")
    keys.press("ArrowUp")
    expect(box(visit)).to_have_value("second steps=1")
    expect(visit.page.locator("#note")).to_contain_text("Arrow Down")
    keys.press("ArrowUp")
    expect(box(visit)).to_have_value("first steps=1")
    keys.press("ArrowUp")
    expect(box(visit)).to_have_value("first steps=1")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    expect(box(visit)).to_have_value(wrapped)
    keys.press("Control+z")
    expect(box(visit)).to_have_value("second steps=1")


def test_earlier_prompts_from_the_list(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    keys = visit.page.keyboard
    history = visit.button("History")
    history.click()
    expect(visit.page.locator(".history-pop")).to_contain_text("Nothing here yet")
    keys.press("Escape")
    remember(visit, *(f"lake number {number}" for number in range(10)))
    history.focus()
    keys.press("Enter")
    expect(visit.page.locator(".history-pop").get_by_role("option")).to_have_count(10)
    assert visit.page.get_by_label("Search your prompts").count() == 0
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(box(visit)).to_have_value("lake number 8")
    expect(box(visit)).to_be_focused()
    remember(visit, *(f"lake number {number}" for number in range(100)))
    history.click()
    search = visit.page.get_by_label("Search your prompts")
    expect(search).to_be_focused()
    search.fill("R 42")
    expect(visit.page.locator(".history-pop").get_by_role("option")).to_have_text(["lake number 42"])
    keys.press("Enter")
    expect(box(visit)).to_have_value("lake number 42")
    note = visit.page.locator("#note")
    note.get_by_role("button", name="Undo").click()
    expect(box(visit)).to_have_value("lake number 8")
    visit.write("one more steps=1")
    visit.generate()
    kept = visit.page.evaluate("() => JSON.parse(localStorage.getItem('darkroom.prompt_history'))")
    assert (len(kept), kept[0], kept[-1]) == (100, "lake number 1", "one more steps=1")
    history.click()
    visit.button("Clear the history").click()
    assert visit.page.evaluate("() => localStorage.getItem('darkroom.prompt_history')") == "[]"
    note.get_by_role("button", name="Undo").click()
    assert len(visit.page.evaluate("() => JSON.parse(localStorage.getItem('darkroom.prompt_history'))")) == 100


def test_every_replacement_can_be_taken_back(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    keys = visit.page.keyboard
    note = visit.page.locator("#note")
    undo = note.get_by_role("button", name="Undo")
    visit.button("Surprise me").click()
    expect(box(visit)).not_to_have_value("")
    expect(note).to_be_hidden()  # there was nothing to lose
    box(visit).fill("mine steps=1")
    visit.button("Surprise me").click()
    expect(box(visit)).not_to_have_value("mine steps=1")
    undo.click()
    expect(box(visit)).to_have_value("mine steps=1")
    visit.button("Surprise me").click()
    box(visit).focus()
    keys.press("Control+z")
    expect(box(visit)).to_have_value("mine steps=1")
    box(visit, "negative_prompt").fill("fog")
    visit.generate()
    visit.wait_state("finished")
    box(visit).fill("another")
    box(visit, "negative_prompt").fill("rain")
    visit.page.locator(".actions > button").last.click()
    visit.button("Use these settings").click()
    expect(box(visit)).to_have_value("mine steps=1")
    expect(box(visit, "negative_prompt")).to_have_value("fog")
    expect(note).to_contain_text("Settings")
    undo.click()
    expect(box(visit)).to_have_value("another")
    expect(box(visit, "negative_prompt")).to_have_value("rain")
    box(visit).focus()
    keys.press("Control+a")
    keys.press("Control+c")
    keys.type("mine again")
    keys.press("Control+a")
    keys.press("Control+v")
    expect(box(visit)).to_have_value("another")
    undo.click()
    expect(box(visit)).to_have_value("mine again")
    box(visit).evaluate("box => box.setSelectionRange(1, 1)")
    keys.press("Control+ArrowUp")
    job = visit.generate()
    request = visit.page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert (request["prompt"], request["negative_prompt"]) == ("(mine:1.1) again", "rain"), "what is seen is sent"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_notes_move_nothing_and_hold_a_finger(
    fake_studio: Studio, browser: Browser, open_page: OpenPage, size: tuple[int, int]
) -> None:
    scheme = "dark" if size == PHONE else "light"
    options = {"viewport": {"width": size[0], "height": size[1]}, "has_touch": size == PHONE, "color_scheme": scheme}
    context = browser.new_context(locale="en-US", **options)
    context.add_init_script(WATCH)
    visit = open_page(fake_studio, context=context)
    box(visit).focus()
    visit.rest()  # the stage makes room for whoever types
    shifts(visit)
    box(visit).fill("a calm carburettor (at night lake++ (red:9) <lora:nothing:1>")
    expect(notes(visit).first).to_contain_text("There is no LoRA")
    visit.rest()
    total, found = shifts(visit)
    assert total <= LIMIT, found
    assert serious_findings(visit) == []
    if size == PHONE:
        for one in (*notes(visit).all(), visit.button("History")):
            assert (one.bounding_box() or {})["height"] >= 44
    remember(visit, *(f"lake number {number}" for number in range(12)))
    visit.button("History").click()
    expect(visit.page.locator(".history-pop").get_by_role("option").first).to_be_visible()
    assert serious_findings(visit) == []

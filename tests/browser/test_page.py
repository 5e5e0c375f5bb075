"""How the page behaves: names, sizes, languages, what it keeps, and how it takes reloads, restarts and company.

The worker is the scriptable fake; words of the prompt say what it does.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.studio import DESKTOP, PHONE, Studio, Visit
from tests.browser.test_access import serious_findings
from webui.jobs.resolve import fitted_size
from webui.storage import Storage
from webui.storage.owners import LOCAL

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

SHARED = ("Prompt", "Negative prompt", "Checkpoint", "Scheduler", "Steps", "Guidance scale", "Seed", "Width", "Height")
BOXES = ("Steps value", "Guidance scale value")
NAMES = {
    "Text to image": (*SHARED, *BOXES, "Images", "Generate", "Stop"),
    "Image to image": (
        *SHARED, *BOXES, "Images", "Input image", "Denoising strength", "Denoising strength value", "Generate", "Stop",
    ),
    "Style transfer": (
        "Content image", "Style image", "Content weight", "Content weight value", "Style weight", "Style weight value",
        "Iterations", "Iterations value", "Seed", "Checkpoint", "Generate", "Stop",
    ),
}  # fmt: skip


def test_every_control_has_its_name_once(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    for tab, names in NAMES.items():
        visit.tab(tab)
        visit.rest()
        assert {name: len(visit.named(name)) for name in names} == dict.fromkeys(names, 1), tab


# How often the page draws, and what it changes, in a second.
CHANGES_IN_A_SECOND = """() => new Promise((done) => {
    const changed = [];
    const observer = new MutationObserver((found) => found.forEach(({ target, type, attributeName }) =>
        changed.push([target.id || target.className || target.nodeName, attributeName ?? type].join(" "))));
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    setTimeout(() => { observer.disconnect(); done(changed); }, 1000);
})"""


def test_a_page_that_nobody_touches_changes_nothing(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    for tab in NAMES:
        visit.tab(tab)
        visit.rest()
        assert visit.page.evaluate(CHANGES_IN_A_SECOND) == [], tab


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_the_page_fits(fake_studio: Studio, open_page: OpenPage, size: tuple[int, int], locale: str) -> None:
    visit = open_page(fake_studio, size, locale=locale)
    wide = visit.page.evaluate("() => document.scrollingElement.scrollWidth - window.innerWidth")
    assert wide <= 0, "no scrolling sideways"
    box = visit.page.locator("#generate").locator("visible=true").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= size[1], "Generate is in view"
    stage = visit.stage().bounding_box()
    assert stage is not None
    assert stage["y"] < size[1] / 2
    if size == PHONE:
        assert box["height"] >= 44
        font = visit.page.locator("#prompt textarea").evaluate("area => parseFloat(getComputedStyle(area).fontSize)")
        assert font >= 16, "no zoom on focus"


def test_the_page_speaks_chinese(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio, locale="zh-CN")
    assert visit.page.evaluate("() => document.documentElement.lang").startswith("zh")
    text = visit.page.locator("body").inner_text()
    assert "Text to image" not in text
    assert "Negative prompt" not in text
    visit.page.locator("#prompt textarea").fill("oom delay=0.01")
    visit.generate()
    visit.wait_state("failed")
    assert any("\u4e00" <= sign <= "\u9fff" for sign in visit.stage().inner_text()), "the error too"


def test_a_failure_is_a_sentence_on_the_stage(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("fail delay=0.01")
    visit.generate()
    visit.wait_state("failed")
    said = visit.stage().inner_text()
    assert said.strip()
    assert "Traceback" not in said


def test_a_job_that_cannot_be_read_is_listed_with_its_date(open_page: OpenPage, tmp_path: Path) -> None:
    with closing(Storage(tmp_path)) as storage:
        storage.jobs.insert("odd", LOCAL, {"task": "text_to_video", "schema_version": 9}, "waiting")
        with storage.database.transaction() as connection:
            connection.execute("UPDATE jobs SET created = 1893412800")  # noon of the last day of 2029
    sentence = "This job cannot be read: another version of Darkroom wrote it"
    with Studio(tmp_path, is_real=False) as studio:
        for locale, said in (("en-US", (sentence, "December 31, 2029")), ("zh-CN", ("其他版本", "2029年12月31日"))):
            visit = open_page(studio, locale=locale)
            visit.wait_job("odd")
            visit.wait_state("failed")
            item = visit.page.locator(".rail-list li[data-job=odd] .thumb")
            for text in said:
                expect(visit.page.locator(".stage-error")).to_contain_text(text)
                expect(item).to_have_attribute("aria-label", re.compile(text))
            expect(visit.page.locator(".stage-error button")).to_have_count(0)
            buttons = visit.page.locator(".actions > button")
            assert all(button.is_disabled() or button.is_hidden() for button in buttons.all())
            expect(visit.page.locator(".step-actions")).to_be_hidden()
            assert serious_findings(visit) == []
            visit.context.close()


def test_control_enter_generates(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("keyboard steps=4")
    visit.submit(lambda: visit.control("Prompt").press("Control+Enter"))
    visit.wait_state("finished")


def test_previews_differ_and_the_steps_are_told(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.watch_previews()
    visit.write("previews delay=0.15 steps=20")
    visit.generate()
    visit.wait_state("finished")
    visit.rest()
    assert len(visit.previews()) >= 4
    assert visit.stage().get_attribute("data-total") == "20"
    assert visit.stage().get_attribute("data-step") == "20"


def test_generate_enqueues_while_something_runs(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("first delay=0.2 steps=20")
    visit.generate()
    visit.wait_state("running", "waiting")
    visit.write("second steps=3")
    visit.click_generate()
    visit.page.wait_for_function(
        "async () => { const jobs = await (await fetch('/api/jobs')).json();"
        " const list = Array.isArray(jobs) ? jobs : jobs.jobs;"
        " return ['first delay=0.2 steps=20', 'second steps=3'].every("
        "p => list.some(j => j.request.prompt === p && j.state === 'finished')); }",
        timeout=60_000,
    )


def test_a_job_goes_on_while_the_page_is_reloaded(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("reload delay=0.3 steps=20")
    job = visit.generate()
    visit.wait_state("running")
    visit.page.reload()
    visit.wait_job(job)
    visit.wait_state("finished")
    assert visit.job() == job


def test_an_ended_job_keeps_its_steps_when_the_page_is_reloaded(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("ends before the reload steps=6")
    visit.generate()
    visit.wait_state("finished")
    visit.page.reload()
    expect(visit.page.locator('#stage[data-state="finished"][data-step="6"][data-total="6"]')).to_be_visible()


def test_a_job_is_found_again_in_a_new_tab(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("closed tab delay=0.3 steps=20")
    job = visit.generate()
    visit.wait_state("running")
    visit.page.close()
    again = open_page(fake_studio, context=visit.context)
    again.wait_job(job)
    again.wait_state("finished")


def test_stop_ends_the_job_at_once(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("long delay=0.5 steps=100")
    visit.generate()
    visit.wait_state("running")
    visit.button("Stop").click()
    visit.wait_state("cancelled", seconds=10)


def a_picture(width: int = 128, height: int = 96) -> Any:
    """What a file chooser gives."""
    content = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 90)).save(content, "PNG")
    return {"name": "picture.png", "mimeType": "image/png", "buffer": content.getvalue()}


def test_what_was_typed_survives_a_reload_and_a_restart(browser: Browser, open_page: OpenPage, tmp_path: Path) -> None:
    with Studio(tmp_path, is_real=False) as studio:
        visit = open_page(studio)
        visit.write("kept through it all")
        visit.set_number("Steps value", "33")
        visit.tab("Image to image")
        visit.page.set_input_files("#init_image input", a_picture())
        expect(visit.page.get_by_label("Width", exact=True)).to_have_value("128")
        visit.set_number("Width", "192")
        visit.rest()
        visit.page.reload()
        expect(visit.control("Prompt")).to_have_value("kept through it all")
        visit.rest()  # a value that came back must also stay
        expect(visit.page.get_by_label("Width", exact=True)).to_have_value("192")
        studio.stop()
        studio.start()
        visit.page.reload()
        expect(visit.control("Prompt")).to_have_value("kept through it all")
        expect(visit.page.get_by_label("Steps value", exact=True)).to_have_value("33")
        visit.context.close()  # before the program goes for good
        visit.errors.clear()  # while the program was away, the browser complained about its stream


def test_the_size_becomes_what_an_open_one_would(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.tab("Image to image")
    visit.page.set_input_files("#init_image input", a_picture(900, 400))
    width, height = fitted_size((900, 400), 512 * 512)  # of the starter
    expect(visit.page.get_by_label("Width", exact=True)).to_have_value(str(width))
    expect(visit.page.get_by_label("Height", exact=True)).to_have_value(str(height))


def test_four_tabs_stay_responsive(fake_studio: Studio, open_page: OpenPage) -> None:
    first = open_page(fake_studio)
    tabs = [first, *(open_page(fake_studio, context=first.context) for _ in range(3))]
    for number, visit in enumerate(tabs):
        visit.page.bring_to_front()
        visit.write(f"tab {number} delay=0.05 steps=4")
        visit.generate()
    for visit in tabs:
        visit.page.bring_to_front()
        expect(visit.stage()).to_have_attribute("data-state", "finished")


@pytest.fixture
def guarded_studio(tmp_path: Path) -> Iterator[Studio]:
    """Two people with logins of their own."""
    flags = ("--auth", "ada:lovelace", "--auth", "grace:hopper")
    with Studio(tmp_path, is_real=False, flags=flags) as studio:
        yield studio


def test_two_people_see_only_their_own(guarded_studio: Studio, open_page: OpenPage) -> None:
    ada = open_page(guarded_studio, login=("ada", "lovelace"))
    guarded_studio.wait_until_ready()
    ada.write("mine alone steps=3")
    job = ada.generate()
    ada.wait_state("finished")
    grace = open_page(guarded_studio, login=("grace", "hopper"))
    grace.rest()
    assert grace.job() == ""
    assert grace.stage().get_attribute("data-state") == "empty"
    assert grace.page.evaluate(f"async () => (await fetch('/api/jobs/{job}')).status") == 404
    assert grace.page.evaluate("async () => JSON.stringify(await (await fetch('/api/jobs')).json())").find(job) == -1
    for visit in (ada, grace):
        visit.errors.clear()  # the 401 before the login, and the 404 that was asked for

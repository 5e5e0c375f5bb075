"""What the page does with a public link and with a second checkpoint: apps of their own, with the fake worker."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator

import pytest
import segno
from PIL import Image
from playwright.sync_api import expect

from tests.browser.studio import ROOT, Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
ADDRESS = "https://1f0c9a7d2b3e4f5a6b.example"


@pytest.fixture(scope="module")
def shared_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    flags = ("--share", "--auth", "ada:lovelace")
    folder = tmp_path_factory.mktemp("shared")
    with Studio(folder, is_real=False, flags=flags, environment={"FAKE_SHARE": ADDRESS}) as studio:
        yield studio


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_share_dialog_shows_address_and_code(shared_studio: Studio, open_page: OpenPage, scheme: str) -> None:
    visit = open_page(shared_studio, login=("ada", "lovelace"), scheme=scheme)
    visit.page.locator(".share-button").click()
    address = visit.control("Address")
    expect(address).to_have_value(ADDRESS)
    code = visit.page.locator(".share-pop .qr svg")
    expect(code).to_be_visible()
    drawn = Image.open(io.BytesIO(code.screenshot())).convert("L")
    border = 2
    rows = [list(row) for row in segno.make(ADDRESS, error="m").matrix_iter(border=border)]
    for y, row in enumerate(rows):
        for x, is_dark in enumerate(row):
            at = (int((x + 0.5) * drawn.width / len(row)), int((y + 0.5) * drawn.height / len(rows)))
            assert (drawn.getpixel(at) < 128) == bool(is_dark), f"module {x}, {y}"
    visit.errors.clear()  # the 401 before the login


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The starter, a copy of it with other defaults, and one that looks like a model of few steps."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("starter", "other", "lcm-mix"):
        skip = shutil.ignore_patterns("recipe")
        shutil.copytree(ROOT / "models" / "starter", folder / name, ignore=skip)
    note = folder / "other" / "darkroom.json"
    described = json.loads(note.read_text(encoding="utf-8"))
    described["name"] = "Other"
    described["defaults"] |= {"steps": 31, "guidance_scale": 9.0, "width": 320, "height": 192}
    note.write_text(json.dumps(described), encoding="utf-8")
    described |= {"name": "Quick", "defaults": {"width": 512, "height": 512}}
    (folder / "lcm-mix" / "darkroom.json").write_text(json.dumps(described), encoding="utf-8")
    flags = ("--models-dir", str(folder))
    with Studio(tmp_path_factory.mktemp("two"), is_real=False, flags=flags) as studio:
        yield studio


def pick(visit: Visit, name: str) -> None:
    visit.choose("Checkpoint", name)


def settings(visit: Visit) -> dict[str, str]:
    """What the controls show that a checkpoint has defaults for."""
    names = ("Checkpoint", "Steps value", "Guidance scale value", "Width", "Height")
    return {name: visit.chosen(name) if name == "Checkpoint" else visit.control(name).input_value() for name in names}


def test_a_checkpoint_brings_its_defaults_and_undo_takes_them_back(
    two_checkpoints: Studio, open_page: OpenPage
) -> None:
    visit = open_page(two_checkpoints)
    pick(visit, "Starter")
    visit.rest()
    visit.set_number("Steps value", "12")
    visit.rest()
    before = settings(visit)
    assert before["Checkpoint"] == "Starter"
    pick(visit, "Other")
    note = visit.page.locator("#note")
    expect(note).to_contain_text("Guidance scale 9")
    expect(note).to_contain_text("Width 320")
    expect(note).not_to_contain_text("Steps")
    expect(visit.control("Width")).to_have_value("320")
    assert settings(visit) == {
        "Checkpoint": "Other", "Steps value": "12", "Guidance scale value": "9", "Width": "320", "Height": "192",
    }  # fmt: skip
    note.get_by_role("button", name="Undo").click()
    expect(visit.control("Width")).to_have_value(before["Width"])
    visit.rest()
    assert settings(visit) == before, "touched and untouched, as it was"


def test_a_checkpoint_of_few_steps_says_what_it_set_and_why(two_checkpoints: Studio, open_page: OpenPage) -> None:
    visit = open_page(two_checkpoints)
    pick(visit, "Starter")
    visit.rest()
    visit.set_number("Steps value", "12")
    visit.rest()
    before = settings(visit)
    pick(visit, "Quick")
    note = visit.page.locator("#note")
    expect(note).to_contain_text(
        "Judging by its name, this is LCM, made for 4 steps without guidance. These settings were applied."
    )
    expect(visit.control("Steps value")).to_have_value("4")
    expect(visit.control("Guidance scale value")).to_have_value("1")
    assert visit.chosen("Scheduler") == "LCM"
    note.get_by_role("button", name="Undo").click()
    expect(visit.control("Steps value")).to_have_value("12")
    visit.rest()
    assert settings(visit) == before

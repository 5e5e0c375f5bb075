"""Scripts and styles as files: all are used, none grows too long, none puts text into a page as HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webui.ui import assets

FOLDER = Path(assets.__file__).parent / "assets"
SCRIPTS = sorted(FOLDER.rglob("*.js"))
MOST_LINES = 250  # of a script; a longer one is asking to be cut where its idea divides


def test_every_file_is_used() -> None:
    names = "brand fold framing gallery header looks mask more select stage style_part styling upload"
    others = {
        *assets.STYLES,
        *assets.LATE_STYLES,
        "early.js",
        "early.css",
        *(f"{name}.html" for name in names.split()),
    }
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert found == others | assets.modules().keys()
    assert len({*assets.STYLES}) == len(assets.STYLES)  # each once


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_text_is_never_put_in_as_html(script: Path) -> None:
    places = re.findall(r"(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write).*", script.read_text("utf-8"))
    assert [place for place in places if "share.qr" not in place] == []


def test_no_script_grows_too_long() -> None:
    assert [path.name for path in SCRIPTS if len(path.read_text("utf-8").splitlines()) > MOST_LINES] == []


@pytest.mark.parametrize("template", sorted(FOLDER.glob("*.html")), ids=lambda path: path.name)
def test_templates_have_nothing_to_fill_in(template: Path) -> None:
    text = template.read_text("utf-8")
    assert "${" not in text
    assert "{{" not in text

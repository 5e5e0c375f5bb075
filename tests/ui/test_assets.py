"""Scripts and styles as files: all are used, none grows too long, none puts text into a page as HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webui.ui import assets

FOLDER = Path(assets.__file__).parent / "assets"
SCRIPTS = sorted(FOLDER.glob("*.js"))


def test_every_file_is_used() -> None:
    used = {*assets.STYLES, *assets.SCRIPTS, "early.js", "early.css"}
    names = "brand fold header stage gallery more upload mask framing style_part styling"
    templates = {f"{name}.html" for name in names.split()}
    assert {path.name for path in FOLDER.iterdir()} == used | templates
    assert len({*assets.STYLES, *assets.SCRIPTS}) == len(assets.STYLES) + len(assets.SCRIPTS)  # each once


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_text_is_never_put_in_as_html(script: Path) -> None:
    places = re.findall(r"(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write).*", script.read_text("utf-8"))
    assert [place for place in places if "share.qr" not in place] == []


@pytest.mark.parametrize("template", sorted(FOLDER.glob("*.html")), ids=lambda path: path.name)
def test_templates_have_nothing_to_fill_in(template: Path) -> None:
    text = template.read_text("utf-8")
    assert "${" not in text
    assert "{{" not in text

"""The manual's commands, flags, routes and fields are the program's, and the README is short."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from webui.launch.command import COMMANDS
from webui.requests import REQUESTS
from webui.settings import ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "webui" / "docs").rglob("*.md"))}
MANUAL = "\n".join(text for path, text in PAGES.items() if path.parent.name == "en")
EVERYTHING = "\n".join((README, *PAGES.values()))
TABLE_ROWS = [line for line in MANUAL.splitlines() if line.startswith("|")]


def first_cells() -> list[str]:
    """The first cell of every row of every table of the manual."""
    return [row.split("|")[1].strip() for row in TABLE_ROWS]


def served_routes(data_dir: Path) -> set[tuple[str, str]]:
    """(method, path) of all that the app serves; built in a process of its own, as nobody runs it to its end here."""
    code = (
        "import json, pathlib, sys; from webui.app import build; from webui.settings import Settings\n"
        "paths = build(Settings(data_dir=pathlib.Path(sys.argv[1]))).openapi()['paths']\n"
        "sys.stdout.write(json.dumps({path: list(calls) for path, calls in paths.items()}))"
    )
    line = [sys.executable, "-c", code, str(data_dir)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return {(method.upper(), path) for path, calls in json.loads(done.stdout).items() for method in calls}


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 8 * 1024


def test_the_two_commands_come_first() -> None:
    assert README.index("python launch.py\n") < README.index("python launch.py test\n") < README.index("## ")


def test_every_command_is_there() -> None:
    named = set(re.findall(r"`python launch\.py (\w+)`", MANUAL))
    assert named == set(COMMANDS)


def test_the_flags_are_the_settings() -> None:
    named = {found[1] for cell in first_cells() if (found := re.match(r"`--([a-z-]+)[ A-Z:]*`", cell))}
    assert named == {name.replace("_", "-") for name in Settings.model_fields}


def test_the_flags_defaults_are_true() -> None:
    for name, field in Settings.model_fields.items():
        row = next(row for row in TABLE_ROWS if re.match(rf"\| `--{name.replace('_', '-')}[ `]", row))
        said = row.split("|")[2].strip().strip("`")
        if isinstance(field.default, bool):
            assert said == "off", name
        elif isinstance(field.default, Path):
            assert ROOT / said == field.default, name
        elif isinstance(field.default, str | int):
            assert said == str(field.default), name


def test_the_routes_are_the_apps(tmp_path: Path) -> None:
    named = {tuple(cell.strip("`").split(" ")) for cell in first_cells() if re.match(r"`(GET|POST|DELETE) /", cell)}
    assert named == served_routes(tmp_path)


def test_every_field_of_a_request_is_there() -> None:
    start = MANUAL.index("| field | tasks | meaning |")
    table = MANUAL[start : MANUAL.index("\n<!--", start)]
    named = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines())))
    assert named == {field.name for request in REQUESTS.values() for field in fields(request)}


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:models|presets|tests|webui)/[\w./-]+)`", EVERYTHING)
    # folders for people to make
    yours = ("models/vgg19", "models/tokenizers", "models/loras", "models/embeddings", "models/clip")
    ours = [name for name in named if not name.startswith(yours)]
    assert ours
    assert [name for name in ours if not (ROOT / name).exists()] == []


def test_every_picture_is_there() -> None:
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)|<img[^>]+src=\"([^\"]+)\"", README):
        assert (ROOT / (name[0] or name[1])).is_file()


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    broken = []
    for path, text in {ROOT / "README.md": README, **PAGES}.items():
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
            name, _, anchor = target.partition("#")
            there = path.parent / name if name else path
            if not there.is_file() or (anchor and anchor not in anchors(there)):
                broken.append(f"{path.name}: {target}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them in addresses."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_it_speaks_chinese_too() -> None:
    assert re.search(r"[\u4e00-\u9fff]{4}", README)

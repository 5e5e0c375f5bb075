"""The manual's commands, tables, files and links are the program's, and the README is short."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from webui.docs.manual import FOLDER
from webui.docs.tables import rows_of
from webui.launch.command import COMMANDS
from webui.settings import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.md"))}
MANUAL = "\n".join(text for path, text in PAGES.items() if path.parent.name == "en")
OF_TESTS = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
EVERYTHING = "\n".join((README, OF_TESTS, *PAGES.values()))


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 8 * 1024


def test_the_two_commands_come_first() -> None:
    assert README.index("python launch.py\n") < README.index("python launch.py test\n") < README.index("## ")


def test_every_command_is_there() -> None:
    named = set(re.findall(r"`python launch\.py (\w+)`", MANUAL))
    assert named == set(COMMANDS)


def test_the_tables_are_those_of_the_declarations() -> None:
    """By the command that writes them, in a process of its own: it builds the app and does not run it to its end."""
    line = [sys.executable, "launch.py", "docs", "--check"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"run `python launch.py docs`: {done.stdout}{done.stderr}"


@pytest.mark.parametrize(("page", "name"), [("http-api", "fields"), ("http-api", "routes"), ("models", "families")])
def test_every_row_says_what_it_means(page: str, name: str) -> None:
    rows = rows_of(PAGES[FOLDER / "en" / f"{page}.md"], name)
    assert rows
    assert [row[0] for row in rows if not row[-1]] == []


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:models|presets|tests|webui)/[\w./-]+)`", EVERYTHING)
    # folders for people to make
    yours = ("models/vgg19", "models/tokenizers", "models/loras", "models/embeddings", "models/clip", "models/vae")
    ours = [name for name in named if not name.startswith(yours)]
    assert ours
    assert [name for name in ours if not (ROOT / name).exists()] == []


def test_every_folder_of_tests_is_listed() -> None:
    folders = {path.parent.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("*/test_*.py")}
    assert [name for name in sorted(folders) if f"`tests/{name}/" not in OF_TESTS] == []


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

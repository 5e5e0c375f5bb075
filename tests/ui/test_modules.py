"""How the page's scripts stand to each other: rooms in layers, no cycle, and each kind of thing done in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import gradio as gr
import pytest

from webui.ui import assets

# From the bottom up; a script imports from its own room or from those before it. Rooms in one line do not know each
# other.
ROOMS = (
    ("texts",),
    ("core",),
    ("form",),
    ("gradio",),
    ("jobs",),
    ("parts",),
    ("paint",),
    ("controls", "pictures", "prompt", "stage", "gallery", "models", "operator", "header"),
    (assets.MAIN,),
)
TESTS = Path(__file__).parents[1] / "modules"
SOURCES = assets.modules()
MADE = {assets.GIVEN, assets.text_file("en"), assets.late_text_file("en")}  # by Python
NAMES = {*MADE, *SOURCES}
IMPORT = re.compile(r"^import\s+(?:\{([^}]*)\}\s+from\s+)?\"([^\"]+)\";$", re.MULTILINE)
IMPORT_LATER = re.compile(r"\bimport\(\"\./([^\"]+)\"\)")
EXPORT = re.compile(r"^export\s+(?:async\s+)?(?:const|let|class|function)\s+(\w+)", re.MULTILINE)
SELECTING = re.compile(r"(?:querySelector|querySelectorAll|closest|matches|byId|getElementById)\??\.?\(([^)\n]*)")
TEXT = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n]*)`")
GRADIOS_OWN = re.compile(
    r"data-testid|gradio-|\.gr-|\.svelte|svelte-|\.(?:tabs|tab-nav|tab-container|block|form|wrap)\b"
)


def code_of(name: str) -> str:
    """A script without its comments."""
    return re.sub(r"^\s*//[^\n]*|(?<=[;{},]) // [^\n]*|/\*[\s\S]*?\*/", "", SOURCES[name], flags=re.MULTILINE)


def imports_of(name: str) -> Iterator[tuple[str, list[str]]]:
    """(script, what is imported of it) for each import of a script."""
    for names, way in IMPORT.findall(SOURCES[name]):
        assert way.startswith("."), f"{name} imports {way}"
        parts: list[str] = []
        for part in (PurePosixPath(name).parent / way).parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        yield "/".join(parts), [one.split(" as ")[0].strip() for one in names.split(",") if one.strip()]


def rank(name: str) -> int:
    return next(at for at, line in enumerate(ROOMS) if PurePosixPath(name).parts[0] in line)


def test_every_room_has_a_layer() -> None:
    known = {room for line in ROOMS for room in line}
    assert {PurePosixPath(name).parts[0] for name in NAMES} == known, "give the new room a layer in this test"


def test_every_import_is_there_and_stands_at_the_top() -> None:
    for name in SOURCES:
        for target, wanted in imports_of(name):
            assert target in NAMES, f"{name} imports {target}"
            if target not in MADE:
                assert {*wanted} <= {*EXPORT.findall(SOURCES[target])}, f"{name} imports {wanted} of {target}"
        later = IMPORT_LATER.findall(code_of(name))
        assert len(IMPORT.findall(SOURCES[name])) + len(later) == len(
            re.findall(r"\bimport\b(?!\.meta)", code_of(name))
        ), name
        assert name == assets.MAIN or not later, f"{name} imports when it is needed: main.js does"
        assert not re.search(r"^export\s*[{*]|^export default", SOURCES[name], re.MULTILINE), name


def test_there_are_no_cycles() -> None:
    try:
        order = tuple(TopologicalSorter({name: [to for to, _ in imports_of(name)] for name in SOURCES}).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
    assert {*order} == NAMES


def test_imports_go_downwards() -> None:
    wrong = [
        f"{name} imports {target}"
        for name in SOURCES
        for target, _ in imports_of(name)
        if PurePosixPath(name).parts[0] != PurePosixPath(target).parts[0] and rank(name) <= rank(target)
    ]
    assert wrong == []


def test_main_starts_every_script() -> None:
    imported = {name: {to for to, _ in imports_of(name)} for name in SOURCES}
    of_main = imported[assets.MAIN] | {*IMPORT_LATER.findall(SOURCES[assets.MAIN])}
    nobodys = NAMES - {assets.MAIN} - {to for name in SOURCES if name != assets.MAIN for to in imported[name]}
    assert nobodys <= of_main
    reached: set[str] = set()
    due = {assets.MAIN, *of_main}
    while due:
        reached |= due
        due = {to for name in due for to in imported.get(name, ())} - reached
    assert reached == NAMES


def test_every_export_is_used() -> None:
    used = {(target, one) for name in SOURCES for target, names in imports_of(name) for one in names}
    tests = "\n".join(path.read_text("utf-8") for path in TESTS.iterdir() if path.suffix in (".py", ".js"))
    unused = [
        f"{name}: {one}"
        for name in SOURCES
        for one in EXPORT.findall(SOURCES[name])
        if (name, one) not in used and not (name in tests and re.search(rf"\b{one}\b", tests))
    ]
    assert unused == []


def test_what_is_told_is_heard() -> None:
    code = "\n".join(code_of(name) for name in SOURCES)
    told = {*re.findall(r"\bemit\(\"([\w-]+)\"", code)}
    in_turn = {
        name
        for names in re.findall(r"for \(const event of \[([^\]]+)\]\)", code)
        for name in re.findall(r"[\w-]+", names)
    }
    later = {name for names in re.findall(r"comesLater\(.*\[([^\]]*)\]", code) for name in re.findall(r"[\w-]+", names)}
    assert told - {*re.findall(r"\bon\(\"([\w-]+)\"", code)} - in_turn - later == set()


@pytest.mark.parametrize(
    ("what", "where"),
    [
        (r"\b(?:setTimeout|setInterval|requestIdleCallback)\b", ("core/timing.js", "gradio/")),
        (r"\bMutationObserver\b", ("gradio/",)),
        (r"\bwindow\.fetch\s*=", ()),
        (r"\bfetch\(", ("core/api.js", "jobs/stream.js")),
        (r"\blocalStorage\b|\bsessionStorage\b", ("core/kept.js", "header/header.js")),  # there the language
        (r"\bhistory\.(?:pushState|replaceState|go|back)\b|\bonpopstate\b", ("core/history.js",)),
        (r"\b(?:outerHTML|insertAdjacentHTML|document\.write|eval)\b|\bnew Function\b", ()),
        (r"\binnerHTML\b", ("header/header.js",)),
        (r"\bgradio_config\b", (assets.MAIN,)),
        (r"\bwindow\.\w+\s*=[^=]", ("gradio/bridge.js",)),
        (r"\bconsole\.", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_kind_of_thing_is_done_in_one_place(what: str, where: tuple[str, ...]) -> None:
    found = {name for name in SOURCES if re.search(what, code_of(name))}
    assert {name for name in found if not name.startswith(where)} == set() if where else found == set()


def gradios_ids(page: gr.Blocks) -> set[str]:
    """Ids of what Gradio draws, but for what has a part of ours in it."""
    return {
        block.elem_id
        for block in page.blocks.values()
        if block.elem_id and not (isinstance(block, gr.HTML) and "<darkroom-part" in str(block.html_template))
    }


def test_gradios_elements_are_known_to_one_room(page: gr.Blocks) -> None:
    ids = gradios_ids(page)
    assert {"generate", "prompt", "tasks", "seed"} <= ids
    an_id = re.compile(rf"#(?:{'|'.join(sorted(ids, key=len, reverse=True))})(?![\w-])")
    wrong = []
    for name in SOURCES:
        if name.startswith("gradio/"):
            continue
        code = code_of(name)
        asked = [next(filter(None, found), "") for call in SELECTING.findall(code) for found in TEXT.findall(call)]
        by_id = [text for text in re.findall(r"(?:byId|getElementById)\(\"([\w-]+)\"", code) if text in ids]
        wrong += [f"{name}: {text}" for text in asked if an_id.search(text) or GRADIOS_OWN.search(text)]
        wrong += [f"{name}: byId {text}" for text in by_id]
    assert wrong == []

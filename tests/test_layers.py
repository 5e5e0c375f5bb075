"""The layers of the project: imports go one way, the page loads no torch, the engine loads no gradio."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the top down; a module imports from its own part or from parts further down. Parts in one line do not know each
# other, but for the vocabulary in the last line.
LAYERS = (
    ("launch",),
    ("app",),
    ("ui", "api"),
    ("operator",),
    ("jobs",),
    ("downloads",),
    ("storage",),
    ("engine",),
    ("metadata",),
    ("rules",),
    ("prompts",),
    ("docs",),
    ("checkpoints", "presets", "texts", "share", "worker"),
    (
        "requests",
        "events",
        "settings",
        "errors",
        "schedulers",
        "capabilities",
        "encodings",
        "file_names",
    ),
)
VOCABULARY = LAYERS[-1]
# The engine stands beside the queue, not below it: nobody but the composition root and the worker may know it.
KNOWS_THE_ENGINE = {"app", "engine"}
MAY_NOT_BE_KNOWN_BY_THE_ENGINE = {"docs", "downloads", "operator", "presets", "texts", "share", "metadata"}
LATE_IMPORTS = {
    # importer → what it imports inside a function, and why that is meant (see the comment at the place itself)
    ("launch", "webui.launch.command"),  # an older Python stops before it
    ("webui.launch.command", "webui.launch.serve"),  # needs packages that may have to be installed first
    ("webui.launch.command", "webui.launch.reindex"),  # the same
    ("webui.launch.command", "webui.launch.docs"),  # the same
    ("webui.launch.serve", "webui.app"),  # Gradio, which --help and a port in use do not wait for
    ("webui.engine.worker", "webui.engine.engine"),  # loads torch, once the process has said that it lives
    ("webui.engine.worker", "webui.engine.context"),
    ("webui.engine.worker", "webui.engine.device"),
}
# Of the launcher, what runs once the packages are there.
NEED_PACKAGES = ("webui.launch.serve", "webui.launch.reindex", "webui.launch.docs")
# What the launcher leaves for the program and the program reads; of the standard library itself.
LAUNCHERS_TOO = ("webui.downloads.wish",)


def modules() -> dict[str, Path]:
    """Dotted name → file, of everything that is ours."""
    files = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in (ROOT / "webui").rglob("*.py")}
    files["launch"] = ROOT / "launch.py"
    return {name.removesuffix(".__init__"): path for name, path in files.items()}


MODULES = modules()


def imported(node: ast.AST, importer: str) -> Iterator[str]:
    """The modules of ours that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "webui")
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{importer}: imports are absolute here"
        if (node.module or "").split(".")[0] == "webui":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else str(node.module)


def imports_of(name: str, *, everywhere: bool) -> set[str]:
    """What a module of ours imports of ours, at its top level or inside functions too; types-only imports count."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    inside_functions = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    }
    nodes = [node for node in ast.walk(tree) if everywhere or id(node) not in inside_functions]
    return {target for node in nodes for target in imported(node, name)}


def part(name: str) -> str:
    """`webui.jobs.queue` → `jobs`; launch.py counts as `launch`."""
    names = name.split(".")
    return names[1] if len(names) > 1 else "launch" if name == "launch" else ""


def rank(name: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if part(name) in layer)


def test_every_part_has_a_layer() -> None:
    known = {name for layer in LAYERS for name in layer}
    assert {part(name) for name in MODULES} - known - {""} == set(), "give the new part a layer in this test"


def test_imports_go_downwards() -> None:
    upwards = [
        f"{importer} imports {target}"
        for importer in MODULES
        for target in imports_of(importer, everywhere=True)
        if part(importer)
        and part(target)
        and part(importer) != part(target)
        and (rank(target) < rank(importer) or (rank(target) == rank(importer) and part(target) not in VOCABULARY))
    ]
    assert upwards == []


def test_only_the_worker_and_the_composition_root_know_the_engine() -> None:
    knowing = {part(i) for i in MODULES for t in imports_of(i, everywhere=True) if part(t) == "engine"}
    assert knowing <= KNOWS_THE_ENGINE


def test_the_engine_knows_no_jobs_page_or_words() -> None:
    known = {part(t) for i in MODULES if part(i) == "engine" for t in imports_of(i, everywhere=True)}
    assert known & MAY_NOT_BE_KNOWN_BY_THE_ENGINE == set()
    assert all(rank(f"webui.{name}") >= rank("webui.engine") for name in known - {""})


def test_there_are_no_cycles() -> None:
    graph = {name: imports_of(name, everywhere=True) - {name} for name in MODULES}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_imports_stand_at_the_top() -> None:
    late = {
        (importer, target)
        for importer in MODULES
        for target in imports_of(importer, everywhere=True) - imports_of(importer, everywhere=False)
    }
    assert late <= LATE_IMPORTS


def test_the_launcher_is_standard_library_only() -> None:
    foreign = []
    for name, path in MODULES.items():
        if (part(name) != "launch" and name not in LAUNCHERS_TOO) or name in NEED_PACKAGES:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [str(node.module)]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            foreign += [f"{name}: {n}" for n in names if not is_standard_or_launcher(n)]
    assert foreign == []


def is_standard_or_launcher(name: str) -> bool:
    return name.split(".")[0] in sys.stdlib_module_names or name.startswith("webui.launch") or name in LAUNCHERS_TOO


def test_modules_say_what_they_are() -> None:
    silent = [n for n, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in memory after a statement, in a fresh interpreter."""
    code = f"{statement}\nimport sys\nsys.stdout.write(' '.join(sorted({{n.split('.')[0] for n in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_page_loads_no_torch() -> None:
    loaded = loaded_by("import webui.app")
    assert "gradio" in loaded
    assert loaded & {"torch", "diffusers", "transformers", "accelerate", "compel", "safetensors"} == set()


def test_the_engine_loads_no_page() -> None:
    loaded = loaded_by("import webui.engine.engine")
    assert "torch" in loaded
    assert loaded & {"gradio", "fastapi", "starlette", "uvicorn", "sqlite3"} == set()


def test_the_queue_and_the_vocabulary_load_neither() -> None:
    names = ("jobs.queue", "checkpoints.catalogue", "presets", "texts", "settings", "requests")
    assert (
        loaded_by("import " + ", ".join(f"webui.{name}" for name in names))
        & {"torch", "gradio", "diffusers", "fastapi"}
        == set()
    )


def test_the_launcher_loads_nothing_heavy() -> None:
    loaded = loaded_by("import launch, webui.launch.command")
    assert loaded & {"torch", "gradio", "pydantic", "uvicorn", "fastapi", "numpy"} == set()

"""Lint, formatting and types, as `pyproject.toml` sets them, and what of a test no linter sees."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from webui.settings import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=["lint", "format", "types"],
)
def test_the_code_is_clean(arguments: tuple[str, ...]) -> None:
    line = [sys.executable, "-m", *arguments]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# (file, name) of what no public way leads to, and why.
PRIVATE_NAMES_ALLOWED = {
    ("engine/pipelines/adapters/test_by_name.py", "_unpack_latents"): "diffusers' pipelines unpack with it",
    ("engine/pipelines/test_tasks.py", "_forward_pre_hooks"): "torch lists hooks in no other way",
    ("engine/prompts/test_a1111_embeds.py", "_forward_hooks"): "torch lists hooks in no other way",
    ("engine/unet/test_diffusion.py", "_forward_pre_hooks"): "torch lists hooks in no other way",
    ("engine/schedulers/test_ancestral.py", "_sigma_to_t"): "diffusers' own work, which is counted",
    ("ui/test_page.py", "_stylesheets"): "Gradio asks its theme for these and shows them in no config",
    ("engine/test_worker.py", "_exit"): "os._exit is public for all its name",
    ("fakes.py", "_exit"): "os._exit is public for all its name",
}


def private_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each private name of something else that is reached for: by attribute, by import, or in the name
    of an attribute to be replaced."""
    for node in ast.walk(tree):
        names: list[str] = []
        match node:
            case (
                ast.Attribute(value=ast.Name(id="self" | "cls")) | ast.Attribute(value=ast.Call(func=ast.Name("super")))
            ):
                pass
            case ast.Attribute(attr=name):
                names = [name]
            case ast.ImportFrom(names=imported):
                names = [alias.name for alias in imported]
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr") | ast.Name("getattr" | "setattr"), args=given):
                said = [one.value for one in given[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                names = [text.rpartition(".")[2] for text in said]
        yield from ((node.lineno, name) for name in names if name.startswith("_") and not name.startswith("__"))


def test_tests_reach_for_no_private_names() -> None:
    folder = ROOT / "tests"
    found = {
        (path.relative_to(folder).as_posix(), name): line
        for path in sorted(folder.rglob("*.py"))
        for line, name in private_names(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found.keys() == PRIVATE_NAMES_ALLOWED.keys()


LONGEST_TEST = 45  # lines: a screen


def test_every_test_fits_on_a_screen() -> None:
    long = [
        f"{path.name}: {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if (node.end_lineno or 0) - node.lineno >= LONGEST_TEST
    ]
    assert long == []

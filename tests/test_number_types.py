"""One place decides in which number type a device computes (`webui/engine/device.py`); nothing else decides it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.number_types import a_cpu
from webui.engine.device import best_dtype, mixed_precision, wide

ROOT = Path(__file__).resolve().parent.parent
CPU = torch.device("cpu")
PLACES = ("webui", "models", "tests")
DECIDES = (
    "webui/engine/device.py",
    "tests/engine/test_device.py",
    "tests/number_types.py",
    "tests/test_number_types.py",
)
ASKS_THE_MACHINE = ("get_capabilities", "get_cpu_capability", "get_device_capability", "is_bf16_supported")
HALVES = ("bfloat16", "float16", "half")
# Where those are named and nothing slow is computed: what is stored, compared or checked, and toys of a few pixels.
NAMES_ONLY = {
    "models/starter/recipe/checkpoint.py": {"_save_tiny_vae", "write_checkpoint"},
    "models/starter/recipe/clip_model.py": {"save_clip"},
    "models/starter/recipe/encode.py": {"encode_shard"},
    "models/starter/recipe/judge.py": {"save_judge", "main"},
    "models/starter/recipe/latents.py": {"__getitem__"},
    "models/style/recipe/instant/train.py": {"export"},
    "webui/engine/pictures/latents.py": {"_wide_enough"},
    "webui/engine/style/objective.py": {"gradient"},
    "webui/engine/style/transfer.py": {"from_coarse_to_fine", "last"},
}


def functions_of(source: str) -> Iterator[tuple[str, ast.AST]]:
    """Each node with the innermost function that it is in; "" at the top."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
            yield inner, child
            yield from walk(child, inner)

    return walk(ast.parse(source), "")


def decisions_in(source: str) -> list[tuple[str, str]]:
    """(function, what) for what belongs to device.py alone: asking the machine, or casting by itself."""
    found = []
    for function, node in functions_of(source):
        if isinstance(node, ast.Attribute) and node.attr in ASKS_THE_MACHINE:
            found.append((function, node.attr))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "autocast":
            is_off = any(
                key.arg == "enabled" and isinstance(key.value, ast.Constant) and key.value.value is False
                for key in node.keywords
            )
            found += [] if is_off else [(function, "autocast")]
    return found


def halves_in(source: str) -> set[str]:
    """The functions that name bf16 or fp16."""
    return {
        function for function, node in functions_of(source) if isinstance(node, ast.Attribute) and node.attr in HALVES
    }


def sources(*places: str) -> Iterator[tuple[str, str]]:
    for place in places:
        for file in sorted((ROOT / place).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            if name not in DECIDES:
                yield name, file.read_text(encoding="utf-8")


def test_nothing_decides_for_itself() -> None:
    assert {name: found for name, source in sources(*PLACES) if (found := decisions_in(source))} == {}


def test_only_what_stores_or_compares_names_half_precision() -> None:
    named = {name: found for name, source in sources("webui", "models") if (found := halves_in(source))}
    assert named == NAMES_ONLY


def test_a_decision_of_its_own_is_found() -> None:
    source = """
def train(device):
    with torch.autocast(device.type, torch.bfloat16):
        pass
    with torch.autocast("cpu", enabled=False):
        pass
    return torch.cuda.is_bf16_supported()
"""
    assert decisions_in(source) == [("train", "autocast"), ("train", "is_bf16_supported")]
    assert halves_in(source) == {"train"}


@pytest.mark.parametrize("has_bf16", [True, False])
def test_training_multiplies_what_the_machine_multiplies(has_bf16: bool) -> None:
    with a_cpu(multiplies_bf16=has_bf16), mixed_precision(CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if has_bf16 else torch.float32)
    with a_cpu(multiplies_bf16=has_bf16):
        assert best_dtype(CPU) == product.dtype == wide(best_dtype(CPU))
    assert wide(torch.float16) == torch.float32


def test_a_pretended_cpu_refuses_slow_products() -> None:
    halves = torch.ones(2, 2, dtype=torch.bfloat16)
    with a_cpu(multiplies_bf16=False):
        assert float((halves + halves).sum()) == 8  # sums are as quick as any
        with pytest.raises(AssertionError, match="does not multiply"):
            halves @ halves
    with a_cpu(multiplies_bf16=True):
        assert float((halves @ halves).sum()) == 8

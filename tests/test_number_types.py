"""One place decides in which number type a device computes (`webui/engine/device.py`); nothing else decides it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.number_types import a_cpu
from webui.engine.device import best_dtype, mixed_precision, wide

ROOT = Path(__file__).resolve().parent.parent
CPU = torch.device("cpu")
PLACES = ("webui", "models", "tests")  # benchmarks are among the tests
DECIDES = (
    "webui/engine/device.py",
    "tests/engine/test_device.py",
    "tests/number_types.py",
    "tests/test_number_types.py",
)
ASKS_THE_MACHINE = ("get_capabilities", "get_cpu_capability", "get_device_capability", "is_bf16_supported")
SAYS_OF_CPUS = ("avx512", "amx_", "cpuinfo")  # in texts that are looked for in what the system says of its processor
HALVES = ("bfloat16", "float16")
METHODS = (*HALVES, "half")
# Where those are named and nothing slow is computed: what is stored, compared or checked, and toys of a few pixels.
NAMES_ONLY = {
    "models/starter/recipe/checkpoint.py": {"_save_tiny_vae", "write_checkpoint"},
    "models/starter/recipe/clip_model.py": {"save_clip"},
    "models/starter/recipe/encode.py": {"encode_shard"},
    "models/starter/recipe/judge.py": {"main", "save_judge"},
    "models/starter/recipe/latents.py": {"__getitem__"},
    "models/style/recipe/instant/train.py": {"export"},
    "tests/engine/loading/test_model_manager.py": {
        "test_a_single_file_holds_what_its_parts_held",
        "test_the_device_s_number_type_is_used_whatever_the_file_holds",
        "test_weights_in_shards_and_in_fp16_files",
    },
    "tests/engine/loras/test_merging.py": {"test_weights_come_back_bit_by_bit_after_a_stop_too"},
    "tests/engine/style/test_instant.py": {"test_weights_come_back_and_others_are_refused"},
    "tests/engine/style/test_patches.py": {"test_distances_of_bright_patches_survive_rounding"},
    "tests/engine/style/test_style_losses.py": {"test_flat_and_bf16_features_stay_finite"},
    "tests/engine/style/test_style_transfer.py": {"test_fp16_is_never_computed_in", "with_weights"},
    "tests/engine/style/test_vgg.py": {"test_bf16_agrees_with_fp32_up_to_rounding"},
    "tests/models/starter/test_checkpoint.py": {"test_all_weights_are_bf16_and_finite"},
    "tests/models/starter/test_codec.py": {"test_the_codec_is_the_encoder_that_diffusers_runs"},
    "tests/models/starter/test_evaluate.py": {"test_the_whole_table"},
    "tests/models/starter/test_training.py": {"latents"},
    "tests/models/style/test_instant_recipe.py": {"test_it_learns_and_goes_on_where_it_was"},
    "tests/toys.py": {"save_sd15_file", "save_sd2_file", "save_sdxl_file"},
    "webui/engine/pictures/latents.py": {"_wide_enough"},
    "webui/engine/style/objective.py": {"gradient"},
    "webui/engine/style/transfer.py": {"from_coarse_to_fine", "last"},
}


def functions_of(source: str) -> Iterator[tuple[str, ast.AST]]:
    """Each node with the innermost function that it is in; "" at the top. Docstrings are left out."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            inner = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
            yield inner, child
            yield from walk(child, inner)

    return walk(ast.parse(source), "")


def name_of(node: ast.AST) -> str:
    """The last part of a name, however it is reached: `a.b`, `b`, `from a import b`; "" for anything else."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name):
            return name
    return ""


def text_of(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def decisions_in(source: str) -> list[tuple[str, str]]:
    """(function, what) for what belongs to device.py alone: asking the machine, or casting by itself."""
    found = []
    for function, node in functions_of(source):
        if name_of(node) in ASKS_THE_MACHINE:
            found.append((function, name_of(node)))
        if any(word in text_of(node).lower() for word in SAYS_OF_CPUS):
            found.append((function, text_of(node)))
        if isinstance(node, ast.Call) and name_of(node.func) == "autocast":
            is_off = any(
                key.arg == "enabled" and isinstance(key.value, ast.Constant) and key.value.value is False
                for key in node.keywords
            )
            found += [] if is_off else [(function, "autocast")]
    return found


def halves_in(source: str) -> set[str]:
    """The functions that name bf16 or fp16, also in a text as transformers takes it."""
    return {
        function
        for function, node in functions_of(source)
        if name_of(node) in (METHODS if isinstance(node, ast.Attribute) else HALVES)
        or text_of(node).removeprefix("torch.") in HALVES
    }


def sources(root: Path) -> Iterator[tuple[str, str]]:
    """Every file of the folders that compute, but for those that are about the decision itself."""
    for place in PLACES:
        for file in sorted((root / place).rglob("*.py")):
            name = file.relative_to(root).as_posix()
            if name not in DECIDES:
                yield name, file.read_text(encoding="utf-8")


def decided(root: Path) -> dict[str, list[tuple[str, str]]]:
    return {name: found for name, source in sources(root) if (found := decisions_in(source))}


def named(root: Path) -> dict[str, set[str]]:
    return {name: found for name, source in sources(root) if (found := halves_in(source))}


def test_nothing_decides_for_itself() -> None:
    assert decided(ROOT) == {}


def test_only_what_stores_or_compares_names_half_precision() -> None:
    assert named(ROOT) == NAMES_ONLY, "compute in best_dtype; what only stores or compares is listed"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("with torch.autocast(device.type, torch.bfloat16): pass", "autocast"),
        ("with autocast('cpu', dtype): pass", "autocast"),
        ("has_it = torch.cuda.is_bf16_supported()", "is_bf16_supported"),
        ("from torch.backends.cpu import get_cpu_capability", "get_cpu_capability"),
        ("has_it = 'avx512_bf16' in flags", "avx512_bf16"),
        ("flags = open('/proc/cpuinfo').read()", "/proc/cpuinfo"),
    ],
)
@pytest.mark.parametrize("place", ["webui/engine", "models/starter/recipe", "tests/engine", "tests/benchmarks"])
def test_a_decision_of_its_own_is_found_everywhere(tmp_path: Path, place: str, line: str, what: str) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "own.py").write_text(f"def train(device):\n    {line}\n", encoding="utf-8")
    assert decided(tmp_path) == {f"{place}/own.py": [("train", what)]}


@pytest.mark.parametrize(
    "line",
    ["x = network.bfloat16()", "x = x.to(torch.float16)", "from torch import bfloat16", "load(dtype='bfloat16')"],
)
def test_half_precision_is_found_however_it_is_named(line: str) -> None:
    assert halves_in(f"def compute(network):\n    {line}\n") == {"compute"}


def test_what_decides_nothing_is_let_through() -> None:
    assert decisions_in('"""Of AVX512."""\nwith torch.autocast("cpu", enabled=False):\n    pass\n') == []
    assert halves_in("def line(half):\n    return half / 2\n") == set()


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


LARGE = """
import pytest
@pytest.mark.native_bf16
def test_large(multiplies_bf16): pass
def test_small(multiplies_bf16): pass
"""


def test_only_what_is_too_large_is_left_out_where_bf16_is_not_multiplied(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(LARGE, encoding="utf-8")
    line = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", ROOT / "pyproject.toml", "-v", tmp_path]
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
    found = dict(re.findall(r"::(test_\w+\[\w+\]) (\w+)", done.stdout))
    assert found == {
        "test_large[bf16]": "SKIPPED", "test_large[fp32]": "PASSED",
        "test_small[bf16]": "PASSED", "test_small[fp32]": "PASSED",
    }, done.stdout  # fmt: skip

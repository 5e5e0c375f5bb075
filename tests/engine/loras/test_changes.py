"""What a LoRA's tensors amount to, against the formulas in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from webui.engine.loras.changes import LayerChange, by_layer

CPU = torch.device("cpu")
OUT, IN, RANK = 6, 8, 2


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def delta(tensors: dict[str, Tensor], shape: tuple[int, ...]) -> Tensor:
    (change,) = by_layer({f"layer.{name}": tensor for name, tensor in tensors.items()}).values()
    return change.delta(torch.Size(shape), CPU).double()


@pytest.mark.parametrize(
    ("down", "up"),
    [
        ("lora_down.weight", "lora_up.weight"),
        ("lora_A.weight", "lora_B.weight"),
        ("lora_A.default.weight", "lora_B.default.weight"),
        ("lora.down.weight", "lora.up.weight"),
        ("lora_linear_layer.down.weight", "lora_linear_layer.up.weight"),
    ],
)
def test_lora(down: str, up: str) -> None:
    a, b = numbers(RANK, IN), numbers(OUT, RANK)
    torch.testing.assert_close(delta({down: a, up: b}, (OUT, IN)), b @ a, atol=1e-6, rtol=1e-6)
    scaled = delta({down: a, up: b, "alpha": torch.tensor(0.5)}, (OUT, IN))
    torch.testing.assert_close(scaled, b @ a * 0.5 / RANK, atol=1e-6, rtol=1e-6)


def test_locon_is_a_convolution_after_another() -> None:
    down, up, picture = numbers(RANK, IN, 3, 3), numbers(OUT, RANK, 1, 1), numbers(1, IN, 5, 5)
    change = delta({"lora_down.weight": down, "lora_up.weight": up}, (OUT, IN, 3, 3))
    both = torch.conv2d(torch.conv2d(picture, down, padding=1), up)
    torch.testing.assert_close(torch.conv2d(picture, change, padding=1), both, atol=1e-4, rtol=1e-4)


def test_tuckers_core_is_a_third_convolution_between_them() -> None:
    down, mid, up = numbers(RANK, IN, 1, 1), numbers(RANK, RANK, 3, 3), numbers(OUT, RANK, 1, 1)
    picture = numbers(1, IN, 5, 5)
    change = delta({"lora_down.weight": down, "lora_mid.weight": mid, "lora_up.weight": up}, (OUT, IN, 3, 3))
    three = torch.conv2d(torch.conv2d(torch.conv2d(picture, down), mid, padding=1), up)
    torch.testing.assert_close(torch.conv2d(picture, change, padding=1), three, atol=1e-4, rtol=1e-4)


def test_loha() -> None:
    a1, b1, a2, b2 = numbers(OUT, RANK), numbers(RANK, IN), numbers(OUT, RANK), numbers(RANK, IN) + 1
    tensors = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2, "alpha": torch.tensor(1.0)}
    expected = (a1 @ b1) * (a2 @ b2) / RANK
    torch.testing.assert_close(delta(tensors, (OUT, IN)), expected, atol=1e-5, rtol=1e-5)


def test_loha_with_a_core() -> None:
    core1, core2 = numbers(RANK, RANK, 3, 3), numbers(RANK, RANK, 3, 3) + 1
    a, b = numbers(RANK, OUT), numbers(RANK, IN)
    tensors = {"hada_t1": core1, "hada_t2": core2} | {
        f"hada_w{n}_{x}": t for n in "12" for x, t in (("a", a), ("b", b))
    }

    def whole(core: Tensor) -> Tensor:
        return sum((core[i, j] * a[i][:, None, None, None] * b[j][None, :, None, None]) for i in (0, 1) for j in (0, 1))

    expected = whole(core1) * whole(core2)
    torch.testing.assert_close(delta(tensors, (OUT, IN, 3, 3)), expected, atol=1e-4, rtol=1e-4)


def test_lokr() -> None:
    first, a, b = numbers(2, 4), numbers(3, RANK), numbers(RANK, 2)
    tensors = {"lokr_w1": first, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": torch.tensor(4.0)}
    torch.testing.assert_close(delta(tensors, (OUT, IN)), torch.kron(first, a @ b) * 4 / RANK, atol=1e-5, rtol=1e-5)
    whole = {"lokr_w1": first, "lokr_w2": numbers(3, 2, 3, 3), "alpha": torch.tensor(4.0)}  # no rank, so no scale
    expected = torch.einsum("ab,cdkl->acbdkl", first, whole["lokr_w2"]).reshape(OUT, IN, 3, 3)
    torch.testing.assert_close(delta(whole, (OUT, IN, 3, 3)), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(OUT, IN + 1), (OUT,), (OUT, IN, 3, 3)])
def test_another_size_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"size|shape"):
        delta({"lora_down.weight": numbers(RANK, IN), "lora_up.weight": numbers(OUT, RANK)}, shape)


@pytest.mark.parametrize(
    "names",
    [
        ["dora_scale", "lora_down.weight", "lora_up.weight"],
        ["oft_blocks"],
        ["diff"],
        ["alpha"],
        ["lora_down.weight", "hada_w1_a"],
        ["lora_B.bias"],
    ],
)
def test_other_kinds_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="layer"):
        by_layer({f"layer.{name}": numbers(1) for name in names})


def test_a_half_is_refused() -> None:
    with pytest.raises(KeyError):
        delta({"lora_down.weight": numbers(RANK, IN)}, (OUT, IN))


ROLES = ["down", "up", "mid", "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"]
ROLES += ["lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"]
SHAPES = st.lists(st.integers(0, 3), max_size=5).map(tuple)


@settings(max_examples=300, deadline=None)
@given(
    shapes=st.dictionaries(st.sampled_from(ROLES), SHAPES, min_size=1, max_size=6),
    alpha=st.none() | st.floats(),
    shape=st.sampled_from([(2, 3), (3, 3), (1, 1), (2, 3, 1, 1), (3, 2, 3, 3)]),
)
def test_any_tensors_make_a_change_of_the_layers_size_or_none(
    shapes: dict[str, tuple[int, ...]], alpha: float | None, shape: tuple[int, ...]
) -> None:
    change = LayerChange({role: torch.ones(size) for role, size in shapes.items()}, alpha)
    try:
        found = change.delta(torch.Size(shape), CPU)
    except (ValueError, KeyError):
        return
    assert found.shape == shape


def test_a_product_larger_than_memory_is_refused_before_it_is_made() -> None:
    change = LayerChange({"lokr_w1": torch.ones(1, 1).expand(10**6, 10**6), "lokr_w2": torch.ones(1).expand(10**6, 1)})
    with pytest.raises(ValueError, match="shape"):
        change.delta(torch.Size((OUT, IN)), CPU)

"""The text encoder's first lessons, made tiny: they stop, resume, start from a checkpoint, and are handed on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.starter.recipe import text
from models.starter.recipe.architecture import build_text_encoder, build_tokenizer
from models.starter.recipe.checkpoint import read_text_encoder
from models.starter.recipe.text import load_text_weights, train_text
from models.starter.recipe.training import load_state

pytestmark = [pytest.mark.native_bf16, pytest.mark.usefixtures("counted_clock", "multiplies_bf16")]
STEP_MINUTES = 3 / 60  # by the counted clock


@pytest.fixture(autouse=True)
def _few_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BATCH", 4)


def distance(one: torch.nn.Module, other: torch.nn.Module) -> float:
    """The largest difference between any two weights, but for the tokens': those of new words begin at random."""
    pairs = zip(one.named_parameters(), other.parameters(), strict=True)
    found = [
        float((ours - theirs).detach().abs().max()) for (name, ours), theirs in pairs if "token_embedding" not in name
    ]
    return max(found)


def test_it_goes_on_where_it_was_and_hands_its_weights_on(tmp_path: Path) -> None:
    state, encoder = tmp_path / "text.pt", build_text_encoder(build_tokenizer())
    assert not load_text_weights(state, encoder)
    train_text(state, 2 * STEP_MINUTES, seed=1)
    first = load_state(state)
    train_text(state, 5 * STEP_MINUTES, seed=1)
    second = load_state(state)
    assert first is not None
    assert second is not None
    assert (first["step"], second["step"]) == (2, 5)
    assert load_text_weights(state, encoder)
    learned = {name.removeprefix("encoder."): value for name, value in second["model"].items()}
    assert all(torch.equal(value, learned[name]) for name, value in encoder.state_dict().items())
    assert all(torch.isfinite(value).all() for value in encoder.parameters())
    assert not all(torch.equal(value, first["model"][f"encoder.{name}"]) for name, value in encoder.named_parameters())


def test_it_starts_from_the_checkpoint(starter: Path, tmp_path: Path) -> None:
    committed, learned = (read_text_encoder(starter, build_tokenizer()) for _ in range(2))
    train_text(tmp_path / "text.pt", STEP_MINUTES, seed=1, checkpoint=starter)
    assert load_text_weights(tmp_path / "text.pt", learned)
    assert 0 < distance(learned, committed) < 0.01  # a step away from there, not from random weights

"""The instant style network's recipe: what it draws, what it measures, and that a training goes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.starter.recipe.training import Options
from models.style.recipe.instant import train
from models.style.recipe.instant.losses import Shares, patch_distance
from models.style.recipe.instant.pictures import batch_of, dead_leaves, paintings_of, pool_of


def test_dead_leaves_are_many_and_never_the_same() -> None:
    one, again, other = (dead_leaves(np.random.default_rng(seed), 96) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert np.abs(one.astype(float) - other).mean() > 10
    assert one.shape == (96, 96, 3)
    assert one.std() > 15


@pytest.mark.usefixtures("drawings")
def test_a_pool_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skia")
    first = np.array(pool_of(tmp_path / "pool.npy", 1, 5))
    monkeypatch.setattr("models.style.recipe.instant.pictures.dead_leaves", None)
    assert np.array_equal(pool_of(tmp_path / "pool.npy", 1, 4), first[:4])
    crops = batch_of(first, np.random.default_rng(0), 3, 40)
    assert crops.shape == (3, 3, 40, 40)
    assert 0 <= float(crops.min()) < float(crops.max()) <= 1


def test_paintings_are_drawn_once_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [lambda rng, shade=shade: np.full((512, 512, 3), shade + 0.1 * rng.random()) for shade in (0.2, 0.7)]
    monkeypatch.setattr("models.style.recipe.instant.pictures.STYLES", drawn)
    first = np.array(paintings_of(tmp_path / "paintings.npy", 1, 3))
    assert [round(painting.mean() / 255, 1) in (0.2, 0.3) for painting in first] == [True, False, True]
    assert (first[0] != first[2]).any()
    monkeypatch.setattr("models.style.recipe.instant.pictures.STYLES", [])
    assert np.array_equal(paintings_of(tmp_path / "paintings.npy", 1, 2), first[:2])


def test_patches_tell_textures_apart_and_not_places() -> None:
    generator = torch.Generator().manual_seed(0)
    stripes = (torch.arange(64) % 8 < 4).float().view(1, 1, 64, 1).expand(1, 3, 64, 64)
    moved, turned, grey = stripes.roll(4, dims=2), stripes.transpose(2, 3), stripes * 0 + 0.5
    near = float(patch_distance(stripes, moved, generator))
    assert near < 0.3 * float(patch_distance(stripes, turned, generator))
    assert near < 0.1 * float(patch_distance(stripes, grey, generator))


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_it_learns_and_goes_on_where_it_was(tmp_path: Path) -> None:
    pool = np.random.default_rng(0).integers(0, 255, (8, 256, 256, 3)).astype(np.uint8)
    np.save(tmp_path / "pictures.npy", pool)
    np.save(tmp_path / "paintings.npy", pool[:2])
    options = Options(minutes=3 / 60, checkpoint=None)
    train.train(tmp_path, options, Shares(), side=32, pool_size=8, painting_count=2)
    saved = torch.load(tmp_path / "style.pt", weights_only=True)
    assert saved["step"] >= 1
    assert float(saved["model"]["decoder.leave.weight"].abs().max()) > 0
    more = saved["seconds"] / 60 + 3 / 60
    train.train(tmp_path, Options(minutes=more, checkpoint=None), Shares(), side=32, pool_size=8, painting_count=2)
    assert torch.load(tmp_path / "style.pt", weights_only=True)["step"] > saved["step"]
    train.export(tmp_path, tmp_path / "instant.safetensors")
    weights = load_file(tmp_path / "instant.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.bfloat16}
    assert (tmp_path / "instant.safetensors").stat().st_size < 8 * 2**20

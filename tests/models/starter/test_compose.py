"""Pictures composed on the device of the training."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from models.starter.recipe.codec import Codec, fit_codec
from models.starter.recipe.compose import SPRITE, Backdrops, Composer, load_backdrops, load_sprites
from models.starter.recipe.draw import draw_backdrop
from models.starter.recipe.scene import Scene

THINGS = ("fox", "castle", "rocket")


@pytest.fixture(scope="module")
def backdrops() -> Backdrops:
    """Two patterns that pass for places."""
    cells = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    pixels = torch.from_numpy(cells.repeat(16, axis=1).repeat(16, axis=2)).permute(0, 3, 1, 2)
    empty = Scene("meadow", "night", "summer", "clear", "flat", False, False, "", "", 1)
    return Backdrops(pixels, (empty, empty))


@pytest.fixture(scope="module")
def codec(backdrops: Backdrops) -> Codec:
    return fit_codec(backdrops.pixels.permute(0, 2, 3, 1).numpy().repeat(2, axis=1).repeat(2, axis=2), seed=1)


@pytest.fixture
def composer(drawings: object, backdrops: Backdrops, codec: Codec) -> Composer:
    """Three things before two backdrops, on the CPU."""
    del drawings
    return Composer(load_sprites(torch.device("cpu"), THINGS), backdrops, codec, 3)


def test_things_stand_before_their_backdrops(composer: Composer, backdrops: Backdrops) -> None:
    scenes, chosen, places = composer.scenes(12)
    pictures = composer.pictures(scenes, chosen, places)
    assert pictures.shape == (12, 3, 256, 256)
    assert -1 <= float(pictures.min()) < float(pictures.max()) <= 1
    assert {scene.thing for scene in scenes} <= set(THINGS)
    assert all(scene.is_large and scene.time == "night" for scene in scenes)
    below = backdrops.pixels[places].float() / 127.5 - 1
    covered = ((pictures - below).abs().amax(dim=1) > 0.05).float()
    assert 0.1 < float(covered.mean()) < 0.8
    assert float(covered[:, :20].mean()) < float(covered[:, 150:220].mean())  # things stand on the ground


def test_a_batch_is_encoded_as_the_renderer_s_pictures_are(composer: Composer, codec: Codec) -> None:
    pixels = ((composer.pictures(*composer.scenes(4)) + 1) * 127.5).round().to(torch.uint8)
    wanted = codec.encode(pixels.permute(0, 2, 3, 1).numpy(), is_halved=True)
    found = codec.encode_on(pixels.float() / 127.5 - 1)
    assert found.shape == (4, 16, 16, 16)
    torch.testing.assert_close(found, wanted, atol=0.01 * float(wanted.abs().max()), rtol=1e-3)
    latents, told = composer.batch(5)
    assert latents.shape == (5, 16, 16, 16)
    assert len(told) == 5


def test_sprites_lie_in_squares_and_keep_their_shape(drawings: object) -> None:
    del drawings
    sprites = load_sprites(torch.device("cpu"), THINGS)
    assert sprites.pixels.shape[1:] == (4, SPRITE, SPRITE)
    assert sprites.pixels.dtype == torch.uint8
    assert set(sprites.things) == set(THINGS)
    assert bool((sprites.pixels[:, 3, -2].amax(dim=1) > 0).all())  # their feet are on the lower edge
    torch.testing.assert_close(sprites.shapes[:, 0] / sprites.shapes[:, 1], torch.full((len(sprites.names),), 40 / 48),
                               atol=0.02, rtol=0)  # fmt: skip


@pytest.mark.usefixtures("drawings")
def test_backdrops_are_drawn_with_nothing_in_front(tmp_path: Path) -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    with pytest.raises(FileNotFoundError):
        load_backdrops(tmp_path, torch.device("cpu"))
    drawn = [draw_backdrop(1, index) for index in range(6)]
    lines = np.array([json.dumps(asdict(scene)) for _, scene in drawn])
    np.savez(tmp_path / "00000.npz", pictures=np.stack([picture for picture, _ in drawn]), scenes=lines)
    loaded = load_backdrops(tmp_path, torch.device("cpu"))
    assert loaded.scenes == tuple(scene for _, scene in drawn)
    assert all((scene.thing, scene.style) == ("", "flat") for scene in loaded.scenes)
    assert np.array_equal(loaded.pixels[2].permute(1, 2, 0).numpy(), drawn[2][0])

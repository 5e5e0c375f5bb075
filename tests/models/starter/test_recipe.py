"""The recipe: captions, codec, training arithmetic; and the renderer where its library is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.starter.recipe.architecture import build_scheduler, build_vae
from models.starter.recipe.captions import caption
from models.starter.recipe.codec import depth_to_space, fit_codec, load_codec, space_to_depth, write_encoder
from models.starter.recipe.diffusion import loss_weights
from models.starter.recipe.scene import sample_scene
from models.starter.recipe.text import VALUES, attribute_numbers, reading_loss
from models.starter.recipe.training import Average, Clock, learning_rate


def test_captions_come_in_both_languages_and_from_the_seed() -> None:
    def texts(chinese: bool | None) -> list[str]:
        rng = np.random.default_rng(5)
        return [caption(sample_scene(rng), rng, chinese) for _ in range(200)]

    assert texts(None) == texts(None)
    assert all(text.isascii() for text in texts(False))
    assert not any(text.isascii() for text in texts(True))
    assert all(text.strip() for text in texts(None))
    assert len(set(texts(None))) > 150


def test_scenes_contradict_nothing() -> None:
    rng = np.random.default_rng(6)
    for _ in range(500):
        scene = sample_scene(rng)
        assert scene.weather != "snow" or scene.season == "winter"
        assert not scene.futuristic or scene.place == "city"
        assert 1 <= scene.count <= 3
        assert bool(scene.colour) == bool(scene.thing)


def test_the_codec_is_the_encoder_that_diffusers_runs(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    pictures = rng.integers(0, 256, (6, 32, 32, 3)).astype(np.uint8).repeat(2, axis=1).repeat(2, axis=2)
    fit_codec(pictures, 1).save(tmp_path / "codec.npz")
    codec = load_codec(tmp_path / "codec.npz")
    vae = build_vae().eval()
    write_encoder(vae, codec)
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        latents = vae.encode(pixels).latent_dist.mode()
    torch.testing.assert_close(latents, codec.encode(pictures), atol=0.03, rtol=0.03)


def test_space_to_depth_can_be_undone() -> None:
    values = np.random.default_rng(8).normal(size=(2, 16, 32, 3))
    np.testing.assert_array_equal(depth_to_space(space_to_depth(values, 3), 3), values)


def test_the_rate_warms_up_and_falls_by_the_clock() -> None:
    assert learning_rate(1.0, 0, 0.0) < learning_rate(1.0, 100, 0.0) < learning_rate(1.0, 1000, 0.0) == 1.0
    assert learning_rate(1.0, 1000, 1.0) == pytest.approx(0.02)
    assert Clock(1.0, spent_seconds=90).progress == 1.0


def test_the_average_follows_its_parameters() -> None:
    parameter = torch.nn.Parameter(torch.zeros(3))
    average = Average([parameter], 0.5)
    with torch.no_grad():
        parameter += 1
    average.update([parameter], step=1000)
    assert average.shadow[0].tolist() == [0.5, 0.5, 0.5]


def test_reading_counts_positions_from_the_end_token_on() -> None:
    rng = np.random.default_rng(9)
    targets = torch.stack([attribute_numbers(sample_scene(rng)) for _ in range(2)])
    tokens = torch.tensor([[0, 5, 9, 9], [0, 9, 9, 9]])
    logits = torch.zeros(2, 4, sum(len(values) for values in VALUES.values()))
    first = 0
    for column, values in enumerate(VALUES.values()):
        for row in range(2):
            logits[row, 2 - row :, first + int(targets[row, column])] = 50.0
        first += len(values)
    loss, right = reading_loss(logits, tokens, targets, end=9)
    assert float(loss) == pytest.approx(0, abs=1e-5)
    assert right.tolist() == [1.0] * len(VALUES)


def test_no_timestep_is_without_weight() -> None:
    weights = loss_weights(build_scheduler().alphas_cumprod)
    assert float(weights.min()) > 0
    assert bool(weights.isfinite().all())


def test_pictures_come_from_the_seed() -> None:
    pytest.importorskip("skia", reason="the recipe's renderer needs skia-python")
    from models.starter.recipe.draw import draw_one

    first, scene = draw_one(3, 4)
    again, same = draw_one(3, 4)
    other, _ = draw_one(3, 5)
    assert first.shape == (256, 256, 3)
    assert scene == same
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.2

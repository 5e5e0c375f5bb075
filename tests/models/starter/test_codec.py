"""The computed encoder: what diffusers runs, what the recipe computes, and what it was at 256 are one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray

from models.starter.recipe.architecture import LATENT_CHANNELS, VAE_FACTOR, build_vae
from models.starter.recipe.codec import Codec, fit_codec, halve, load_codec, read_codec, space_to_depth, write_encoder
from models.starter.recipe.latents import load_latents
from webui.engine.device import best_dtype


def noisy_pictures(number: int, size: int) -> NDArray[np.uint8]:
    """Coloured squares of four sizes, (N, size, size, 3)."""
    rng = np.random.default_rng(7)
    layers = [
        rng.integers(0, 64, (number, size // cell, size // cell, 3)).repeat(cell, axis=1).repeat(cell, axis=2)
        for cell in (1, 4, 8, 32)
    ]
    return np.asarray(sum(layers), np.uint8)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return fit_codec(noisy_pictures(8, 128), seed=1)


def encoded(vae: AutoencoderKL, pictures: NDArray[np.uint8]) -> torch.Tensor:
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(vae.dtype) / 127.5 - 1
    with torch.inference_mode():
        return vae.encode(pixels).latent_dist.mode().float()


def test_the_codec_is_the_encoder_that_diffusers_runs(codec: Codec, tmp_path: Path) -> None:
    codec.save(tmp_path / "codec.npz")
    vae = build_vae().eval()
    write_encoder(vae, load_codec(tmp_path / "codec.npz"))
    pictures = noisy_pictures(3, 128)
    latents = encoded(vae, pictures)
    assert latents.shape == (3, LATENT_CHANNELS, 128 // VAE_FACTOR, 128 // VAE_FACTOR)
    assert float(latents.std()) == pytest.approx(1, abs=0.3)
    torch.testing.assert_close(latents, codec.encode(pictures), atol=0.03, rtol=0.03)
    computed_in = best_dtype(torch.device("cpu"))
    torch.testing.assert_close(encoded(vae.bfloat16().to(computed_in), pictures), latents, atol=0.08, rtol=0.03)


def test_the_codec_can_be_read_from_the_weights(codec: Codec) -> None:
    vae = build_vae()
    write_encoder(vae, codec)
    again = read_codec(vae)
    for name in ("inner", "outer", "offset"):
        np.testing.assert_array_equal(getattr(again, name), getattr(codec, name))


def test_only_the_means_of_two_by_two_pixels_count(codec: Codec) -> None:
    small = noisy_pictures(2, 64)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(halve(large), small.astype(np.float32) / 127.5 - 1, atol=1e-6)
    shifted = large.copy()
    shifted[:, ::2] += 10
    shifted[:, 1::2] -= np.minimum(shifted[:, 1::2], 10)
    even = large[:, 1::2].min(axis=(1, 2, 3)) >= 10
    torch.testing.assert_close(codec.encode(shifted)[even], codec.encode(large)[even])


def test_a_picture_of_half_the_size_has_the_same_latents(codec: Codec) -> None:
    small = noisy_pictures(2, 64)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    torch.testing.assert_close(codec.encode(small, is_halved=True), codec.encode(large), atol=1e-4, rtol=1e-4)


def test_latents_do_not_depend_on_what_is_encoded_beside_them(codec: Codec) -> None:
    pictures = noisy_pictures(20, 64)
    torch.testing.assert_close(codec.encode(pictures)[17:18], codec.encode(pictures[17:18]))


def test_space_to_depth_orders_rows_before_columns_before_channels() -> None:
    values = np.arange(8.0).reshape(1, 2, 2, 2)
    assert space_to_depth(values).tolist() == [[[list(range(8))]]]
    assert space_to_depth(np.zeros((3, 32, 16, 3)), 3).shape == (3, 4, 2, 192)


def test_the_committed_encoder_is_the_computed_one(starter: Path) -> None:
    vae = AutoencoderKL.from_pretrained(starter / "vae", dtype=torch.float32)
    codec = read_codec(vae)
    pictures = noisy_pictures(3, 128)
    half = len(vae.config.block_out_channels) == 5  # of the first checkpoint, which knew pictures of 256
    shown = ((halve(pictures) + 1) * 127.5).round().astype(np.uint8) if half else pictures
    torch.testing.assert_close(encoded(vae, shown), codec.encode(pictures), atol=0.04, rtol=0.03)


def test_drawn_pictures_are_encoded_with_their_mirror_images(codec: Codec, tmp_path: Path) -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    from models.starter.recipe.draw import draw_one
    from models.starter.recipe.encode import encode_shard

    path = encode_shard(codec, tmp_path, 3, False, shard=1, number=2)
    written = path.stat().st_mtime_ns
    assert encode_shard(codec, tmp_path, 3, False, shard=1, number=2).stat().st_mtime_ns == written  # not again
    latents = load_latents(tmp_path)
    assert len(latents) == 4
    for row, (index, way) in enumerate([(2, 1), (3, 1), (2, -1), (3, -1)]):
        picture, scene = draw_one(3, index, 512)
        wanted = codec.encode(picture[None, :, ::way])
        torch.testing.assert_close(latents[np.array([row])].float(), wanted, atol=5e-3, rtol=5e-3)
        assert latents.scene(row) == scene

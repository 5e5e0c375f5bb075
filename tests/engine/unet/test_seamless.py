"""Seamless pictures: the networks do the same wherever a picture begins, and are themselves again afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from tests.engine.run_contexts import Recorder, bench_for, sampling
from webui.engine.unet import diffusion
from webui.engine.unet.seamless import seamless
from webui.errors import Cancelled, InvalidRequest


@pytest.fixture(scope="module")
def sd15(toy_models: Path) -> Any:
    return DiffusionPipeline.from_pretrained(toy_models / "toy-sd15")


def _rolled(network: Any, pixels: torch.Tensor, shift: tuple[int, int], scale: int) -> float:
    """How far the output of the rolled input is from the rolled output, at most."""
    moved = (shift[0] * scale, shift[1] * scale)
    return float((network(pixels.roll(shift, (2, 3))) - network(pixels).roll(moved, (2, 3))).abs().max())


@pytest.mark.parametrize(
    ("tiling", "moves"),
    [
        ("none", {(4, 0): False, (0, 4): False}),
        ("x", {(4, 0): False, (0, 4): True}),
        ("y", {(4, 0): True, (0, 4): False}),
        ("both", {(4, 0): True, (0, 4): True, (4, 6): True}),
    ],
)
def test_it_does_not_matter_where_a_picture_begins(sd15: Any, tiling: str, moves: dict[tuple[int, int], bool]) -> None:
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    embeds = torch.randn(1, 7, 32, generator=torch.Generator().manual_seed(1))

    def unet(x: torch.Tensor) -> torch.Tensor:
        return sd15.unet(x, 500, encoder_hidden_states=embeds, return_dict=False)[0]

    def decoder(x: torch.Tensor) -> torch.Tensor:
        return sd15.vae.decode(x, return_dict=False)[0]

    def encoder(x: torch.Tensor) -> torch.Tensor:
        return sd15.vae.encode(x).latent_dist.mean

    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode(), seamless(tiling, sd15.unet, sd15.vae):
        for shift, is_seamless in moves.items():
            assert (_rolled(unet, latents, shift, 1) < 1e-4) == is_seamless, shift
            assert (_rolled(decoder, latents, shift, 8) < 1e-4) == is_seamless, shift
        across = moves.get((0, 4), False)
        assert (float((encoder(pixels.roll(32, 3)) - encoder(pixels).roll(4, 3)).abs().max()) < 1e-4) == across


@pytest.mark.parametrize("task", ["text_to_image", "image_to_image"])
def test_the_picture_is_another_and_the_next_one_is_not(sd15: Any, task: str) -> None:
    photo = Image.linear_gradient("L").resize((64, 64)).convert("RGB")

    def draw(tiling: str) -> bytes:
        strength = {"denoising_strength": 0.75} if task == "image_to_image" else {}
        asked = sampling(task=task, tiling=tiling, **strength)
        with bench_for(sd15, Recorder()) as run_context:
            if task == "image_to_image":
                return diffusion.image_to_image(asked, run_context, [0], photo)[0].rgb
            return diffusion.text_to_image(asked, run_context, [0])[0].rgb

    before, tiled, after = draw("none"), draw("both"), draw("none")
    assert before == after
    assert np.abs(np.frombuffer(tiled, np.uint8).astype(int) - np.frombuffer(before, np.uint8)).max() > 2


def test_a_stop_leaves_nothing_behind(sd15: Any) -> None:
    calls: list[None] = []

    def check() -> None:
        calls.append(None)
        if len(calls) > 30:
            raise Cancelled

    with pytest.raises(Cancelled), bench_for(sd15, Recorder(check=check)) as run_context:
        diffusion.text_to_image(sampling(tiling="both"), run_context, [0])
    parts = [part for network in (sd15.unet, sd15.vae) for part in network.modules()]
    assert not any("_conv_forward" in vars(part) for part in parts)


def test_a_size_that_would_be_cut_is_refused(sd15: Any) -> None:
    for tiling, size, is_fine in (("x", (72, 64), True), ("x", (68, 64), False), ("y", (68, 64), True)):
        asked = sampling(tiling=tiling, steps=1).at(*size)
        with bench_for(sd15, Recorder()) as run_context:
            if is_fine:
                diffusion.text_to_image(asked, run_context, [0])
                continue
            with pytest.raises(InvalidRequest) as caught:
                diffusion.text_to_image(asked, run_context, [0])
            assert caught.value.details["field"] == "tiling"

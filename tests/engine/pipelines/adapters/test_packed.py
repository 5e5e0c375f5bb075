"""Latents in patches: Chroma, Krea 2 and FLUX.2 klein at toy size. FLUX.1 and Qwen-Image: `test_families.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLFlux2
from torch.nn.functional import pixel_unshuffle

from tests.engine.pipelines.adapters.toy_engine import MASK, PICTURE, counts, draw, engine_with
from tests.toy_adapters import save_chroma, save_flux2_klein, save_krea2
from webui.engine.engine import Engine
from webui.engine.previews.preview import from_network, to_network
from webui.errors import InvalidRequest

# diffusers' own code builds its network from a class that it calls old
pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")


@pytest.fixture(scope="module", params=[save_chroma, save_krea2, save_flux2_klein])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(request.param, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(save_chroma, tmp_path_factory.mktemp("models"))


def test_every_step_has_a_preview_and_any_can_be_kept(engine: Engine) -> None:
    values: dict[str, Any] = {"width": 96}
    whole, steps = draw(engine, **values)
    assert whole.shape == (64, 96, 3)
    assert counts(steps) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len({step.preview for step in steps} - {None}) == 4
    early, steps = draw(engine, stop_after=2, **values)
    assert counts(steps) == [(1, 4), (2, 4)]
    assert not np.array_equal(early, whole)
    assert np.abs(draw(engine, stop_after=4, **values)[0] - whole).max() <= 2  # but for rounding


@pytest.mark.parametrize("over", [{}, {"init_image": PICTURE}, {"init_image": PICTURE, "mask": MASK}])
def test_chroma_takes_a_negative_prompt_for_every_task(chroma: Engine, over: dict[str, Any]) -> None:
    strength = {"denoising_strength": 0.8} if over else {}
    plain, led_away = (draw(chroma, negative_prompt=text, **over, **strength)[0] for text in ("", "a blue lake"))
    assert not np.array_equal(plain, led_away)


def test_flux2_knows_no_negative_prompt_and_says_so(tmp_path: Path) -> None:
    engine = engine_with(save_flux2_klein, tmp_path)
    with pytest.raises(InvalidRequest) as caught:
        draw(engine, negative_prompt="a blue lake")
    assert caught.value.details["field"] == "negative_prompt"


def test_flux2_s_vae_gives_back_what_it_took() -> None:
    vae = AutoencoderKLFlux2(
        block_out_channels=(8,),
        down_block_types=("DownEncoderBlock2D",),
        norm_num_groups=4,
        up_block_types=("UpDecoderBlock2D",),
        latent_channels=8,
    )
    vae.bn.running_mean.copy_(torch.linspace(-1, 1, 32))
    vae.bn.running_var.copy_(torch.linspace(0.5, 2, 32))
    latents = torch.randn(1, 8, 6, 4, generator=torch.Generator().manual_seed(0))
    patches = pixel_unshuffle(latents, 2)
    normalised = (patches - vae.bn.running_mean.view(1, -1, 1, 1)) / (
        vae.bn.running_var.view(1, -1, 1, 1) + 1e-4
    ).sqrt()
    seen = to_network(vae, latents)
    assert torch.allclose(pixel_unshuffle(seen, 2), normalised, atol=1e-5)
    assert torch.allclose(from_network(vae, seen), latents, atol=1e-5)

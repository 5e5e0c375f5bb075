"""Sana-Sprint at toy size: its own scheduler alone, and the same pictures as diffusers' call for two steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import SCMScheduler
from diffusers.pipelines.sana.pipeline_sana_sprint import SanaSprintPipeline

from tests.engine.run_contexts import sampling
from tests.settling import SettlingEngine
from tests.toy_families import save_sana_sprint
from webui.engine.context import Context
from webui.engine.pipelines.adapters.sana_sprint import SanaSprintAdapter
from webui.errors import InvalidRequest
from webui.requests.diffusion import TextToImage
from webui.settings import Settings


def test_its_own_scheduler_is_the_only_one() -> None:
    original = SCMScheduler()
    made = SanaSprintAdapter().scheduler(original, sampling(scheduler="scm"))
    assert isinstance(made, SCMScheduler)
    assert made is not original
    with pytest.raises(InvalidRequest) as caught:
        SanaSprintAdapter().scheduler(original, sampling(scheduler="euler"))
    assert caught.value.details == {"field": "scheduler", "reason": "needs_scm"}


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_picture_is_the_one_that_diffusers_draws(tmp_path: Path, steps: int) -> None:
    """The published call says two steps, whose middle its authors found; of other numbers it wants none."""
    pipeline = SanaSprintPipeline.from_pretrained(save_sana_sprint(tmp_path / "toy"))
    pipeline.set_progress_bar_config(disable=True)
    (expected,) = pipeline(
        "a red cat",
        height=64,
        width=64,
        num_inference_steps=steps,
        guidance_scale=4.5,
        generator=torch.Generator("cpu").manual_seed(7),
        use_resolution_binning=False,
        clean_caption=False,
        output_type="np",
        **({} if steps == 2 else {"intermediate_timesteps": None}),
    ).images
    engine = SettlingEngine(Settings(models_dir=tmp_path, device="cpu", precision="fp32"))
    request = TextToImage(checkpoint="toy", prompt="a red cat", seed=7, steps=steps, width=64, height=64)
    (image,) = engine.run(request, Context(lambda event: None, lambda: None, lambda: False, {}.__getitem__))
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(64, 64, 3)
    assert np.abs(pixels - (expected * 255).round()).max() <= 1

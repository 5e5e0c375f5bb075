"""How most pipelines are called, and those that scale what goes into their network: a toy Hunyuan-DiT."""

from __future__ import annotations

import numpy as np
import pytest
from diffusers import Flux2Pipeline, StableDiffusion3Pipeline

from tests.engine.pipelines.adapters.toy_engine import counts, draw, engine_with
from tests.engine.run_contexts import sampling
from tests.toy_adapters import save_hunyuan_dit
from webui.engine.engine import Engine
from webui.engine.pipelines.adapters.plain import PlainAdapter
from webui.errors import InvalidRequest


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(save_hunyuan_dit, tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("scheduler", ["euler", "euler_a", "ddim", "heun", "pndm"])
def test_any_noise_will_do_where_latents_are_scaled(engine: Engine, scheduler: str) -> None:
    pixels, steps = draw(engine, scheduler=scheduler)
    assert counts(steps) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len({step.preview for step in steps} - {None}) == 4
    assert np.array_equal(pixels, draw(engine, scheduler=scheduler)[0])  # fresh noise, too, is the seed's
    assert not np.array_equal(pixels, draw(engine, scheduler=scheduler, seed=8)[0])


def test_an_eta_changes_the_picture_and_no_other_rule_takes_one(engine: Engine) -> None:
    still, moved = (draw(engine, scheduler="ddim", eta=eta)[0] for eta in (0.0, 1.0))
    assert not np.array_equal(still, moved)
    with pytest.raises(InvalidRequest) as caught:
        draw(engine, scheduler="dpmpp_2m", eta=0.5)
    assert caught.value.details["field"] == "eta"


def test_a_pipeline_is_told_what_it_can_be_told() -> None:
    told = PlainAdapter().arguments(StableDiffusion3Pipeline, sampling(), 0, (64, 72))
    assert set(told) == {
        "prompt", "width", "height", "num_inference_steps", "guidance_scale", "generator", "output_type",
    }  # fmt: skip
    assert (told["height"], told["width"], told["guidance_scale"]) == (64, 72, 5.0)
    guided = PlainAdapter().arguments(StableDiffusion3Pipeline, sampling(negative_prompt="blur"), 0, (64, 64))
    assert guided["negative_prompt"] == "blur"


def test_a_negative_prompt_is_refused_where_there_is_none() -> None:
    with pytest.raises(InvalidRequest) as caught:
        PlainAdapter().arguments(Flux2Pipeline, sampling(negative_prompt="blur"), 0, (64, 64))
    assert caught.value.details == {"field": "negative_prompt", "reason": "no_negative_prompt"}


def test_without_a_decoder_there_are_no_previews_and_no_early_end() -> None:
    adapter, no_step = PlainAdapter(), None
    assert adapter.preview(None, no_step, (64, 64), None) is None  # type: ignore[arg-type]  # not looked at
    with pytest.raises(InvalidRequest) as caught:
        adapter.estimate(None, no_step, (64, 64), None)  # type: ignore[arg-type]
    assert caught.value.details == {"field": "stop_after", "reason": "no_estimate"}

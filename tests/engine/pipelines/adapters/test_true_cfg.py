"""How FLUX.1 and Qwen-Image are told of guidance. Toys of all three are drawn in `test_families.py`."""

from __future__ import annotations

import inspect

import pytest
from diffusers import FluxPipeline, QwenImagePipeline

from tests.engine.run_contexts import sampling
from webui.engine.pipelines.adapters.true_cfg import FluxDevAdapter, FluxSchnellAdapter, QwenImageAdapter
from webui.errors import InvalidRequest


def test_qwen_image_is_guided_by_true_cfg_and_needs_some_negative_prompt() -> None:
    told = QwenImageAdapter().guidance(sampling(), "")
    assert told == {"guidance_scale": None, "true_cfg_scale": 5.0, "negative_prompt": " "}
    assert QwenImageAdapter().guidance(sampling(), "blur")["negative_prompt"] == "blur"
    assert set(told) <= set(inspect.signature(QwenImagePipeline.__call__).parameters)


def test_where_guidance_is_no_input_any_more_it_is_classifier_free() -> None:
    told = FluxSchnellAdapter().guidance(sampling(guidance_scale=3.0), "blur")
    assert told == {"true_cfg_scale": 3.0, "negative_prompt": "blur"}
    assert set(told) <= set(inspect.signature(FluxPipeline.__call__).parameters)


def test_where_guidance_is_an_input_a_negative_prompt_is_refused() -> None:
    assert FluxDevAdapter().guidance(sampling(), "") == {"guidance_scale": 5.0}
    with pytest.raises(InvalidRequest) as caught:
        FluxDevAdapter().guidance(sampling(), "blur")
    assert caught.value.details == {"field": "negative_prompt", "reason": "no_negative_prompt"}

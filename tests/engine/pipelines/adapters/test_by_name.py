"""What the families' rows and their adapters declare, against diffusers' classes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from webui.capabilities import Capability
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import Family
from webui.checkpoints.pipeline_families import PIPELINE_FAMILIES
from webui.checkpoints.unet_families import UNET_FAMILIES
from webui.engine.pipelines.adapters.by_name import ADAPTERS
from webui.engine.pipelines.adapters.packed import Krea2Adapter, PackedAdapter
from webui.engine.pipelines.adapters.plain import PlainAdapter
from webui.engine.pipelines.classes import pipeline_class_for
from webui.engine.schedulers.make import UPDATE_RULES
from webui.schedulers import scheduler_named

every_row = pytest.mark.parametrize("family", PIPELINE_FAMILIES, ids=lambda family: family.id)


def adapter_of(family: Family) -> PlainAdapter:
    return ADAPTERS[family.adapter or ""]


def pipelines_of(family: Family) -> Iterator[Any]:
    """diffusers' classes for all that it can do."""
    for task in ("text_to_image", "image_to_image", "inpainting"):
        if (found := pipeline_class_for(family.id, task)) is not None:
            yield found


def test_every_row_names_an_adapter_that_exists_and_every_adapter_has_a_row() -> None:
    assert {family.adapter for family in PIPELINE_FAMILIES} == set(ADAPTERS)
    assert {family.adapter for family in UNET_FAMILIES} == {None}
    assert all((family.adapter is None) == (family.pipeline is None) for family in FAMILIES.values())


@every_row
def test_whether_latents_are_scaled_is_declared(family: Family) -> None:
    for pipeline in pipelines_of(family):
        assert adapter_of(family).scales_input == ("scale_model_input" in _names(pipeline)), pipeline


@every_row
def test_its_own_scheduler_is_one_that_its_pipeline_can_follow(family: Family) -> None:
    scheduler = family.defaults.scheduler
    if not scheduler_named(scheduler).is_own:
        made = UPDATE_RULES[scheduler].scheduler_class()
        is_of_unit_variance = float(made.init_noise_sigma) == 1 or scheduler == "euler"  # a flow's Euler is another
        assert adapter_of(family).scales_input or is_of_unit_variance
    takes_distilled = any("original_inference_steps" in _parameters(found) for found in pipelines_of(family))
    assert takes_distilled == (scheduler == "lcm")


@every_row
def test_every_pipeline_has_the_callback_that_it_is_observed_by(family: Family) -> None:
    for pipeline in pipelines_of(family):
        observation = adapter_of(family).observation(lambda _done, _total: None, 4)
        assert set(observation) <= set(_parameters(pipeline)), pipeline
        counts_calls = hasattr(pipeline, "num_timesteps") or "num_timesteps" in _names(pipeline)
        assert counts_calls or "callback" in observation


@every_row
def test_latents_are_unpacked_where_the_pipeline_packs_them(family: Family) -> None:
    for pipeline in pipelines_of(family):
        unpack = getattr(pipeline, "_unpack_latents", None)
        expected: type[PlainAdapter] | None = None
        if unpack is not None:
            expected = PackedAdapter if "vae_scale_factor" in inspect.signature(unpack).parameters else Krea2Adapter
        found = next((kind for kind in (PackedAdapter, Krea2Adapter) if isinstance(adapter_of(family), kind)), None)
        assert found is expected, pipeline


@every_row
def test_negative_prompts_are_declared_where_the_pipeline_takes_them(family: Family) -> None:
    takes = all("negative_prompt" in _parameters(pipeline) for pipeline in pipelines_of(family))
    is_ignored = family.adapter == "flux_dev"  # as long as guidance is the distilled kind
    assert (Capability.NEGATIVE_PROMPT in family.capabilities) == (takes and not is_ignored)


def _names(pipeline: Any) -> tuple[str, ...]:
    """Of all attributes that its `__call__` asks for or sets."""
    return inspect.unwrap(pipeline.__call__).__code__.co_names


def _parameters(pipeline: Any) -> Any:
    return inspect.signature(pipeline.__call__).parameters

"""The rows of the families against the libraries that are installed."""

from __future__ import annotations

import inspect
import re

import diffusers
import pytest
from diffusers.pipelines.auto_pipeline import AUTO_IMAGE2IMAGE_PIPELINES_MAPPING, AUTO_TEXT2IMAGE_PIPELINES_MAPPING

from webui.capabilities import Capability
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import Family
from webui.checkpoints.pipeline_families import PIPELINE_FAMILIES
from webui.checkpoints.refusals import Unrecognised
from webui.checkpoints.refused_pipelines import reason_refused
from webui.checkpoints.unet_families import UNET_FAMILIES
from webui.engine.pipelines.classes import component_class, pipeline_class, pipeline_class_for
from webui.requests import from_dict
from webui.requests.diffusion import TextToImage
from webui.schedulers import SCHEDULERS, SIGMAS

# Those of our own loop, and diffusers' base class, which is nobody's.
OUR_LOOP = {
    f"StableDiffusion{generation}{task}Pipeline" for generation in ("", "XL") for task in ("", "Img2Img", "Inpaint")
} | {"DiffusionPipeline"}


def test_every_pipeline_of_diffusers_has_a_row_or_a_reason() -> None:
    """All names, also of those for which a library is missing; modular ones are blocks to build pipelines of."""
    offered = {name for name in dir(diffusers) if name.endswith("Pipeline") and "Modular" not in name}
    rows = {name for row in PIPELINE_FAMILIES for name in row.pipelines}
    others = offered - rows - OUR_LOOP
    assert {name for name in others if reason_refused(name) == "other_pipeline"} == set()
    assert {kind.__name__ for kind in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()} <= offered
    assert len(others) > 200


@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        ("FluxKontextPipeline", "pipeline_edits"),
        ("QwenImageEditPlusPipeline", "pipeline_edits"),
        ("HiDreamImagePipeline", "pipeline_not_here"),
        ("StableDiffusionPAGPipeline", "pipeline_not_here"),
        ("FluxControlNetPipeline", "pipeline_needs_picture"),
        ("StableVideoDiffusionPipeline", "pipeline_video"),
        ("Cosmos2TextToImagePipeline", "pipeline_not_here"),
        ("StableAudioPipeline", "pipeline_sound"),
        ("KandinskyV22CombinedPipeline", "pipeline_in_parts"),
        ("DiTPipeline", "pipeline_without_prompt"),
        ("MyOwnPipeline", "other_pipeline"),
    ],
)
def test_why_a_pipeline_is_refused(pipeline: str, reason: str) -> None:
    assert reason_refused(pipeline) == reason


@pytest.mark.parametrize("family", PIPELINE_FAMILIES, ids=lambda family: family.id)
def test_a_family_is_a_pipeline_of_the_installed_diffusers(family: object) -> None:
    row = FAMILIES[getattr(family, "id", "")]
    assert pipeline_class_for(row.id, "text_to_image") is getattr(diffusers, row.pipeline or "")
    found = pipeline_class_for(row.id, "image_to_image")
    assert (found is not None) == ("image_to_image" in row.tasks)
    offered = {name: kind.__name__ for name, kind in AUTO_IMAGE2IMAGE_PIPELINES_MAPPING.items()}
    for name, kind in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.items():
        if kind.__name__ == (row.pipeline or "") and offered.get(name, kind.__name__) != kind.__name__:
            assert found is not None
            assert found.__name__ == offered[name]


@pytest.mark.parametrize("family", PIPELINE_FAMILIES, ids=lambda family: family.id)
def test_a_flow_is_what_its_pipeline_takes_a_flows_scheduler_for(family: Family) -> None:
    parameters = inspect.signature(getattr(diffusers, family.pipeline or "").__init__).parameters
    is_flow = "FlowMatch" in str(parameters["scheduler"].annotation) or family.id == "SanaPipeline"
    assert (Capability.FLOW in family.capabilities) == is_flow


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.id)
def test_defaults_are_requests_that_can_be_made(family: object) -> None:
    row = FAMILIES[getattr(family, "id", "")]
    defaults = row.defaults
    request = from_dict(
        {
            "task": "text_to_image",
            "width": defaults.width,
            "height": defaults.height,
            "steps": defaults.steps,
            "guidance_scale": float(defaults.guidance_scale),
            "scheduler": defaults.scheduler,
            "sigmas": defaults.sigmas,
        }
    )
    assert isinstance(request, TextToImage)
    assert defaults.width % row.size_multiple == 0
    assert defaults.scheduler in {scheduler.id for scheduler in SCHEDULERS}
    assert defaults.sigmas in SIGMAS


@pytest.mark.parametrize("family", UNET_FAMILIES, ids=lambda family: family.id)
def test_a_unet_family_has_all_that_single_files_need(family: object) -> None:
    row = FAMILIES[getattr(family, "id", "")]
    for is_inpainting in (False, True):
        components = row.components_for(is_inpainting)
        assert components is not None
        assert (components / "model_index.json").is_file()
    assert row.tokenizers
    for source in row.tokenizers.values():
        assert re.fullmatch("[0-9a-f]{40}", source.revision)
    assert row.latent_to_rgb is not None
    assert len(row.latent_to_rgb.weights) == 4


@pytest.mark.parametrize(
    ("library", "name"),
    [
        ("diffusers", "UNet9DConditionModel"),
        ("diffusers", "logging"),
        ("diffusers", "utils"),
        ("diffusers", "__version__"),
        ("transformers", "pipeline"),
        ("transformers", "Trainer"),
        ("os", "system"),
        ("builtins", "eval"),
    ],
)
def test_only_parts_of_pipelines_may_be_loaded(library: str, name: str) -> None:
    with pytest.raises(Unrecognised) as caught:
        component_class(library, name)
    assert caught.value.reason == "class_unknown"


def test_parts_and_pipelines_by_name() -> None:
    assert component_class("diffusers", "UNet2DConditionModel") is diffusers.UNet2DConditionModel
    assert component_class("transformers", "CLIPTextModel").__name__ == "CLIPTextModel"
    assert component_class("transformers", "CLIPTokenizer").__name__ == "CLIPTokenizer"
    assert pipeline_class("FluxPipeline") is diffusers.FluxPipeline
    with pytest.raises(Unrecognised):
        pipeline_class("UNet2DConditionModel")
    assert pipeline_class_for("SanaPipeline", "image_to_image") is None

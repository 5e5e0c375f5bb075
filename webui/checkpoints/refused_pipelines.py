"""diffusers' pipelines that are not a family here, grouped by reason and named without `Pipeline` at the end.

A test checks that these and the families' own are all that diffusers has.
"""

from __future__ import annotations

import re

# Code of the reason → names, as a pattern for the whole of each; the first that fits counts.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(f"(?:{names})Pipeline"))
    for reason, names in (
        (
            "pipeline_sound",
            r"(Stable|LongCat)?Audio\w*|StableAudio3\w*|AceStep|MusicLDM|DanceDiffusion|SpectrogramDiffusion",
        ),
        (
            "pipeline_video",
            r"\w*Video\w*|AnimateDiff\w*|Wan\w*|LTX\w*|CogVideoX\w*|Cosmos(2_5|3)\w+|Cosmos\w+World|AnyFlow\w*|Mochi"
            r"|Latte|Allegro|EasyAnimate\w*|SkyReelsV2\w*|Helios\w*|I2VGenXL|PIA|ConsisID|HunyuanSkyreels\w*"
            r"|Kandinsky5(T2V|I2V)|Kandinsky6\w+|SanaWM|ChronoEdit|LucyEdit",
        ),
        (
            "pipeline_edits",
            r"FluxKontext\w*|QwenImageEdit\w*|QwenImageLayered|LongCatImageEdit|JoyImageEdit(Plus)?|BriaFiboEdit"
            r"|StableDiffusion(XL)?InstructPix2Pix|OmniGen|ZImageOmni|VisualCloze\w*|DreamLite\w*|CycleDiffusion"
            r"|StableDiffusion(DiffEdit|ModelEditing|Pix2PixZero)",
        ),
        (
            "pipeline_needs_picture",
            r"\w*Control(Net|net)?(XS|Union|PAG)?(Img2Img|Inpaint|Inpainting)?|StableDiffusion(XL)?Adapter"
            r"|BlipDiffusion\w*|FluxFill|FluxPriorRedux|Flux2KleinInpaint|StableDiffusion(Latent)?Upscale|LDMSuperResolution"
            r"|StableDiffusion(Depth2Img|ImageVariation|GLIGEN|GLIGENTextImage)|PaintByExample|RePaint|Marigold\w+"
            r"|StableUnCLIPImg2Img|UnCLIPImageVariation|VersatileDiffusion(DualGuided|ImageVariation)|HunyuanImageRefiner|Kandinsky5I2I"
            r"|AltDiffusionImg2Img|KolorsImg2Img|SanaSprintImg2Img|StableDiffusion(3|XL)?PAG(Img2Img|Inpaint)"
            r"|OnnxStableDiffusion(Img2Img|Inpaint|Upscale)",
        ),
        (
            "pipeline_in_parts",
            r"IF\w*|Kandinsky(Prior|Img2Img|Inpaint|V22)?\w*Combined|Kandinsky(V22)?(Prior\w*|Img2Img|Inpaint)?"
            r"|(StableCascade|Wuerstchen)\w+",
        ),
        (
            "pipeline_without_prompt",
            r"DDIM|DDPM|PNDM|LDM|DiT|ConsistencyModel|KarrasVe|ScoreSdeVe|ShapE(Img2Img)?|RFD4Proteina|LLaDA2"
            r"|DiffusionGemma",
        ),
        (
            "pipeline_not_here",
            r"HiDreamImage|HunyuanImage|Bria|BriaFibo2?|Cosmos2TextToImage|ErnieImage|GlmImage|Ideogram4|Kandinsky5T2I"
            r"|Kolors|LongCatImage|NucleusMoEImage|PRXPixel|QwenImage21|Flux2KleinKV|AltDiffusion|UnCLIP"
            r"|StableUnCLIP|UniDiffuser|VersatileDiffusion(TextToImage)?|VQDiffusion|LDMTextToImage|SemanticStableDiffusion|OnnxStableDiffusion|StableDiffusionOnnx"
            r"|(\w+)PAG|StableDiffusion(AttendAndExcite|LDM3D|Panorama|Paradigms|SAG)",
        ),
    )
)


def reason_refused(pipeline: str) -> str:
    """The code of the reason why a pipeline that no family has is refused."""
    return next((reason for reason, names in _KINDS if names.fullmatch(pipeline)), "other_pipeline")

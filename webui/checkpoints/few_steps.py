"""What models of few steps were made for, as their own pages say: distilled checkpoints, and LoRAs that distil others.

A row says how its kind is told, and the scheduler, sigmas, steps and guidance that its makers publish it with. Guidance
of 0 on those pages means none; where our own loop draws, that is 1 here. `sigmas` "simple" are diffusers' "trailing"
timesteps exactly. Knows no files: `webui/checkpoints/made_for.py` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_STEPS = 16  # that a file of few steps may be named after


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What can be seen of a model without its weights.

    `tensors` are the names in the network's headers; `index`, `network` and `scheduler` are the configs of a diffusers
    folder; `native_size` is the side in pixels that it was trained at. `told` are titles in its metadata, `name` is
    that of its file or folder: all in plain words, small letters with single spaces between words and numbers.
    """

    family: str | None
    is_lora: bool = False
    tensors: Collection[str] = ()
    index: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] = field(default_factory=dict)
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    native_size: int | None = None
    told: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class FewSteps:
    """One kind. `header` and `config` tell it for certain; `words` stand in metadata and names, and `lora_words` in
    those of LoRAs, where None says that no LoRA is of this kind.

    `counts_steps`: its files are named after their number of steps. `size` in pixels and `prediction_type` are set
    where a single file of this kind has others than its family.
    """

    name: str
    families: frozenset[str]
    steps: int
    guidance_scale: float
    scheduler: str
    sigmas: str = "default"
    size: int | None = None
    prediction_type: str | None = None
    header: Callable[[Signs], bool] | None = None
    config: Callable[[Signs], bool] | None = None
    words: re.Pattern[str] | None = None
    lora_words: re.Pattern[str] | None = None
    counts_steps: bool = False
    source: str


def _is_trailing(signs: Signs) -> bool:
    """Whether a U-Net of 512 pixels starts from the last timestep by Euler's rule, without zero terminal SNR."""
    config = signs.scheduler
    return (
        config.get("_class_name") in ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")
        and config.get("timestep_spacing") == "trailing"
        and config.get("prediction_type", "epsilon") == "epsilon"
        and config.get("rescale_betas_zero_snr") is not True
        and signs.native_size == 512
    )


def _hears_guidance(signs: Signs) -> bool:
    return any(name.startswith("time_text_embed.guidance_embedder.") for name in signs.tensors)


def _of(*families: str) -> frozenset[str]:
    return frozenset(families)


# Hyper-SD in a name: after what was made quick by it, or first with what it is; HyperVision merely begins so.
_HYPER = r"(?:(?<=\w )hyper\b|^hyper(?= ?(?:sd|sdxl|\d+ steps?|cfg|lora|fp)\b|$))(?! ?real)"

# The first row that fits counts. Of several pages, `source` is the one with the call that its makers publish.
FEW_STEPS: tuple[FewSteps, ...] = (
    FewSteps(
        name="FLUX.1 schnell",
        families=_of("FluxSchnell"),
        header=lambda signs: bool(signs.tensors) and not _hears_guidance(signs),
        steps=4,
        guidance_scale=0.0,
        scheduler="euler",
        source="https://huggingface.co/black-forest-labs/FLUX.1-schnell",
    ),
    FewSteps(
        name="Sana-Sprint",
        families=_of("SanaSprintPipeline"),
        header=lambda signs: any(name.startswith("time_embed.guidance_embedder.") for name in signs.tensors),
        steps=2,
        guidance_scale=4.5,
        scheduler="scm",
        source="https://nvlabs.github.io/Sana/docs/sana_sprint",
    ),
    FewSteps(
        name="FLUX.2 klein",
        families=_of("Flux2KleinPipeline"),
        config=lambda signs: signs.index.get("is_distilled") is True,
        steps=4,
        guidance_scale=1.0,
        scheduler="euler",
        source="https://huggingface.co/black-forest-labs/FLUX.2-klein-4B",
    ),
    FewSteps(
        name="Z-Image-Turbo",
        families=_of("ZImagePipeline"),
        config=lambda signs: signs.scheduler.get("shift") == 3.0,  # the base model's is 6
        words=re.compile(r"\bz ?image turbo\b"),
        steps=9,
        guidance_scale=0.0,
        scheduler="euler",
        source="https://huggingface.co/Tongyi-MAI/Z-Image-Turbo",
    ),
    FewSteps(
        name="LCM",  # a network that is told of guidance, and draws once a step all the same
        families=_of("LatentConsistencyModelPipeline", "sd15", "sd2", "sdxl"),
        header=lambda signs: "time_embedding.cond_proj.weight" in signs.tensors,
        steps=4,
        guidance_scale=8.0,
        scheduler="lcm",
        source="https://huggingface.co/SimianLuo/LCM_Dreamshaper_v7",
    ),
    FewSteps(
        name="SD-Turbo",
        families=_of("sd2"),
        config=_is_trailing,
        words=re.compile(r"\bsd turbo\b"),
        steps=1,
        guidance_scale=1.0,
        scheduler="euler",
        sigmas="simple",
        size=512,
        prediction_type="epsilon",
        source="https://huggingface.co/stabilityai/sd-turbo",
    ),
    FewSteps(
        name="SDXL Turbo",
        families=_of("sdxl"),
        config=_is_trailing,
        words=re.compile(r"^(stabilityai )?(sdxl|sd xl|stable diffusion xl)( 1 0)? turbo( 1 0)?( fp 16)?$"),
        lora_words=re.compile(r"\b(sdxl|xl) turbo\b.* lora\b"),
        steps=1,
        guidance_scale=1.0,
        scheduler="euler_a",
        sigmas="simple",
        size=512,
        source="https://huggingface.co/stabilityai/sdxl-turbo",
    ),
    FewSteps(
        name="SDXL Lightning",
        families=_of("sdxl"),
        words=re.compile(r"\blightning\b"),
        lora_words=re.compile(r"\b(sdxl|xl) lightning\b|\blightning \d+ steps?\b"),
        counts_steps=True,
        steps=4,
        guidance_scale=1.0,
        scheduler="euler",
        sigmas="sgm_uniform",
        source="https://huggingface.co/ByteDance/SDXL-Lightning",
    ),
    FewSteps(
        name="Hyper-SD CFG",
        families=_of("sdxl", "sd15"),
        words=re.compile(rf"{_HYPER}.*\bcfg\b"),
        lora_words=re.compile(r"\bhyper sd(xl)?\b.*\bcfg\b"),
        counts_steps=True,
        steps=8,
        guidance_scale=5.0,
        scheduler="euler",
        sigmas="simple",
        source="https://huggingface.co/ByteDance/Hyper-SD",
    ),
    FewSteps(
        name="Hyper-SD 1-step",
        families=_of("sdxl", "sd15"),
        words=re.compile(rf"{_HYPER}.*\b1 steps?\b"),
        lora_words=re.compile(r"\bhyper sd(xl)?\b.*\b1 steps?\b"),
        steps=1,
        guidance_scale=1.0,
        scheduler="tcd",
        source="https://huggingface.co/ByteDance/Hyper-SD",
    ),
    FewSteps(
        name="Hyper-SD",
        families=_of("sdxl", "sd15"),
        words=re.compile(_HYPER),
        lora_words=re.compile(r"\bhyper sd(xl)?\b"),
        counts_steps=True,
        steps=4,
        guidance_scale=1.0,
        scheduler="euler",  # DDIM without fresh noise, by another name
        sigmas="simple",
        source="https://huggingface.co/ByteDance/Hyper-SD",
    ),
    FewSteps(
        name="DMD2",
        families=_of("sdxl"),
        words=re.compile(r"\bdmd ?2?\b"),
        lora_words=re.compile(r"\bdmd ?2\b"),
        steps=4,
        guidance_scale=1.0,
        scheduler="lcm",
        source="https://huggingface.co/tianweiy/DMD2",
    ),
    FewSteps(
        name="TCD",
        families=_of("sd15", "sd2", "sdxl"),
        words=re.compile(r"\btcd\b"),
        lora_words=re.compile(r"\btcd\b"),
        steps=4,
        guidance_scale=1.0,
        scheduler="tcd",
        source="https://huggingface.co/h1t/TCD-SDXL-LoRA",
    ),
    FewSteps(
        name="LCM",
        families=_of("sd15", "sd2", "sdxl"),
        words=re.compile(r"\blcm\b"),
        lora_words=re.compile(r"\blcm\b"),
        steps=4,
        guidance_scale=1.0,
        scheduler="lcm",
        source="https://huggingface.co/latent-consistency/lcm-lora-sdxl",
    ),
    FewSteps(
        name="SDXL Turbo (merged)",  # many are mixed from it and ordinary models, at 1024 pixels
        families=_of("sdxl"),
        words=re.compile(r"\bturbo\b"),
        steps=6,
        guidance_scale=2.0,
        scheduler="dpmpp_sde",
        sigmas="karras",
        source="https://huggingface.co/Lykon/dreamshaper-xl-v2-turbo",
    ),
)

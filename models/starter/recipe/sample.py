"""Pictures from the finished pipeline, and contact sheets of them."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    UniPCMultistepScheduler,
)
from PIL import Image

SCHEDULERS = {
    "ddim": DDIMScheduler,
    "euler": EulerDiscreteScheduler,
    "euler_a": EulerAncestralDiscreteScheduler,
    "dpmpp_2m": DPMSolverMultistepScheduler,
    "unipc": UniPCMultistepScheduler,
}


def load_pipeline(folder: Path, scheduler: str = "ddim") -> StableDiffusionPipeline:
    """The checkpoint as any diffusers program loads it, in bf16 on the CPU."""
    pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, dtype=torch.bfloat16)
    pipeline.scheduler = SCHEDULERS[scheduler].from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw_prompts(pipeline: StableDiffusionPipeline, prompts: Sequence[str], seeds: Sequence[int],
                 guidance_scale: float, steps: int = 20) -> tuple[list[Image.Image], float]:  # fmt: skip
    """One picture for each prompt, and the seconds that one took on average."""
    start = time.monotonic()
    pictures: list[Image.Image] = []
    for first in range(0, len(prompts), 8):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds[first : first + 8]]
        pictures += pipeline(
            list(prompts[first : first + 8]),
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            generator=generators,
        ).images
    return pictures, (time.monotonic() - start) / len(prompts)


def contact_sheet(pictures: Sequence[Image.Image], columns: int, size: int = 256) -> Image.Image:
    """The pictures side by side, each `size` pixels wide and high."""
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * size, rows * size), "white")
    for index, picture in enumerate(pictures):
        tile = picture if picture.width == size else picture.resize((size, size), Image.Resampling.LANCZOS)
        sheet.paste(tile, (index % columns * size, index // columns * size))
    return sheet

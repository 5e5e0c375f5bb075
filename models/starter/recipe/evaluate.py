"""`python -m models.starter.recipe.evaluate`: figures and a contact sheet of the finished checkpoint.

Draws fresh pictures (a seed never trained on) for the autoencoder, and prompts never trained on for the whole.
"""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from models.starter.recipe.draw import draw_one
from models.starter.recipe.sample import (
    SCHEDULERS,
    contact_sheet,
    draw_prompts,
    load_pipeline,
)

CHECKPOINT = Path(__file__).resolve().parents[1]
FRESH_SEED = 987
log = logging.getLogger("evaluate")
PROMPTS = (
    "a calm lake surrounded by autumn trees",
    "秋树环绕的宁静湖泊",
    "futuristic city skyline with neon lights",
    "霓虹灯闪烁的未来城市天际线",
    "a red house in a green meadow",
    "three yellow balloons over the mountains at sunset",
    "a lighthouse by the sea at night",
    "snowy village in winter at night",
    "watercolour painting of a forest in spring",
    "pixel art, desert, blue car",
    "a foggy harbour with two white boats",
    "ink drawing of a castle by a lake",
    "beach at sunset",
    "夜晚的雪山",
    "一只橙色的猫在森林里",
    "rainy city with three red cars",
    "a purple castle in a meadow",
    "mountains on a clear day",
    "沙漠，黄昏，两个红色的热气球",
    "水彩画，海滩，帆船",
    "village at night, watercolour",
    "neon forest at night",
    "像素画，白天的城市",
    "a white bird over the desert",
)


def reconstruction_psnr(pipeline: object, number: int) -> float:
    """Mean over fresh pictures of the autoencoder's PSNR, in decibels, computed as the program runs it (bf16)."""
    vae = pipeline.vae  # type: ignore[attr-defined]
    values = []
    for index in range(number):
        picture, _ = draw_one(FRESH_SEED, index)
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.inference_mode():
            output = vae.decode(vae.encode(pixels.to(vae.dtype)).latent_dist.mode()).sample.float().clamp(-1, 1)
        values.append(-10 * float(np.log10(float(((output - pixels) / 2).square().mean()))))
    return float(np.mean(values))


def save_sheet(pictures: list[Image.Image], path: Path, columns: int) -> None:
    """A contact sheet small enough for the repository."""
    contact_sheet(pictures, columns, 192).save(path, quality=82)


def main() -> None:
    """Measure the checkpoint, print the figures as JSON, save the contact sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--sheet", type=Path, help="where the contact sheet goes, a .webp or .jpg file")
    parser.add_argument("--scheduler", choices=SCHEDULERS, default="euler_a")
    parser.add_argument("--guidance-scale", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--fresh", type=int, default=40, help="fresh pictures for the autoencoder")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    pipeline = load_pipeline(arguments.checkpoint, arguments.scheduler)
    psnr = reconstruction_psnr(pipeline, arguments.fresh)
    draw_prompts(pipeline, PROMPTS[:1], [0], arguments.guidance_scale, 2)  # warm up
    _, seconds = draw_prompts(pipeline, PROMPTS[:1], [0], arguments.guidance_scale, arguments.steps)
    pictures, _ = draw_prompts(pipeline, PROMPTS, range(len(PROMPTS)), arguments.guidance_scale, arguments.steps)
    if arguments.sheet:
        save_sheet(pictures, arguments.sheet, 6)
    size = sum(path.stat().st_size for path in arguments.checkpoint.rglob("*.safetensors"))
    log.info(json.dumps({"psnr_db": round(psnr, 2), "seconds_a_picture": round(seconds, 2), "weight_bytes": size}))


if __name__ == "__main__":
    main()

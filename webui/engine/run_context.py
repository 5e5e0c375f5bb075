"""What every generation has in hand, and what it hands back.

Knows no families and no schedulers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PIL import Image

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.hashes import Hashes
from webui.engine.context import Context, EngineImage
from webui.engine.device import Device
from webui.engine.previews.preview import LatentDecoder, Numbered, Previewer
from webui.engine.prompts.encoder import PromptEncoder
from webui.engine.sampling import Sampling
from webui.engine.unet.branch_plan import Course
from webui.engine.unet.kept_steps import KeptSteps, Stamp


@dataclass(frozen=True, kw_only=True)
class Bench:
    """All that a generation works with, beside the request: networks, device, tools and the way out."""

    checkpoint: Checkpoint
    hashes: Hashes
    pipeline: Any
    components: dict[str, Any]
    device: Device
    prompts: PromptEncoder
    latent_decoder: LatentDecoder | None
    previewer: Previewer | Numbered
    context: Context
    is_tiled: bool = False
    course: Course = field(default_factory=Course)
    kept_steps: KeptSteps = field(default_factory=partial(KeptSteps, limit_bytes=0))
    stamp: Stamp = ()  # of the weights at work, for steps that are kept
    take_up: Callable[[Sampling, int], None] = lambda _asked, _index: None  # readies the weights for another image
    lora_hashes: Mapping[str, str] = field(default_factory=dict)  # of those that are merged, by name


def kept_picture(asked: Sampling, bench: Bench, picture: Image.Image, index: int) -> EngineImage:
    """What a strength of 0 gives: the picture itself."""
    bench.context.check()
    bench.previewer.step(index=1, total=1, phase="encode", image=index, make=lambda: picture)
    return engine_image(asked, bench, picture, index, steps=0)


def engine_image(asked: Sampling, bench: Bench, picture: Image.Image, index: int, steps: int) -> EngineImage:
    """The finished picture, with what really happened."""
    return EngineImage(
        width=picture.width,
        height=picture.height,
        rgb=picture.convert("RGB").tobytes(),
        seed=asked.seed_of(index),
        info={
            "steps": steps,
            "device": bench.device.name,
            "precision": bench.device.precision,
            "checkpoint_version": bench.checkpoint.version,
            "checkpoint_hash": bench.hashes.checkpoint,
            **({"vae_hash": bench.hashes.vae} if bench.hashes.vae else {}),
            **({"lora_hashes": _listed(bench.lora_hashes)} if bench.lora_hashes else {}),
            **({"variation_seed": varied} if (varied := asked.variation_seed_of(index)) is not None else {}),
            **({"walked": asked.walked(index)} if asked.walk_to is not None else {}),
            **({} if asked.resolved_prompts is None else {"prompt": asked.prompt}),
            **({} if asked.resolved_prompts is None else {"negative_prompt": asked.negative_prompt}),
            **({"fallback": "vae_tiling"} if bench.is_tiled else {}),
            **({} if bench.course.branched_at is None else {"branched_at": bench.course.branched_at}),
        },
    )


def _listed(hashes: Mapping[str, str]) -> str:
    """As A1111 lists them."""
    return ", ".join(f"{name}: {digits}" for name, digits in hashes.items())

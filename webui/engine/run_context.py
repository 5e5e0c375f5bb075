"""What a generation works with, and what it returns.

Knows no families and no schedulers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PIL import Image

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.decoding import FOLDER as TINY
from webui.checkpoints.hashes import Hashes
from webui.engine.context import Context
from webui.engine.device import Device
from webui.engine.loras.merging import MergedLora
from webui.engine.previews.preview import LatentDecoder, Numbered, Previewer
from webui.engine.prompts.encoder import PromptEncoder
from webui.engine.sampling import Sampling
from webui.engine.unet.branch_plan import BranchPlan
from webui.engine.unet.kept_steps import KeptSteps, Stamp
from webui.worker.messages import RawImage


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Everything that a generation needs besides the request: networks, device, tools and the way to report."""

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
    branch_plan: BranchPlan = field(default_factory=BranchPlan)
    kept_steps: KeptSteps = field(default_factory=partial(KeptSteps, limit_bytes=0))
    stamp: Stamp = ()  # of the weights at work, for steps that are kept
    take_up: Callable[[Sampling, int], None] = lambda _asked, _index: None  # readies the weights for another image
    kept_in: str = ""  # the number type of the weights, where it is not the device's
    loras: Mapping[str, MergedLora] = field(default_factory=dict)  # those that are merged, by name

    @property
    def vae(self) -> Any:
        """What encodes: the checkpoint's own VAE, or the one that was asked for."""
        return self.components["vae"]

    @property
    def decoder(self) -> Any:
        """What decodes: the VAE, or a tiny decoder for its latents."""
        return self.components.get(TINY, self.vae)


def kept_picture(asked: Sampling, run_context: RunContext, picture: Image.Image, index: int) -> RawImage:
    """The result for a strength of 0: the picture itself."""
    run_context.context.check()
    run_context.previewer.step(index=1, total=1, phase="encode", image=index, make=lambda: picture)
    return engine_image(asked, run_context, picture, index, steps=0)


def engine_image(asked: Sampling, run_context: RunContext, picture: Image.Image, index: int, steps: int) -> RawImage:
    """The finished picture, with an account of what really happened."""
    return RawImage(
        width=picture.width,
        height=picture.height,
        rgb=picture.convert("RGB").tobytes(),
        seed=asked.seed_of(index),
        info={
            "steps": steps,
            "device": run_context.device.name,
            "precision": run_context.device.precision,
            **({"weights_precision": run_context.kept_in} if run_context.kept_in else {}),
            "checkpoint_version": run_context.checkpoint.version,
            "checkpoint_hash": run_context.hashes.checkpoint,
            **({"vae_hash": run_context.hashes.vae} if run_context.hashes.vae else {}),
            **_lora_info(run_context.loras),
            **({"variation_seed": varied} if (varied := asked.variation_seed_of(index)) is not None else {}),
            **({"walked": asked.walked(index)} if asked.walk_to is not None else {}),
            **({} if asked.request.resolved_prompts is None else {"prompt": asked.prompt}),
            **({} if asked.request.resolved_prompts is None else {"negative_prompt": asked.negative_prompt}),
            **({"fallback": "vae_tiling"} if run_context.is_tiled else {}),
            **(
                {}
                if run_context.branch_plan.branched_at is None
                else {"branched_at": run_context.branch_plan.branched_at}
            ),
        },
    )


def _lora_info(loras: Mapping[str, MergedLora]) -> dict[str, str]:
    """The LoRAs' hashes, as A1111 lists them, and for those that did not fit completely how many layers were used."""
    listed = {
        "lora_hashes": [f"{name}: {lora.hash}" for name, lora in loras.items()],
        "lora_layers": [
            f"{name}: {lora.used}/{lora.layers}" for name, lora in loras.items() if lora.used < lora.layers
        ],
    }
    return {name: ", ".join(values) for name, values in listed.items() if values}

"""Benches for the engine's tests: toy pipelines of real classes, and a context that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from tests.settled_requests import stored
from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.family import Defaults
from webui.checkpoints.hashes import Hashes
from webui.engine.context import Context
from webui.engine.device import Device
from webui.engine.pictures.redraw import WHOLE, Redraw
from webui.engine.previews.preview import Previewer, from_table
from webui.engine.prompts.encoder import PromptEncoder
from webui.engine.run_context import RunContext
from webui.engine.sampling import Sampling
from webui.events import EngineEvent, Step
from webui.requests.settled import SettledDiffusion, settled_from_dict

PICTURE = "sha256:" + "0" * 64
CPU = Device(torch.device("cpu"), torch.float32, "CPU")
DEFAULTS = Defaults(width=64, height=64, steps=4, guidance_scale=5.0, scheduler="euler", sigmas="default")


def sampling(*, redraw: Redraw = WHOLE, **values: Any) -> Sampling:
    """A small text to image, but for what is said otherwise."""
    picture = {"init_image": PICTURE} if values.get("task") == "image_to_image" else {}
    request = settled_from_dict(stored(prompt="a red cat", **picture) | values)
    assert isinstance(request, SettledDiffusion)
    return replace(Sampling.of(request), redraw=redraw)


@dataclass
class Recorder:
    """What came out of the engine, in order."""

    events: list[EngineEvent] = field(default_factory=list)
    is_watched: bool = True
    check: Callable[[], None] = lambda: None

    @property
    def steps(self) -> list[Step]:
        return [event for event in self.events if isinstance(event, Step)]

    def context(self) -> Context:
        return Context(self.events.append, lambda: self.check(), lambda: self.is_watched, lambda _reference: b"")


def checkpoint_of(family: str, prediction_type: str | None = None, is_zero_terminal_snr: bool = False) -> Checkpoint:
    return Checkpoint(
        id="toy",
        name="toy",
        path=Path("toy"),
        form="folder",
        family=family,
        size_bytes=0,
        tasks=frozenset({"text_to_image", "image_to_image"}),
        defaults=Defaults(**{**vars(DEFAULTS), "prediction_type": prediction_type}),
        is_zero_terminal_snr=is_zero_terminal_snr,
    )


@contextmanager
def bench_for(
    pipeline: DiffusionPipeline, recorder: Recorder, family: str = "sd15", **checkpoint: Any
) -> Iterator[RunContext]:
    """A run context with `pipeline` on the CPU in fp32; the recorder has every event when the block is left."""
    channels = pipeline.vae.config.latent_channels
    decoder = from_table([(1, 0, 0), (0, 1, 0), (0, 0, 1), *[(0, 0, 0)] * (channels - 3)], (0, 0, 0))
    context = recorder.context()
    with Previewer(context.on_event, context.watched) as previewer:
        yield RunContext(
            checkpoint=checkpoint_of(family, **checkpoint),
            hashes=Hashes(checkpoint="c" * 64),
            pipeline=pipeline,
            components=pipeline.components,
            device=CPU,
            prompts=PromptEncoder(),
            latent_decoder=decoder,
            previewer=previewer,
            context=context,
        )

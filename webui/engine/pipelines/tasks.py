"""The families that do not run through our own loop: diffusers' pipeline, called as its family's adapter says, and
watched.

Knows no family by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from PIL import Image

from webui.checkpoints.decoding import FOLDER as TINY
from webui.checkpoints.families import FAMILIES
from webui.engine.cancel import all_cancellable
from webui.engine.pictures.images import next_multiple, pad_to, to_pixels, to_tensor
from webui.engine.pictures.intake import drawn_size, take_in
from webui.engine.pipelines.adapters.by_name import ADAPTERS
from webui.engine.pipelines.adapters.plain import PlainAdapter
from webui.engine.pipelines.observed import SchedulerStep, observed
from webui.engine.previews.tiny_decoder import decodes_instead
from webui.engine.run_context import RunContext, engine_image, kept_picture
from webui.engine.sampling import Sampling
from webui.engine.schedulers.start import begin_flow_between
from webui.errors import NotFinite
from webui.worker.messages import RawImage


def text_to_image(asked: Sampling, run_context: RunContext, indices: list[int], pipeline: Any) -> list[RawImage]:
    """Makes the images `indices` (from 0), one after the other."""
    return [_generate(asked, run_context, pipeline, index, {}) for index in indices]


def image_to_image(
    asked: Sampling,
    run_context: RunContext,
    indices: list[int],
    pipeline: Any,
    init_image: Image.Image,
    mask: np.ndarray | None = None,
) -> list[RawImage]:
    """Makes the images `indices` (from 0), drawn over `init_image` where `mask` says so.

    A strength of 1 comes here only with a mask. Added sides are drawn from pure noise, whether there is a mask or not.
    """
    asked = asked.at(*drawn_size(init_image, asked.redraw, asked.width, asked.height))
    picture_in = take_in(init_image, mask, asked.redraw, asked.width, asked.height)
    if asked.keeps_picture:
        return [kept_picture(asked, run_context, picture_in.unchanged, index) for index in indices]
    width, height = _computed_size(asked, run_context)
    extra = {
        "image": Image.fromarray(to_pixels(pad_to(to_tensor(picture_in.picture), width, height)[0])),
        # a pipeline runs int(steps · strength) steps, and none at all is an error to it
        "strength": max(asked.strongest, (1 + 1e-6) / asked.request.steps),
    }
    if picture_in.mask is not None:
        drawn = np.zeros((height, width), np.uint8)
        drawn[: asked.height, : asked.width] = (picture_in.mask > 0) * 255
        extra["mask_image"] = Image.fromarray(_adapter(run_context).mask(pipeline, drawn))
    return [_generate(asked, run_context, pipeline, index, extra, picture_in.put_back) for index in indices]


def _generate(
    asked: Sampling,
    run_context: RunContext,
    pipeline: Any,
    index: int,
    extra: dict[str, Any],
    finish: Callable[[np.ndarray], Image.Image] = Image.fromarray,
) -> RawImage:
    """Makes one image. `finish` turns what was drawn, (H, W, 3) uint8, into the picture."""
    adapter = _adapter(run_context)
    width, height = _computed_size(asked, run_context)
    watcher = _Watcher(adapter, pipeline, run_context, (height, width), index)
    scheduler = observed(adapter.scheduler(pipeline.scheduler, asked), watcher.keep)
    if asked.starts_between_steps and isinstance(scheduler, FlowMatchEulerDiscreteScheduler):
        begin_flow_between(scheduler, asked.strongest)
    with (
        all_cancellable(run_context.components, run_context.context.check),
        _own_scheduler(pipeline, scheduler),
        decodes_instead(run_context.components.get("vae"), run_context.components.get(TINY)),
        torch.inference_mode(),
    ):
        arguments = {
            **adapter.arguments(pipeline, asked, index, (height, width)),
            **adapter.observation(watcher.on_step, int(asked.request.steps * extra.get("strength", 1.0))),
            **extra,
        }
        adapter.prepare(pipeline)
        pipeline.set_progress_bar_config(disable=True)
        try:
            output = pipeline(**arguments)
            pixels = np.asarray(output.images[0], dtype=np.float32)  # (H, W, 3) in [0, 1]
        except _Enough as enough:
            pixels = adapter.estimate(pipeline, enough.step, (height, width), run_context.latent_decoder)
    if not np.isfinite(pixels).all():
        raise NotFinite(phase="decode")
    picture = finish((pixels * 255).round().astype(np.uint8)[: asked.height, : asked.width])
    run_context.previewer.step(index=1, total=1, phase="decode", image=index, make=lambda: picture)
    return engine_image(asked, run_context, picture, index, watcher.done)


def _adapter(run_context: RunContext) -> PlainAdapter:
    return ADAPTERS[FAMILIES[run_context.checkpoint.family].adapter or ""]


def _computed_size(asked: Sampling, run_context: RunContext) -> tuple[int, int]:
    """Width and height, rounded up to the family's next multiple; the excess is cut off at the
    right and at the bottom.
    """
    multiple = FAMILIES[run_context.checkpoint.family].size_multiple
    return next_multiple(asked.width, multiple), next_multiple(asked.height, multiple)


@contextmanager
def _own_scheduler(pipeline: Any, scheduler: Any) -> Iterator[None]:
    """While this lasts, the pipeline uses this run's scheduler."""
    original = pipeline.scheduler
    pipeline.scheduler = scheduler
    try:
        yield
    finally:
        pipeline.scheduler = original


class _Enough(Exception):
    """Raised to end a pipeline early, once the steps that were asked for are done; `step` is the last of them."""

    def __init__(self, step: SchedulerStep) -> None:
        super().__init__()
        self.step = step


class _Watcher:
    """Reports the steps of a pipeline that draws image `index` (from 0); `size` is (height, width) in pixels."""

    def __init__(
        self, adapter: PlainAdapter, pipeline: Any, run_context: RunContext, size: tuple[int, int], index: int
    ) -> None:
        self.done = 0
        self._adapter = adapter
        self._pipeline = pipeline
        self._run_context = run_context
        self._size = size
        self._index = index
        self._started = time.perf_counter()
        self._step: SchedulerStep | None = None

    def keep(self, step: SchedulerStep) -> None:
        """Remembers what the scheduler's last step worked with."""
        self._step = step

    def on_step(self, done: int, total: int) -> None:
        """Called when `done` steps are done; if a step needs several calls of the network, after each of them."""
        self._run_context.context.check()
        step = self._step
        if done <= self.done or step is None:
            return
        self.done = done
        seconds, self._started = time.perf_counter() - self._started, time.perf_counter()
        make = self._adapter.preview(self._pipeline, step, self._size, self._run_context.latent_decoder)
        self._run_context.previewer.step(
            index=done, total=total, phase="denoise", image=self._index, seconds=seconds, make=make
        )
        if done == self._run_context.branch_plan.segments[-1].until:
            raise _Enough(step)

"""The engine alone: steps a second, what a watcher costs, and what it takes to change the checkpoint."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from tests.benchmarks.figures import Figure, ratio
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.engine.kept_steps import Tape
from webui.events import EngineEvent, Step
from webui.requests import TextToImage
from webui.settings import ROOT, Settings

_PROMPT = "a white lighthouse on the coast at night, clear sky"
_STEPS = 20
_KEPT = 200


def measure_engine(repeats: int) -> Iterator[Figure]:
    """Pictures of the starter, watched and unwatched in turn, so that whatever else runs meets both alike."""
    engine = Engine(Settings(strip_memory_mb=0))  # the same picture each time, and drawn each time
    _steps(engine, "starter", watched=True)  # loads and warms up
    watched, unwatched = [], []
    for _ in range(repeats):
        watched.append(_steps(engine, "starter", watched=True))
        unwatched.append(_steps(engine, "starter", watched=False))
    goal = "goal: under 3 %, or 3 ms a step"
    yield Figure("steps a second, starter at its defaults", tuple(1 / seconds for seconds in unwatched), "steps/s")
    yield ratio("a step with a watcher, over one without", watched, unwatched, goal)
    more = tuple(1000 * (with_one - without) for with_one, without in zip(watched, unwatched, strict=True))
    yield Figure("the same in milliseconds", more, "ms", goal)


def measure_strip(repeats: int) -> Iterator[Figure]:
    """Pictures of the starter with their steps kept and without, in turn."""
    engines = [Engine(Settings(strip_memory_mb=megabytes)) for megabytes in (512, 0)]
    for engine in engines:
        _steps(engine, "starter", watched=False)
    kept, dropped = [], []
    for repeat in range(repeats):
        for engine, times in zip(engines, (kept, dropped), strict=True):
            times.append(_steps(engine, "starter", watched=False, seed=2 + repeat))
    goal = "goal: under 3 %, or 3 ms a step"
    yield ratio("a step that is kept, over one that is not", kept, dropped, goal)
    more = tuple(1000 * (with_strip - without) for with_strip, without in zip(kept, dropped, strict=True))
    yield Figure("the same in milliseconds", more, "ms", goal)
    alone = tuple(_keeping_milliseconds(engines[0]) for _ in range(repeats))
    yield Figure("keeping a step of 512×512, by itself", alone, "ms", goal)


def measure_swaps(repeats: int) -> Iterator[Figure]:
    """Two checkpoints in turn: with memory for both, and with memory for one."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("one", "two"):
            shutil.copytree(ROOT / "models" / "starter", Path(folder) / name, ignore=shutil.ignore_patterns("recipe"))
        for budget_gb, what in ((None, "both in memory"), (0.001, "one in memory")):
            engine = Engine(Settings(models_dir=Path(folder), model_memory_gb=budget_gb))
            for name in ("one", "two"):
                _load_and_step(engine, name)
            times = [_load_and_step(engine, name) for _ in range(repeats) for name in ("one", "two")]
            yield Figure(f"change of checkpoint and one step, {what}", tuple(times))


def _steps(engine: Engine, checkpoint: str, *, watched: bool, seed: int = 1) -> float:
    """Median seconds of a denoising step, from one step's event to the next."""
    moments: list[float] = []

    def note(event: EngineEvent) -> None:
        if isinstance(event, Step) and event.phase == "denoise":
            moments.append(time.perf_counter())

    request = TextToImage(prompt=_PROMPT, checkpoint=checkpoint, seed=seed, steps=_STEPS)
    engine.run(_resolved(engine, request), _context(note, watched=watched))
    return statistics.median(later - earlier for earlier, later in itertools.pairwise(moments))


def _keeping_milliseconds(engine: Engine) -> float:
    """How long the loop waits for what is kept of one step, where nothing else goes on."""
    prediction = torch.randn(1, 4, 64, 64, device=engine.device.torch_device)  # Stable Diffusion's for 512×512 pixels
    tape = Tape(is_recording=True)
    start = time.perf_counter()
    for _ in range(_KEPT):
        tape.next(prediction.device, lambda: prediction)
    return 1000 * (time.perf_counter() - start) / _KEPT


def _load_and_step(engine: Engine, checkpoint: str) -> float:
    start = time.perf_counter()
    request = TextToImage(prompt=_PROMPT, checkpoint=checkpoint, seed=1, steps=1)
    engine.run(_resolved(engine, request), _context(lambda event: None))
    return time.perf_counter() - start


def _resolved(engine: Engine, request: TextToImage) -> TextToImage:
    """The request as a job carries it: nothing is left to defaults. Pictures have the checkpoint's own size."""
    defaults = engine.catalogue.get(request.checkpoint or "").defaults
    values = {"guidance_scale": 5.0, "scheduler": "ddim", "sigmas": "default"}
    return dataclasses.replace(request, width=defaults.width, height=defaults.height, **values)


def _context(on_event: Callable[[EngineEvent], None], *, watched: bool = False) -> Context:
    def read_nothing(reference: str) -> bytes:
        raise LookupError(reference)

    return Context(on_event=on_event, check=lambda: None, watched=lambda: watched, read_picture=read_nothing)

"""The engine alone: steps a second, what a watcher costs, and what it takes to change the checkpoint."""

from __future__ import annotations

import dataclasses
import io
import itertools
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from tests.benchmarks.figures import Figure, ratio
from tests.settling import SettlingEngine
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.engine.unet.kept_steps import KeptSteps, Stamp, StepRecorder
from webui.events import EngineEvent, Step
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.settings import ROOT, Settings

_PROMPT = "a white lighthouse on the coast at night, clear sky"
_STEPS = 20
_MANY_STEPS = 50  # where some of a picture's steps are told from others
_PHOTOGRAPH, _MASK = f"sha256:{1:064x}", f"sha256:{2:064x}"
_GOAL = "goal: under 3 %, or 3 ms a step"
Drawn = TextToImage | ImageToImage
_KEPT = 200


def measure_engine(repeats: int) -> Iterator[Figure]:
    """Pictures of the starter; what previews cost is told from their own steps, so that whatever else runs meets both
    alike."""
    engine = SettlingEngine(Settings(strip_memory_mb=0))  # the same picture each time, and drawn each time
    request = TextToImage(prompt=_PROMPT, checkpoint="starter", seed=1, steps=_STEPS)
    steps_of(engine, request)  # loads and warms up
    seconds = [statistics.median(step.seconds for step in steps_of(engine, request)) for _ in range(repeats)]
    yield Figure("steps a second, starter at its defaults", tuple(1 / one for one in seconds), "steps/s")
    yield from _preview_costs("a watched step, over one without a preview", engine, request, repeats)
    part = ImageToImage(
        prompt=_PROMPT,
        checkpoint="starter",
        seed=1,
        init_image=_PHOTOGRAPH,
        mask=_MASK,
        inpaint_area="only_masked",
        denoising_strength=0.99,
    )
    yield from _preview_costs("the same while a part is redrawn", engine, part, repeats)


def _preview_costs(name: str, engine: Engine, request: Drawn, repeats: int) -> Iterator[Figure]:
    """Of the steps of watched pictures: those during which a preview was made, and the others."""
    long = dataclasses.replace(request, steps=_MANY_STEPS)
    pairs = []
    for _ in range(repeats):
        steps = list(itertools.pairwise(steps_of(engine, long, watched=True)))
        previewed = [after.seconds for before, after in steps if before.preview]
        pairs.append((previewed, [after.seconds for before, after in steps if not before.preview]))
    yield from _costs(name, pairs, shares=[len(some) / (len(some) + len(others)) for some, others in pairs])


def measure_strip(repeats: int) -> Iterator[Figure]:
    """Pictures of the starter of which every second step is kept."""
    engine = SettlingEngine(Settings())
    engine.kept_steps = _EverySecond(limit_bytes=2**29)
    request = TextToImage(prompt=_PROMPT, checkpoint="starter", seed=1, steps=_MANY_STEPS)
    pairs = []
    for seed in range(repeats + 1):
        steps = [step.seconds for step in steps_of(engine, dataclasses.replace(request, seed=seed))]
        pairs.append((steps[2::2], steps[1::2]))
    yield from _costs("a step that is kept, over one that is not", pairs[1:], shares=[1.0] * repeats)
    alone = tuple(_keeping_milliseconds(engine) for _ in range(repeats))
    yield Figure("keeping a step of 512×512, by itself", alone, "ms", _GOAL)


class _EverySecond(KeptSteps):
    """Keeps the first step of a picture, the third, and so on."""

    @contextmanager
    def recorder(self, digests: Sequence[str], stamp: Stamp) -> Iterator[StepRecorder]:
        recorder = _EverySecondRecorder(is_recording=True)
        with super().recorder(digests, stamp) as whole:
            whole.is_recording = False
            yield recorder


class _EverySecondRecorder(StepRecorder):
    def next(self, device: torch.device, predict: Callable[[], torch.Tensor]) -> torch.Tensor:
        prediction = super().next(device, predict)
        self.is_recording = not self.is_recording
        return prediction


def _costs(
    name: str, pairs: Sequence[tuple[Sequence[float], Sequence[float]]], shares: Sequence[float]
) -> Iterator[Figure]:
    """What the first steps of each pair take more than the second, by their medians, spread over all steps: `shares` of
    them take it."""
    more, others = ([statistics.median(steps) for steps in side] for side in zip(*pairs, strict=True))
    spread = [other + share * (one - other) for one, other, share in zip(more, others, shares, strict=True)]
    yield ratio(name, spread, others, _GOAL)
    differences = tuple(1000 * (one - other) for one, other in zip(spread, others, strict=True))
    yield Figure("in milliseconds", differences, "ms", _GOAL)


def measure_swaps(repeats: int) -> Iterator[Figure]:
    """Two checkpoints in turn: with memory for both, and with memory for one."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("one", "two"):
            shutil.copytree(ROOT / "models" / "starter", Path(folder) / name, ignore=shutil.ignore_patterns("recipe"))
        for budget_gb, what in ((None, "both in memory"), (0.001, "one in memory")):
            engine = SettlingEngine(Settings(models_dir=Path(folder), model_memory_gb=budget_gb))
            for name in ("one", "two"):
                _load_and_step(engine, name)
            times = [_load_and_step(engine, name) for _ in range(repeats) for name in ("one", "two")]
            yield Figure(f"change of checkpoint and one step, {what}", tuple(times))


def steps_of(engine: Engine, request: Drawn, *, watched: bool = False) -> list[Step]:
    """The denoising steps of a picture, in their order."""
    steps: list[Step] = []

    def note(event: EngineEvent) -> None:
        if isinstance(event, Step) and event.phase == "denoise":
            steps.append(event)

    engine.run(_resolved(engine, request), _context(note, watched=watched))
    return steps


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _ellipse(width: int, height: int) -> Image.Image:
    """White on black, in the middle."""
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).ellipse((width // 3, height // 3, 2 * width // 3, 2 * height // 3), fill=255)
    return mask


def _keeping_milliseconds(engine: Engine) -> float:
    """How long the loop waits for what is kept of one step, where nothing else goes on."""
    prediction = torch.randn(1, 4, 64, 64, device=engine.device.torch_device)  # Stable Diffusion's for 512×512 pixels
    recorder = StepRecorder(is_recording=True)
    start = time.perf_counter()
    for _ in range(_KEPT):
        recorder.next(prediction.device, lambda: prediction)
    return 1000 * (time.perf_counter() - start) / _KEPT


def _load_and_step(engine: Engine, checkpoint: str) -> float:
    start = time.perf_counter()
    request = TextToImage(prompt=_PROMPT, checkpoint=checkpoint, seed=1, steps=1)
    engine.run(_resolved(engine, request), _context(lambda event: None))
    return time.perf_counter() - start


def _resolved(engine: Engine, request: Drawn) -> Drawn:
    """The request as a job carries it: nothing is left to defaults. Pictures have the checkpoint's own size."""
    defaults = engine.catalogue.get(request.checkpoint or "").defaults
    values = {"guidance_scale": 5.0, "scheduler": "ddim", "sigmas": "default"}
    return dataclasses.replace(request, width=defaults.width, height=defaults.height, **values)


def _context(on_event: Callable[[EngineEvent], None], *, watched: bool = False) -> Context:
    pictures = {_PHOTOGRAPH: _png(Image.new("RGB", (1536, 1024), "teal")), _MASK: _png(_ellipse(1536, 1024))}
    return Context(on_event=on_event, check=lambda: None, watched=lambda: watched, read_picture=pictures.__getitem__)

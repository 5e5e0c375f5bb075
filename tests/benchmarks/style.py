"""Style transfer against the baseline, on the same network, as curves over time; and what large results take.

Time is the processor's, by thread: the wall's on a machine that does nothing else, whatever else this one does.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from skimage import data
from torch import Tensor
from torch.nn import functional

from tests.benchmarks.figures import Figure
from tests.benchmarks.style_baseline import stylize
from tests.benchmarks.style_judges import Judges
from webui.engine.context import Context
from webui.engine.device import choose_device
from webui.engine.style import style_transfer
from webui.engine.style.optimise import Iterate
from webui.engine.style.recipes import RANDOM
from webui.engine.style.sources import Sources, Style
from webui.engine.style.transfer import from_coarse_to_fine
from webui.engine.style.vgg import random_vgg19
from webui.requests.style_transfer import StyleTransfer
from webui.settings import ROOT

REFERENCE = "sha256:" + "0" * 64  # pictures are handed over themselves
LOOKS = 24  # at each course of a picture, evenly in time as far as it is known
SIZE, ITERATIONS = 256, 200
OURS, BASELINE = "ours", "baseline"


@dataclass
class Course:
    """How a method came along: seconds, and by then style, patches and content distance."""

    method: str
    points: list[tuple[float, float, float, float]] = field(default_factory=list)


class Watch:
    """Stops the clock while the judges look; stands where the engine has its `Progress`."""

    def __init__(self, method: str, judges: Judges, size: torch.Size, every: int) -> None:
        self.course = Course(method)
        self.scales: list[str] = []
        self.index, self.is_over = 0, False
        self._judges, self._size, self._every = judges, size, every
        self._begun = _now()

    def __call__(self, iterate: Iterate) -> bool:
        return self.look(iterate.picture)

    def look(self, picture: Callable[[], Tensor]) -> bool:
        """One iteration more."""
        self.index += 1
        if self.index % self._every == 0 or self.index == 1:
            before = _now()
            found = functional.interpolate(picture().detach(), self._size, mode="bicubic").clamp(0, 1)
            judged = (self._judges.style(found), self._judges.patches(found), self._judges.content(found))
            self.course.points.append((before - self._begun, *judged))
            self._begun += _now() - before
        return False


def measure_style(repeats: int, drawing: Path | None = None) -> Iterator[Figure]:
    """The first `repeats` pairs; curves are drawn into `drawing`."""
    courses: list[tuple[str, Course, Course]] = []
    shares, times = [], []
    for name, content, style in _pairs()[:repeats]:
        ours, baseline = _courses(content, style)
        courses.append((name, ours, baseline))
        _, style_aim, patch_aim, content_aim = baseline.points[-1]
        whole = baseline.points[-1][0]
        for judge, column, aim in (("random network", 1, style_aim), ("patches", 2, patch_aim)):
            reached = next((point[0] for point in ours.points if point[column] <= aim), None)
            values = () if reached is None else (100 * reached / whole,)
            yield Figure(f"{name}: baseline's last style by {judge}", values, "%", "of its time; goal: 50 at most")
            shares.extend(values)
        yield Figure(f"{name}: content distance, ours over baseline's", (ours.points[-1][3] / content_aim,), "×")
        times.append(ours.points[-1][0])
    if shares:
        yield Figure("baseline's last style reached, all", tuple(shares), "%", "of its time; goal: 50 at most")
    yield Figure(f"ours, {SIZE}², {ITERATIONS} iterations", tuple(times))
    if drawing is not None:
        _draw(courses).save(drawing, "WEBP", quality=85, method=6)


def measure_large(sizes: tuple[int, ...]) -> Iterator[Figure]:
    """Seconds, and the most memory beyond the start, each in a process of its own.

    Eight iterations are one at each of the eight largest scales: memory depends on the last two. How long a whole one
    takes is told for 512².
    """
    for size, iterations in ((512, ITERATIONS), (1024, 8), (4096, 8)):
        if size not in sizes:
            continue
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            gigabytes, seconds = pool.apply(_large, (size, iterations))
        goal = "goal: under 60 s" if size == 512 else ""
        yield Figure(f"style transfer at {size}², {iterations} iterations", (seconds,), "s", goal)
        yield Figure(
            "memory that it took", (gigabytes,), "GB", "goal: no more than 1024² takes" if size == 4096 else ""
        )


def _large(size: int, iterations: int) -> tuple[float, float]:
    _, content, style = _pairs()[0]
    context = Context(lambda _event: None, lambda: None, lambda: False, lambda _reference: b"")
    request = StyleTransfer(content_image=REFERENCE, style_image=REFERENCE, seed=0, size=size, iterations=iterations)

    def run(request: StyleTransfer) -> None:
        style_transfer(request, content, style, device=choose_device(), models_dir=Path("none"), context=context)

    run(dataclasses.replace(request, size=64, iterations=1))  # what is loaded once
    start, begun = _most_memory(), _now()
    run(request)
    return (_most_memory() - start) / 1e9, _now() - begun


def _most_memory() -> float:
    """Bytes, the most that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def _now() -> float:
    return time.process_time() / torch.get_num_threads()


def _pairs() -> list[tuple[str, Image.Image, Image.Image]]:
    styles = ROOT / "presets" / "styles"
    photographs = (
        ("astronaut", Image.fromarray(data.astronaut()), "swirling_oil"),
        ("cat", Image.fromarray(data.chelsea()).crop((70, 0, 370, 300)), "mosaic"),
        ("coffee", Image.fromarray(data.coffee()).crop((80, 0, 480, 400)), "woodcut"),
    )
    return [
        (f"{name} in {style}", picture, Image.open(styles / f"{style}.webp").convert("RGB"))
        for name, picture, style in photographs
    ]


def _courses(content: Image.Image, style: Image.Image) -> tuple[Course, Course]:
    request = StyleTransfer(content_image=REFERENCE, style_image=REFERENCE, seed=0, size=SIZE, iterations=ITERATIONS)
    plain = _sources(content, style, 0.0)
    network = random_vgg19(plain.small, RANDOM.depth, choose_device("cpu").dtype)
    given, wanted = plain.content(SIZE).whole(), plain.styles(SIZE, 1.0)[0]
    judges = Judges(given, wanted)
    ours = Watch(OURS, judges, given.shape[-2:], max(1, ITERATIONS // LOOKS))
    coloured = _sources(content, style, RANDOM.colour_share(request))  # learning the colours belongs to our time
    from_coarse_to_fine(request, RANDOM, network, coloured, ours, lambda: None)  # type: ignore[arg-type]
    baseline = Watch(BASELINE, judges, given.shape[-2:], 2000 // LOOKS)
    stylize(
        network,
        RANDOM.content_layers[0],
        RANDOM.style_layers,
        lambda side: plain.content(side).whole(),
        lambda side: plain.styles(side, 1.0)[0],
        SIZE,
        lambda average: baseline.look(lambda: average),
    )
    return ours.course, baseline.course


def _sources(content: Image.Image, style: Image.Image, share: float) -> Sources:
    return Sources(
        content,
        [Style(style, 1.0)],
        device=torch.device("cpu"),
        keep_colours="off",
        colour_share=share,
        check=lambda: None,
    )


def _draw(courses: list[tuple[str, Course, Course]]) -> Image.Image:
    """A row for each pair, a column for each distance; time from left to right, distance upwards from 0."""
    width, height, edge = 300, 190, 34
    sheet = Image.new("RGB", (3 * width, len(courses) * height), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    for row, (name, *both) in enumerate(courses):
        longest = max(course.points[-1][0] for course in both)
        for column, judge in enumerate(("style, random network", "style, patches", "content")):
            left, top = column * width + edge, row * height + 26
            most = max(point[column + 1] for course in both for point in course.points) or 1.0
            pen.rectangle([left, top, left + width - 50, top + height - 56], outline=(180, 180, 180))
            pen.text((left, top - 18), f"{name}: {judge}", fill=(0, 0, 0))
            pen.text((left - 30, top - 4), f"{most:.2g}", fill=(90, 90, 90))
            pen.text((left + width - 90, top + height - 52), f"{longest:.0f} s", fill=(90, 90, 90))
            for course, colour in zip(both, ((200, 40, 30), (40, 80, 180)), strict=True):
                line = [
                    (left + (width - 50) * point[0] / longest, top + (height - 56) * (1 - point[column + 1] / most))
                    for point in course.points
                ]
                pen.line(line, fill=colour, width=2)
        pen.text((edge, row * height + height - 14), "red: ours, blue: baseline", fill=(0, 0, 0))
    return sheet

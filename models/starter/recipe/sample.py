"""Pictures from the finished checkpoint, drawn as the program draws them, and contact sheets of them."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from webui.checkpoints.catalogue import Catalogue
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.requests.settled import SettledTextToImage
from webui.settings import Settings

_DEFAULTED = ("scheduler", "sigmas", "steps", "guidance_scale", "width", "height")


def _nothing() -> None:
    """Nobody stops an evaluation but by ending it."""


def _unused(_reference: str) -> bytes:
    raise NotImplementedError("text to image reads no pictures")


class Studio:
    """One checkpoint in the program's own engine, with its own defaults."""

    def __init__(self, checkpoint: Path) -> None:
        self._id = checkpoint.name
        self.defaults = Catalogue(checkpoint.parent).get(self._id).defaults
        settings = Settings(models_dir=checkpoint.parent, data_dir=Path(tempfile.gettempdir()))
        started = time.monotonic()
        self._engine = Engine(settings)
        self._engine.preload(self._id, _nothing)
        self.load_seconds = time.monotonic() - started
        self.draw("", 0, steps=2)  # what is made once, like the map for previews, is no part of a picture's time

    def draw(self, prompt: str, seed: int, **changes: int | float | str) -> Image.Image:
        """One picture. Weights in the prompt are A1111's; `changes` are fields of the request."""
        settings = {name: getattr(self.defaults, name) for name in _DEFAULTED}
        request = SettledTextToImage(prompt=prompt, checkpoint=self._id, seed=seed, **settings | changes)
        context = Context(lambda _event: None, _nothing, lambda: False, _unused)
        (image,) = self._engine.run(request, context)
        return Image.frombytes("RGB", (image.width, image.height), image.rgb)

    def draw_all(
        self, prompts: Sequence[str], seeds: Sequence[int], on_picture: Callable[[int], None] = lambda _done: None
    ) -> list[Image.Image]:
        """One picture for each prompt."""
        pictures = []
        for done, (prompt, seed) in enumerate(zip(prompts, seeds, strict=True), start=1):
            pictures.append(self.draw(prompt, seed))
            on_picture(done)
        return pictures

    def seconds_a_picture(self, prompt: str, times: int = 3) -> float:
        """The shortest of a few runs, since other programs on the machine only add time."""
        seconds = []
        for seed in range(times):
            started = time.monotonic()
            self.draw(prompt, seed)
            seconds.append(time.monotonic() - started)
        return min(seconds)


def contact_sheet(pictures: Sequence[Image.Image], columns: int, size: int = 256) -> Image.Image:
    """The pictures side by side, each `size` pixels wide and high."""
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * size, rows * size), "white")
    for index, picture in enumerate(pictures):
        tile = picture if picture.width == size else picture.resize((size, size), Image.Resampling.LANCZOS)
        sheet.paste(tile, (index % columns * size, index // columns * size))
    return sheet

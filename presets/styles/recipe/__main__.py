"""`python -m presets.styles.recipe`: draws the gallery's style pictures anew, the same ones each time."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from presets.styles.recipe.brushes import embroidery, points, swirling_oil
from presets.styles.recipe.cells import facets, mosaic, stained_glass
from presets.styles.recipe.prints import ember, halftone, ink_wash, watercolour, wave_print, woodcut

STYLES = (
    swirling_oil, watercolour, ink_wash, wave_print, woodcut,
    points, mosaic, stained_glass, facets, embroidery, halftone, ember,
)  # fmt: skip
LARGEST_BYTES = 60_000
SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent.parent)
    folder: Path = parser.parse_args().folder
    named = {style["id"] for style in json.loads((folder / "styles.json").read_text(encoding="utf-8"))}
    for draw in STYLES:
        name = draw.__name__
        if name not in named:
            continue
        picture = draw(np.random.default_rng((SEED, *name.encode())))
        image = Image.fromarray((255 * np.clip(picture, 0, 1)).round().astype(np.uint8))
        for quality in range(86, 20, -6):
            image.save(folder / f"{name}.webp", "WEBP", quality=quality, method=6)
            if (folder / f"{name}.webp").stat().st_size <= LARGEST_BYTES:
                break


if __name__ == "__main__":
    main()

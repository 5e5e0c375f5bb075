"""`python -m models.starter.recipe.examples`: draw the page's example tiles anew, as the program draws them.

`--choose N` writes a sheet of N seeds for each example instead, a row each, for the eye to pick the seeds that
`darkroom.json` names.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from PIL import Image

from models.starter.recipe.sample import Studio, contact_sheet

CHECKPOINT = Path(__file__).resolve().parents[1]
QUALITY = 85


def read_examples(checkpoint: Path) -> list[dict[str, Any]]:
    """The examples that the checkpoint's `darkroom.json` lists."""
    examples: list[dict[str, Any]] = json.loads((checkpoint / "darkroom.json").read_text("utf-8"))["examples"]
    return examples


def draw_examples(studio: Studio, checkpoint: Path) -> None:
    """Each example with its own prompt and seed, into the file that it names."""
    for example in read_examples(checkpoint):
        picture = studio.draw(example["prompt"], example["seed"])
        picture.save(checkpoint / example["picture"], quality=QUALITY)


def draw_choice(studio: Studio, checkpoint: Path, seeds: int) -> Image.Image:
    """A row for each example, a column for each seed from 0."""
    prompts = [example["prompt"] for example in read_examples(checkpoint)]
    return contact_sheet([studio.draw(prompt, seed) for prompt in prompts for seed in range(seeds)], seeds)


def main() -> None:
    """Draw the tiles, or the sheet to choose from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--choose", type=int, metavar="N", help="seeds to try for each example")
    parser.add_argument("--sheet", type=Path, default=Path("choice.webp"), help="where that sheet goes")
    arguments = parser.parse_args()
    studio = Studio(arguments.checkpoint)
    if arguments.choose:
        draw_choice(studio, arguments.checkpoint, arguments.choose).save(arguments.sheet, quality=QUALITY)
    else:
        draw_examples(studio, arguments.checkpoint)


if __name__ == "__main__":
    main()

"""`python -m models.starter.recipe.evaluate`: the figures of the finished checkpoint as a table, and a contact sheet.

Everything is measured on scenes and seeds that nothing was trained on, through the program's own engine, with the
checkpoint's own defaults. `--pictures` sets the effort; the table says how many of each there were, and how sure that
makes it.
"""

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor
from transformers import CLIPModel

from models.starter.recipe import exam
from models.starter.recipe.architecture import build_tokenizer
from models.starter.recipe.clip import retrieval
from models.starter.recipe.draw import draw_one
from models.starter.recipe.judge import (
    FRESH_SEED,
    JUDGE,
    JUDGE_ACCURACY,
    Judge,
    Tally,
    accuracy,
    fresh_pictures,
    load_judge,
    shortfalls,
)
from models.starter.recipe.measures import mean_interval, nearest, share_interval
from models.starter.recipe.prompts import PROMPTS
from models.starter.recipe.report import Row, as_json, markdown
from models.starter.recipe.sample import Studio, contact_sheet
from models.starter.recipe.thumbnails import load_vae, reconstruct, to_input
from webui.engine.critics.critic import load_critic
from webui.engine.device import choose_device

CHECKPOINT = Path(__file__).resolve().parents[1]
MIB = 1024 * 1024
SHEET_TILE, SHEET_COLUMNS = 192, 8
log = logging.getLogger("evaluate")


def size_rows(checkpoint: Path) -> list[Row]:
    """What a person downloads: the weights, all but the recipe's own."""
    files = [path for path in checkpoint.rglob("*.safetensors") if "recipe" not in path.relative_to(checkpoint).parts]
    sizes = [path.stat().st_size / MIB for path in files]
    return [
        Row(name="weights", value=sum(sizes), unit="MiB", threshold=40, at_most=True),
        Row(name="largest file", value=max(sizes), unit="MiB", threshold=15, at_most=True),
    ]


def speed_rows(studio: Studio) -> list[Row]:
    """On this machine, as busy as it is."""
    large = studio.defaults.width * studio.defaults.height >= 512 * 512
    name = f"a picture, {studio.defaults.width} by {studio.defaults.height}, {studio.defaults.steps} steps"
    return [
        Row(name="loading", value=studio.load_seconds, unit="s", threshold=2, at_most=True),
        Row(name=name, value=studio.seconds_a_picture(PROMPTS[0]), unit="s", threshold=4 if large else 3, at_most=True),
    ]


def autoencoder_row(vae: AutoencoderKL, number: int, size: int) -> Row:
    """PSNR of fresh pictures, as the program computes it."""
    values = []
    for index in range(number):
        picture, _ = draw_one(FRESH_SEED, index, size)
        error = (reconstruct(vae, picture).astype(np.float64) - picture) / 255
        values.append(-10 * float(np.log10(np.square(error).mean())))
    return Row(name="autoencoder, PSNR of fresh pictures", value=float(np.mean(values)), unit="dB", number=number,
               interval=mean_interval(values), threshold=28)  # fmt: skip


def judge_rows(found: dict[str, Tally], threshold: float | None) -> list[Row]:
    """The judge's own accuracy."""
    return [
        Row(name=name, value=one.share, number=one.asked, interval=share_interval(one.right, one.asked),
            threshold=threshold)
        for name, one in found.items()
    ]  # fmt: skip


def clip_rows(checkpoint: Path, number: int) -> list[Row]:
    """How well the CLIP knows fresh pictures by their captions."""
    clip = CLIPModel.from_pretrained(checkpoint / "clip", dtype=torch.float32).eval()
    rows = []
    for chinese, language in ((False, "English"), (True, "Chinese")):
        found = retrieval(clip, build_tokenizer(), number, chinese, exam.SEED)
        names = {"caption": "the best of 100 captions is true of the picture", "picture": "the best of 100 pictures "
                 "shows the caption", "word": "the caption beats the same with one word changed"}  # fmt: skip
        rows += [
            Row(name=f"{name}, {language}", value=found[key], number=number,
                interval=share_interval(round(found[key] * number), number))
            for key, name in names.items()
        ]  # fmt: skip
    return rows


@torch.inference_mode()
def nearest_row(vae: AutoencoderKL, latents: Path, drawn: list[Image.Image], size: int) -> Row:
    """Distance to the nearest picture of the training, against that of as many fresh renderings."""

    def encoded(pictures: list[np.ndarray]) -> Tensor:
        parts = [vae.encode(to_input(picture[None].copy()).to(vae.dtype)).latent_dist.mode() for picture in pictures]
        return torch.cat(parts).flatten(1).float()

    def trained() -> Iterator[Tensor]:
        for path in sorted(latents.glob("[0-9]*.pt")):
            yield torch.load(path, map_location="cpu", weights_only=True)["latents"].flatten(1)

    fresh = encoded([draw_one(FRESH_SEED, index, size)[0] for index in range(len(drawn))])
    ours = encoded([np.asarray(picture) for picture in drawn])
    distances = nearest(torch.cat([ours, fresh]), trained()).split(len(drawn))
    value = float(distances[0].mean() / distances[1].mean())
    spread = np.random.default_rng(exam.SEED).integers(len(drawn), size=(1000, len(drawn)))
    ratios = distances[0].numpy()[spread].mean(axis=1) / float(distances[1].mean())
    low, high = np.quantile(ratios, (0.025, 0.975))
    return Row(name="distance to the nearest training picture, against a fresh rendering's", value=value, unit="",
               number=len(drawn), interval=(float(low), float(high)), threshold=1)  # fmt: skip


def judged_sections(
    studio: Studio, judge: Judge, pictures: int, doubts: dict[str, str]
) -> tuple[list[tuple[str, list[Row]]], list[exam.Answer]]:
    """All that the judge has to read."""
    answers = exam.answer(
        studio, judge, exam.ask_in_both_languages(pictures), [index // 2 for index in range(pictures // 2 * 2)]
    )
    log.info("the first %d pictures are drawn", len(answers))
    quarter = answers[: max(2, pictures // 4)]
    sections = [
        ("What a prompt names is in the picture", exam.attribute_rows(answers, doubts)),
        ("Pairs that never stood together in training", exam.held_out_rows(studio, judge, pictures // 4, doubts)),
        ("Words do what they should", [exam.weight_row(studio, judge, quarter), *exam.change_rows(studio, quarter)]),
    ]
    return sections, answers


def evaluate(arguments: argparse.Namespace) -> list[tuple[str, list[Row]]]:
    """All sections of the table."""
    checkpoint: Path = arguments.checkpoint
    studio, vae, judge = Studio(checkpoint), load_vae(checkpoint), load_judge(arguments.judge)
    size = studio.defaults.width
    sections = [("The checkpoint", [*size_rows(checkpoint), *speed_rows(studio),
                                    autoencoder_row(vae, arguments.fresh // 10, size)])]  # fmt: skip
    found = accuracy(judge, *fresh_pictures(arguments.fresh))
    softened = accuracy(judge, *fresh_pictures(arguments.fresh // 10, lambda picture: reconstruct(vae, picture), size))
    doubts = {name: f"the judge itself reads {100 * found[name].share:.1f} %" for name in shortfalls(found)}
    for name, doubt in doubts.items():
        log.warning("no judge of %s: %s", name, doubt)
    judged, answers = judged_sections(studio, judge, arguments.pictures, doubts)
    sections += judged
    critic = load_critic(checkpoint / "clip", choose_device("cpu"))
    drawn = [one.picture for one in answers]
    unlike = [exam.diversity_row(studio, critic, max(2, arguments.pictures // 16), size)]
    if arguments.latents:
        unlike.append(nearest_row(vae, arguments.latents, drawn, size))
    sections.append(("Pictures of its own", unlike))
    sections.append(("The judge, on fresh renderings", judge_rows(found, JUDGE_ACCURACY)))
    sections.append(("The judge, on renderings through the autoencoder", judge_rows(softened, None)))
    sections.append(("The CLIP, on fresh renderings", clip_rows(checkpoint, arguments.fresh // 100 * 100)))
    if arguments.sheet:
        sheet = studio.draw_all(PROMPTS, range(len(PROMPTS)))
        contact_sheet(sheet, SHEET_COLUMNS, SHEET_TILE).save(arguments.sheet, quality=82)
    return sections


def main() -> None:
    """Measure, print the table, save what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--judge", type=Path, default=JUDGE)
    parser.add_argument("--pictures", type=int, default=200, help="to draw for the first section; twice as many in all")
    parser.add_argument("--fresh", type=int, default=1000, help="renderings to test the judge and the CLIP on")
    parser.add_argument("--latents", type=Path, help="folder of the training's latents, to look for copies")
    parser.add_argument("--sheet", type=Path, help="where the contact sheet goes, a .webp or .jpg file")
    parser.add_argument("--markdown", type=Path, help="where the table goes, beside standard output")
    parser.add_argument("--json", type=Path, help="where the same goes as data")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    torch.set_num_threads(arguments.threads)
    sections = evaluate(arguments)
    table = markdown(sections)
    sys.stdout.write(table)
    if arguments.markdown:
        arguments.markdown.write_text(table, "utf-8")
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(sections), indent=2, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()

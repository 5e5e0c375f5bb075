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
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor
from transformers import CLIPModel, CLIPTokenizer

from models.starter.recipe import exam
from models.starter.recipe.clip import retrieval
from models.starter.recipe.copies import copies_row
from models.starter.recipe.draw import draw_known
from models.starter.recipe.exam_things import roll_call
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
from models.starter.recipe.measures import edge_widths, mean_interval, nearest, share_interval
from models.starter.recipe.prompts import FIRST_PROMPTS, PROMPTS
from models.starter.recipe.report import Row, as_json, markdown
from models.starter.recipe.sample import Studio, contact_sheet
from models.starter.recipe.thumbnails import load_vae, reconstruct, to_input
from models.starter.recipe.training import CPU
from models.starter.recipe.values import Values
from webui.engine.critics.critic import load_critic
from webui.engine.device import best_dtype, choose_device

CHECKPOINT = Path(__file__).resolve().parents[1]
MIB = 1024 * 1024
SHEET_TILE, SHEET_COLUMNS = 192, 8
FIRST_SEEDS = 4  # of each prompt that people type first, unpicked
log = logging.getLogger("evaluate")


def size_rows(checkpoint: Path) -> list[Row]:
    """What a person downloads: the weights, all but the recipe's own."""
    files = [path for path in checkpoint.rglob("*.safetensors") if "recipe" not in path.relative_to(checkpoint).parts]
    sizes = [path.stat().st_size / MIB for path in files]
    return [
        Row(name="weights", value=sum(sizes), unit="MiB", threshold=46, at_most=True),
        Row(name="largest file", value=max(sizes), unit="MiB", threshold=15, at_most=True),
    ]


def speed_rows(studio: Studio) -> list[Row]:
    """On this machine, as busy as it is, which multiplies bf16 or does not."""
    is_fast = best_dtype(CPU) != torch.float32
    name = f"a picture, {studio.defaults.width} by {studio.defaults.height}, {studio.defaults.steps} steps"
    return [
        Row(name="loading", value=studio.load_seconds, unit="s", threshold=2, at_most=True),
        Row(
            name=name,
            value=studio.seconds_a_picture(PROMPTS[0]),
            unit="s",
            threshold=2.5 if is_fast else 6,
            at_most=True,
        ),
    ]


def autoencoder_rows(vae: AutoencoderKL, number: int, size: int, values: Values) -> list[Row]:
    """PSNR of fresh pictures of scenes in these words, and over how many pixels edges rise in them."""
    ratios, widths = [], []
    for picture, _ in islice(draw_known(FRESH_SEED, values, size), number):
        output = reconstruct(vae, picture)
        error = (output.astype(np.float64) - picture) / 255
        ratios.append(-10 * float(np.log10(np.square(error).mean())))
        drawn = Image.fromarray(picture)
        before, after = edge_widths([drawn, Image.fromarray(output)], drawn)
        if before > 0:  # there are clear edges in it
            widths.append(after / before)
    return [
        Row(name="autoencoder, PSNR of fresh pictures", value=float(np.mean(ratios)), unit="dB", number=number,
            interval=mean_interval(ratios), threshold=27),
        Row(name="edges through it rise over so many times the renderer's pixels", unit="", number=len(widths),
            value=float(np.mean(widths)) if widths else None, interval=mean_interval(widths) if widths else None,
            threshold=1.3, at_most=True),
    ]  # fmt: skip


def judge_rows(found: dict[str, Tally], threshold: float | None) -> list[Row]:
    """The judge's own accuracy."""
    return [
        Row(name=name, value=one.share, number=one.asked, interval=share_interval(one.right, one.asked),
            threshold=threshold)
        for name, one in found.items()
    ]  # fmt: skip


def clip_rows(checkpoint: Path, number: int, values: Values) -> list[Row]:
    """How well the CLIP knows fresh pictures by their captions, of scenes in these words."""
    tokenizer = CLIPTokenizer.from_pretrained(checkpoint / "clip")
    clip = CLIPModel.from_pretrained(checkpoint / "clip", dtype=torch.float32).eval()
    rows = []
    for chinese, language in ((False, "English"), (True, "Chinese")):
        found = retrieval(clip, tokenizer, number, chinese, exam.SEED, values)
        names = {"caption": "the best of 100 captions is true of the picture", "picture": "the best of 100 pictures "
                 "shows the caption", "word": "the caption beats the same with one word changed"}  # fmt: skip
        rows += [
            Row(name=f"{name}, {language}", value=found[key], number=number,
                interval=share_interval(round(found[key] * number), number))
            for key, name in names.items()
        ]  # fmt: skip
    return rows


@torch.inference_mode()
def nearest_row(vae: AutoencoderKL, latents: Path, drawn: list[Image.Image], size: int, values: Values) -> Row:
    """Distance to the nearest picture of the training, against that of as many fresh renderings."""

    def encoded(pictures: list[np.ndarray]) -> Tensor:
        parts = [vae.encode(to_input(picture[None].copy()).to(vae.dtype)).latent_dist.mode() for picture in pictures]
        return torch.cat(parts).flatten(1).float()

    def trained() -> Iterator[Tensor]:
        for path in sorted(latents.glob("[0-9]*.pt")):
            yield torch.load(path, map_location="cpu", weights_only=True)["latents"].flatten(1)

    fresh = encoded([picture for picture, _ in islice(draw_known(FRESH_SEED, values, size), len(drawn))])
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
        studio,
        judge,
        exam.ask_in_both_languages(pictures, judge.values),
        [index // 2 for index in range(pictures // 2 * 2)],
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
                                    *autoencoder_rows(vae, arguments.fresh // 10, size, judge.values)])]  # fmt: skip
    found = accuracy(judge, *fresh_pictures(arguments.fresh, values=judge.values))
    softened = accuracy(
        judge, *fresh_pictures(arguments.fresh // 10, lambda picture: reconstruct(vae, picture), size, judge.values)
    )
    doubts = {name: f"the judge itself reads {100 * found[name].share:.1f} %" for name in shortfalls(found)}
    for name, doubt in doubts.items():
        log.warning("no judge of %s: %s", name, doubt)
    judged, answers = judged_sections(studio, judge, arguments.pictures, doubts)
    sections += judged
    judges = {"by the judge": judge}
    if arguments.second_judge:
        judges["by the second judge"] = load_judge(arguments.second_judge)
        found_by_second = accuracy(judges["by the second judge"], *fresh_pictures(arguments.fresh))
        sections.append(("The second judge, on fresh renderings", judge_rows(found_by_second, JUDGE_ACCURACY)))
    if arguments.things:
        rows, called = roll_call(studio, judges, arguments.things, doubts.get("thing", ""))
        sections.append(("Things by their names", [*rows, *([copies_row(called)] if called else [])]))
    critic = load_critic(checkpoint / "clip", choose_device("cpu"))
    drawn = [one.picture for one in answers]
    unlike = [exam.diversity_row(studio, critic, max(2, arguments.pictures // 16), size, judge.values)]
    if arguments.latents:
        unlike.append(nearest_row(vae, arguments.latents, drawn, size, judge.values))
    sections.append(("Pictures of its own", unlike))
    sections.append(("The judge, on fresh renderings", judge_rows(found, JUDGE_ACCURACY)))
    sections.append(("The judge, on renderings through the autoencoder", judge_rows(softened, None)))
    sections.append(
        ("The CLIP, on fresh renderings", clip_rows(checkpoint, arguments.fresh // 100 * 100, judge.values))
    )
    if arguments.sheet:
        sheet = studio.draw_all(PROMPTS, range(len(PROMPTS)))
        contact_sheet(sheet, SHEET_COLUMNS, SHEET_TILE).save(arguments.sheet, quality=82)
    if arguments.first_sheet:
        first = [studio.draw(prompt, seed) for prompt in FIRST_PROMPTS for seed in range(FIRST_SEEDS)]
        contact_sheet(first, 2 * FIRST_SEEDS, SHEET_TILE).save(arguments.first_sheet, quality=82)
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
    parser.add_argument("--first-sheet", type=Path, help="where that of the first prompts goes, four seeds each")
    parser.add_argument("--things", type=int, default=0, help="pictures of each of the things asked for first; 20 tell")
    parser.add_argument("--second-judge", type=Path, help="one that no loss ever saw")
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

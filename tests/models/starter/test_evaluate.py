"""The examination: what counts as right, and the whole table for a checkpoint of toy size."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.starter.recipe import exam
from models.starter.recipe.architecture import build_tokenizer
from models.starter.recipe.clip_model import build_clip, save_clip
from models.starter.recipe.evaluate import evaluate
from models.starter.recipe.exam import Answer, ask_in_both_languages, attribute_rows
from models.starter.recipe.examples import draw_choice, draw_examples
from models.starter.recipe.judge import Judge, Tally, save_judge
from models.starter.recipe.questions import Question
from models.starter.recipe.report import as_json, markdown
from models.starter.recipe.sample import Studio, contact_sheet
from models.starter.recipe.values import ATTRIBUTES, VALUES
from tests.toys import SIZE, save_sd15


def answered(question: Question, wrong: frozenset[str] = frozenset()) -> Answer:
    """What a judge sees in a picture that shows the scene, but for the attributes in `wrong`."""
    read = {}
    for name, values in VALUES.items():
        logits = torch.zeros(len(values))
        own = values.index(getattr(question.scene, name))
        logits[(own + 1) % len(values) if name in wrong else own] = 9.0
        read[name] = logits.log_softmax(dim=0)
    return Answer(question, 0, Image.new("RGB", (8, 8)), read)


def test_scenes_are_asked_for_in_both_languages_and_never_change() -> None:
    questions = ask_in_both_languages(40)
    assert questions == ask_in_both_languages(60)[:40]
    for english, chinese in zip(questions[::2], questions[1::2], strict=True):
        assert english.scene == chinese.scene
        assert english.prompt.isascii()
        assert chinese.chinese
        assert not chinese.prompt.isascii()


def test_only_what_is_named_counts_and_languages_are_compared() -> None:
    questions = ask_in_both_languages(200)
    answers = [answered(one, frozenset({"thing", "time"} if one.chinese else {"thing"})) for one in questions]
    rows = {row.name: row for row in attribute_rows(answers, {"style": "the judge itself reads 97.0 %"})}
    assert rows["place"].value == 1
    assert rows["place"].is_reached
    assert rows["thing"].value == 0
    assert rows["time"].number == sum("time" in one.named for one in questions)
    assert 0.3 < float(rows["time"].value or 0) < 0.7
    assert rows["style"].is_reached is None
    gap = rows["English better than Chinese by"]
    assert float(gap.value or 0) > 0.05
    assert gap.is_reached is False


def test_odds_rise_where_probabilities_no_longer_do() -> None:
    question = ask_in_both_languages(2)[0]
    sure, surer = answered(question), answered(question)
    for values in surer.read.values():
        values[values.argmax()] += 20
    for name in ATTRIBUTES:
        assert surer.odds(name) > sure.odds(name) > 0
        assert answered(question, frozenset({name})).odds(name) < 0


def test_contact_sheets_hold_every_picture() -> None:
    sheet = contact_sheet([Image.new("RGB", (30, 30), "red")] * 5, 3, 16)
    assert sheet.size == (48, 32)
    assert sheet.getpixel((20, 20)) == (255, 0, 0)
    assert sheet.getpixel((40, 24)) == (255, 255, 255)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy that knows nothing, with a CLIP that knows nothing."""
    torch.manual_seed(0)
    folder = save_sd15(tmp_path_factory.mktemp("models") / "toy")
    save_clip(build_clip(build_tokenizer()), folder / "clip")
    return folder


@pytest.mark.native_bf16
@pytest.mark.usefixtures("multiplies_bf16")
@pytest.mark.filterwarnings("ignore")  # deprecations inside the libraries
def test_the_studio_draws_as_the_program_does(checkpoint: Path) -> None:
    studio = Studio(checkpoint)
    first, again, other = studio.draw("a lake", 3), studio.draw("a lake", 3), studio.draw("a lake", 4)
    weighted = studio.draw("a (lake:1.4)", 3)
    assert first.size == (SIZE, SIZE)
    assert first.tobytes() == again.tobytes()
    assert len({picture.tobytes() for picture in (first, other, weighted)}) == 3
    assert studio.load_seconds > 0


@pytest.mark.filterwarnings("ignore")
def test_tiles_are_drawn_with_their_own_seeds(checkpoint: Path, tmp_path: Path) -> None:
    examples = [{"prompt": "a lake", "seed": seed, "picture": f"{seed}.webp"} for seed in (2, 1)]
    (tmp_path / "darkroom.json").write_text(json.dumps({"examples": examples}), "utf-8")
    studio = Studio(checkpoint)
    draw_examples(studio, tmp_path)
    for seed in (1, 2):
        with Image.open(tmp_path / f"{seed}.webp") as tile:
            drawn = np.asarray(studio.draw("a lake", seed), np.float32)
            assert np.abs(np.asarray(tile.convert("RGB"), np.float32) - drawn).mean() < 12  # WebP loses a little
    assert draw_choice(studio, tmp_path, 3).size == (3 * 256, 2 * 256)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("drawings")
def test_the_whole_table(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    monkeypatch.setattr(exam, "HELD_OUT", exam.HELD_OUT[:2])
    torch.manual_seed(0)
    save_judge(Judge(), {"place": Tally(0, 1)}, tmp_path / "judge.safetensors")
    (tmp_path / "latents").mkdir()
    latents = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 4, SIZE // 8, SIZE // 8)))
    torch.save({"latents": latents.half()}, tmp_path / "latents" / "00000.pt")
    arguments = argparse.Namespace(
        checkpoint=checkpoint, judge=tmp_path / "judge.safetensors", pictures=8, fresh=100,
        latents=tmp_path / "latents", sheet=tmp_path / "sheet.webp",
    )  # fmt: skip
    sections = evaluate(arguments)
    with Image.open(tmp_path / "sheet.webp") as sheet:
        assert sheet.size == (8 * 192, 6 * 192)
    table, data = markdown(sections), json.loads(json.dumps(as_json(sections)))
    assert len(data) == 8
    judged = {row["name"]: row for row in data["What a prompt names is in the picture"]}
    assert set(judged) >= set(ATTRIBUTES)
    for name in ATTRIBUTES:  # a judge of nothing must not be believed
        assert "the judge itself reads" in judged[name]["doubt"] or judged[name]["value"] is None
        assert judged[name]["is_reached"] is None
    for name in ("loading", "weights", "autoencoder, PSNR of fresh pictures"):
        assert name in table
    (nearest,) = [row for row in data["Pictures of its own"] if "nearest" in row["name"]]
    assert nearest["value"] > 0

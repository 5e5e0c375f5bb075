"""The examination: what counts as right, and the whole table for a checkpoint of toy size."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image

from models.starter.recipe import exam, exam_things
from models.starter.recipe.architecture import build_tokenizer
from models.starter.recipe.clip_model import build_clip, save_clip
from models.starter.recipe.drawings import DRAWN
from models.starter.recipe.evaluate import evaluate
from models.starter.recipe.exam import Answer, ask_in_both_languages, attribute_rows
from models.starter.recipe.exam_things import Called, bare_name, roll_call
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


def test_things_are_asked_for_as_people_do() -> None:
    assert [bare_name("cat", False), bare_name("cat", True)] == ["a cat", "一只猫"]
    assert [bare_name("coffee", False), bare_name("fruit", False)] == ["a cup of coffee", "fruit"]
    assert bare_name("fruit", True) == "水果"


def test_the_roll_call_counts_each_thing_by_every_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exam_things, "call", lambda _studio, things, number: [
        Called(thing, Image.new("RGB", (4, 4))) for thing in things for _ in range(number)])  # fmt: skip
    judges = {"kind": SimpleNamespace(values=VALUES), "strict": SimpleNamespace(values=VALUES)}
    monkeypatch.setattr(exam_things, "right_ones", lambda judge, called: {
        one.thing: [one.thing != "cat" or judge is judges["kind"]] * 5 for one in called})  # fmt: skip
    found, called = roll_call(cast("Studio", None), cast("dict[str, Judge]", judges), 5)
    assert len(called) == 40 * 5
    rows = {row.name: row for row in found}
    assert rows["the 40 things asked for first, kind"].value == 1
    assert rows["the 40 things asked for first, strict"].value == pytest.approx(39 / 40)
    assert rows["the worst of them, cat, strict"].is_reached is False
    assert rows[f"all {len(DRAWN)} things, strict"].value == pytest.approx(1 - 1 / len(DRAWN))
    old = {"old": SimpleNamespace(values={"thing": ["", "lighthouse"]})}
    assert roll_call(cast("Studio", None), cast("dict[str, Judge]", old), 5) == ([], [])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("drawings")
def test_the_whole_table(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    monkeypatch.setattr(exam, "HELD_OUT", exam.HELD_OUT[:2])
    monkeypatch.setattr(exam_things, "ASKED", ("cat", "fox"))
    monkeypatch.setattr(exam_things, "DRAWN", {thing: DRAWN[thing] for thing in ("cat", "fox")})
    torch.manual_seed(0)
    save_judge(Judge(), {"place": Tally(0, 1)}, tmp_path / "judge.safetensors")
    (tmp_path / "latents").mkdir()
    latents = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 4, SIZE // 8, SIZE // 8)))
    torch.save({"latents": latents.half()}, tmp_path / "latents" / "00000.pt")
    arguments = argparse.Namespace(
        checkpoint=checkpoint, judge=tmp_path / "judge.safetensors", pictures=8, fresh=100,
        latents=tmp_path / "latents", sheet=tmp_path / "sheet.webp", things=1, second_judge=None,
        first_sheet=tmp_path / "first.webp",
    )  # fmt: skip
    sections = evaluate(arguments)
    with Image.open(tmp_path / "sheet.webp") as sheet:
        assert sheet.size == (8 * 192, 6 * 192)
    with Image.open(tmp_path / "first.webp") as sheet:
        assert sheet.size == (8 * 192, 8 * 192)
    table, data = markdown(sections), json.loads(json.dumps(as_json(sections)))
    assert len(data) == 9
    judged = {row["name"]: row for row in data["What a prompt names is in the picture"]}
    assert set(judged) >= set(ATTRIBUTES)
    for name in ATTRIBUTES:  # a judge of nothing must not be believed
        assert "the judge itself reads" in judged[name]["doubt"] or judged[name]["value"] is None
        assert judged[name]["is_reached"] is None
    for name in ("loading", "weights", "autoencoder, PSNR of fresh pictures"):
        assert name in table
    (nearest,) = [row for row in data["Pictures of its own"] if "nearest" in row["name"]]
    assert nearest["value"] > 0

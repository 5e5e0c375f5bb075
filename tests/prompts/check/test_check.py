"""The check of a prompt: tokens and chunk borders, and every remark where it belongs and nowhere else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from tests.checkpoints.test_addons import KOHYA, save
from tests.jobs.conftest import eventually
from tests.toy_families import save_flux, save_pixart_sigma, save_z_image
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.converted import ConvertedFiles
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.languages import reads_english_alone
from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Broken
from webui.downloads.bundles import read_offered
from webui.errors import CheckpointNotFound
from webui.prompts.check.check import PromptCheck, Question
from webui.prompts.check.report import Note, Report
from webui.settings import ROOT


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory, toy_models: Path) -> Catalogue:
    """With the starter, toys that read English, a family that is no U-Net, and addons for some of them."""
    models = tmp_path_factory.mktemp("models")
    (models / "starter").symlink_to(ROOT / "models" / "starter")
    shutil.copytree(toy_models / "toy-sd15", models / "english")
    _widen(models / "english" / "tokenizer" / "vocab.json")
    (models / "sd3").symlink_to(toy_models / "toy-sd3")
    for name, save_toy in (("flux", save_flux), ("z", save_z_image), ("pixart", save_pixart_sigma)):
        save_toy(models / name)
    width = json.loads((models / "starter" / "text_encoder" / "config.json").read_text())["hidden_size"]
    save(models / "embeddings" / "lakestyle.safetensors", {"emb_params": (3, width)})
    save(models / "embeddings" / "widestyle.safetensors", {"emb_params": (3, 7)})
    save(models / "embeddings" / "zebra-quagga_v2.safetensors", {"emb_params": (3, width)})
    save(models / "embeddings" / "水墨.safetensors", {"emb_params": (3, 32)})
    save(models / "embeddings" / "okapi gnu.safetensors", {"emb_params": (3, 7)})
    (models / "embeddings" / "oldstyle.pt").write_bytes(b"x")
    save(models / "loras" / "ink.safetensors", {KOHYA: (4, 768)})
    save(models / "loras" / "inkxl.safetensors", {KOHYA: (4, 2048)})
    save(models / "loras" / "dora.safetensors", {KOHYA: (4, 2048), "lora_unet_a.dora_scale": (4,)})
    (models / "loras" / "cut.safetensors").write_bytes(b"<html>")
    return Catalogue(models)


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> PromptCheck:
    presets = tmp_path_factory.mktemp("presets")
    (presets / "wildcards").mkdir()
    (presets / "wildcards" / "place.txt").write_text("lake\n", encoding="utf-8")
    return PromptCheck(catalogue, presets)


def _widen(vocabulary: Path) -> None:
    """A vocabulary of CLIP's size: what it cannot write in one token it may know all the same."""
    words = json.loads(vocabulary.read_text(encoding="utf-8"))
    words |= {f"filler{number}": len(words) + number for number in range(49_408 - len(words))}
    vocabulary.write_text(json.dumps(words), encoding="utf-8")


HINTS = ("comment", "lora_capitals")


def report(check: PromptCheck, prompt: str, **values: object) -> Report:
    return check.check(Question(prompt=prompt, **{"checkpoint": "starter", **values})).prompt


def codes(found: Report) -> list[tuple[str, str]]:
    """Code and level of each note."""
    return [(note.code, note.level) for note in found.notes]


def test_a_good_prompt_is_counted_and_left_alone(check: PromptCheck) -> None:
    found = report(check, "a calm lake (at sunset:1.2), [night] \\(snow\\)")
    assert (found.tokens, [(chunk.tokens, chunk.start) for chunk in found.chunks]) == (10, [(10, 0)])
    assert found.notes == ()
    assert report(check, "").tokens == 0


def test_chunks_and_their_borders(check: PromptCheck) -> None:
    text = "(lake:1.1) " * 70 + "lake, " + "snow " * 10
    found = report(check, text)
    assert [chunk.tokens for chunk in found.chunks] == [72, 10]
    assert text[found.chunks[1].start :].startswith("snow")
    broken = report(check, "lake BREAK night snow")
    assert [(chunk.tokens, chunk.start) for chunk in broken.chunks] == [(1, 0), (2, 11)]


def test_borders_are_where_one_sees_them(check: PromptCheck) -> None:
    text = "<lora:ink:1> " + "lake, " * 20 + "lake <lora:ink:1>(night:1.2), " + "snow, " * 30
    first, second = report(check, text).chunks
    assert (text[first.start :][:4], text[second.start :][:4]) == ("lake", "snow")
    assert text[: second.start].count("snow") == (75 - 43) // 2
    assert {chunk.start for chunk in report(check, "lake, " * 60 + "AND " + "snow, " * 50).chunks} == {None}
    negative = check.check(Question(negative_prompt="lake AND " * 50, checkpoint="starter")).negative_prompt
    assert [chunk.start for chunk in negative.chunks] == [0, 9 * 37 + 5]


def test_compels_chunks_and_their_borders(check: PromptCheck) -> None:
    text = "lake++ " * 40 + "(calm night)1.2. " + "snow " * 40
    found = report(check, text, dialect="compel")
    assert [chunk.tokens for chunk in found.chunks] == [43, 40]
    assert found.tokens == 83
    assert [text[chunk.start :][:4] for chunk in found.chunks] == ["lake", "snow"]
    both = report(check, '("calm lake", "night, snow").and()', dialect="compel")
    assert [(chunk.tokens, chunk.start) for chunk in both.chunks] == [(2, 2), (3, 15)]
    assert [chunk.start for chunk in report(check, "{lake|snow}", dialect="compel").chunks] == [None]


def test_of_a_prompt_that_changes_the_longest_text_counts(check: PromptCheck) -> None:
    assert report(check, "lake [night:snow, fog, rain:0.5]").tokens == 6
    assert report(check, "lake AND snow, fog").tokens == 3
    assert report(check, "__place__ {lake|snow}").tokens == 2
    assert report(check, "lakestyle lake").tokens == 4  # three vectors
    assert report(check, "(lake)1.2 snow++", dialect="compel").tokens == 2
    assert report(check, '("lake", "snow, fog").blend(1, 1)', dialect="compel").tokens == 3


@pytest.mark.parametrize(
    ("prompt", "values", "expected"),
    [
        ("a (lake", {}, ["unbalanced ("]),
        ("a lake]) [", {}, ["unbalanced ]", "unbalanced )", "unbalanced ["]),
        ("a lake]", {"dialect": "compel"}, []),
        ("(lake:9) (snow:-1)", {}, ["weight_clamped 9", "weight_clamped -1"]),
        ("lake++ (snow)1.3", {}, ["compel_syntax lake++", "compel_syntax )1.3"]),
        ("(lake:1.2) BREAK", {"dialect": "compel"}, ["a1111_syntax :1.2)", "a1111_syntax BREAK"]),
        ("lake # snow", {}, ["comment # snow"]),
        ("# snow\nlake", {}, []),
        ("a carburettor", {}, ["nothing_known_example", "unknown_word carburettor"]),
        ("a zebra, Zebra zebra", {}, ["nothing_known_example", "unknown_word zebra"]),
        ("embedding:nothing", {}, ["embedding_missing embedding:nothing"]),
        ("湖龘", {}, ["unknown_word 龘"]),
        ("一只龘", {}, ["nothing_known_example", "unknown_word 龘"]),
        ("the carburettor of a lake", {}, ["unknown_word carburettor"]),
        ("a carburettor", {"checkpoint": "english"}, []),
        ("a 湖", {"checkpoint": "english"}, ["english_only_chinese"]),
        ("<lora:nothing:1>", {}, ["lora_missing <lora:nothing"]),
        ("<lora:ink:1>", {"checkpoint": "english"}, ["lora_size <lora:ink"]),
        ("<lora:inkxl:1>", {"checkpoint": "english"}, ["lora_family <lora:inkxl"]),
        ("<lora:dora:1>", {}, ["lora_kind <lora:dora"]),
        ("<lora:cut:1>", {"checkpoint": "english"}, ["lora_broken <lora:cut"]),
        ("<LORA:ink:1>", {"checkpoint": "english"}, ["lora_capitals <LORA:ink:1>", "lora_size <LORA:ink"]),
        ("<LORA:nothing:1>", {"checkpoint": "sd3"}, ["lora_missing <LORA:nothing", "lora_capitals <LORA:nothing:1>"]),
        ("（lake：1.2）", {}, ["full_width （lake：1.2）"]),
        ("（lake：1.2）", {"checkpoint": "sd3"}, []),
        ("(lake:1,2)", {}, ["decimal_comma :1,2)"]),
        ("${x=!lake} __nothing__", {}, ["unreadable", "variable ${x=!lake}"]),
        ('{"lake": {"night": "snow"}}', {}, ['json_prompt {"lake": {"night": "snow"}}']),
        ('{"a": "lake"}', {"checkpoint": "sd3"}, ['json_prompt {"a": "lake"}']),
        ("lakestyle", {}, []),
        ("widestyle", {}, ["embedding_family widestyle"]),
        (
            "embedding:lakestyle",
            {"checkpoint": "english"},
            ["embedding_prefix embedding:lakestyle", "embedding_family lakestyle"],
        ),
        ("embedding:nothing", {"checkpoint": "english"}, ["embedding_missing embedding:nothing"]),
        ("(oldstyle:1.1)", {"checkpoint": "english"}, ["embedding_pickled oldstyle"]),
        ("a lake, zebra-quagga_v2", {}, []),
        ("(Zebra-Quagga_V2:1.2) [zebra-quagga_v2]", {}, []),
        ("zebra-quagga", {}, ["nothing_known_example", "unknown_word zebra", "unknown_word quagga"]),
        ("zebra-quagga_v2, a quagga", {}, ["unknown_word quagga"]),
        ("((okapi gnu)), gnu", {}, ["unknown_word gnu", "embedding_family okapi gnu"]),
        ("oldstyle", {}, ["embedding_pickled oldstyle"]),
        ("a lake, 水墨", {"checkpoint": "english"}, []),
        ("a 湖, 水墨", {"checkpoint": "english"}, ["english_only_chinese"]),
        ("a lake, 水墨", {"checkpoint": "english", "dialect": "compel"}, ["english_only_chinese"]),
        (
            "zebra-quagga_v2",
            {"dialect": "compel"},
            ["nothing_known_example", "unknown_word zebra", "unknown_word quagga"],
        ),
        ("__nothing__", {}, ["unreadable"]),
        ("[a|b]" * 200, {"checkpoint": "english"}, ["unreadable"]),
        ("(cat:1.3) BREAK", {"checkpoint": "sd3"}, ["syntax_ignored (cat:1.3)", "syntax_ignored BREAK"]),
        ("((a", {"checkpoint": "sd3"}, ["syntax_ignored (("]),
        ("a cat, plain", {"checkpoint": "sd3"}, []),
        ("a++ (cat)1.3", {"checkpoint": "sd3", "dialect": "compel"}, ["syntax_ignored a++", "syntax_ignored )1.3"]),
        ("(cat:1.3)", {"checkpoint": "sd3", "dialect": "compel"}, []),
        ("a {lake", {}, ["unbalanced {"]),
        ("a lake}", {"dialect": "compel"}, ["unbalanced }"]),
        ("\\{ {lake|snow}", {}, []),
        ("a " * 75, {"checkpoint": "sd3"}, []),
        ("a " * 75 + "cat", {"checkpoint": "sd3"}, ["cut cat"]),
        ("<lora:nothing:1>", {"checkpoint": "sd3", "dialect": "compel"}, []),
        ("<lora:nothing:1>", {"checkpoint": "sd3"}, ["lora_missing <lora:nothing"]),
    ],
)
def test_remarks(check: PromptCheck, prompt: str, values: dict[str, object], expected: list[str]) -> None:
    def said(note: Note) -> str:
        is_about_a_part = note.start is not None and note.end is not None
        return f"{note.code} {prompt[note.start : note.end]}" if is_about_a_part else note.code

    found = report(check, prompt, **values)
    assert [said(note) for note in found.notes] == expected
    for note in found.notes:
        is_fatal = note.code.startswith(("lora_", "unreadable")) and note.code not in HINTS
        assert note.level == ("error" if is_fatal else "hint" if note.code in HINTS else "warning")


def test_an_embedding_that_is_being_converted_is_not_called_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    copies = ConvertedFiles(tmp_path / "converted")
    check = PromptCheck(Catalogue(catalogue.models_dir, converted=copies), tmp_path)
    assert [note.code for note in report(check, "oldstyle").notes] == ["embedding_converting"]
    copies.start(_refuse)
    try:
        eventually(lambda: [note.code for note in report(check, "oldstyle").notes] == ["embedding_pickled"], 60)
    finally:
        copies.close()


def _refuse(source: BinaryIO, target: Path) -> Kind:
    raise Broken("convert_code")


@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        ({"guidance_scale": 1.0}, True),
        ({"guidance_scale": 0.0}, True),
        ({"guidance_scale": 1.1}, False),
        ({}, False),
        ({"guidance_scale": 1.0, "prompt": "a AND b"}, False),
        ({"guidance_scale": 1.0, "negative_prompt": "# nothing"}, False),
        ({"guidance_scale": 1.0, "checkpoint": "sd3", "prompt": "a AND b"}, True),
        ({"guidance_scale": 0.5, "checkpoint": "z"}, False),
        ({"checkpoint": "z"}, True),
        ({"guidance_scale": 1.0, "checkpoint": "flux"}, False),  # which refuses it
    ],
)
def test_a_negative_prompt_needs_guidance(check: PromptCheck, values: dict[str, object], is_told: bool) -> None:
    asked = {"prompt": "lake", "negative_prompt": "snow", "checkpoint": "starter", **values}
    checked = check.check(Question(**asked))
    assert codes(checked.negative_prompt) == ([("negative_unguided", "warning")] if is_told else [])
    assert "negative_unguided" not in [note.code for note in checked.prompt.notes]


@pytest.mark.parametrize(("checkpoint", "limit"), [("flux", 511), ("z", 509), ("pixart", 299)])
def test_what_another_family_does_not_get_to(check: PromptCheck, checkpoint: str, limit: int) -> None:
    letters = "x" * 2000  # the toys' tokenizers know single letters alone
    (note,) = report(check, letters, checkpoint=checkpoint).notes
    assert (note.code, note.end) == ("cut", len(letters))
    assert limit - 1 <= (note.start or 0) <= limit
    assert report(check, letters[: limit - 1], checkpoint=checkpoint).notes == ()
    (note,) = report(check, "{" + letters + "}", checkpoint=checkpoint).notes
    assert (note.code, note.start) == ("cut", None)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("夜晚的湖", "english_only_chinese"),
        ("a lake, 湖", "english_only_chinese"),
        ("夜の湖、静か", "english_only_japanese"),
        ("밤의 호수", "english_only_korean"),
        ("озеро ночью", "english_only_cyrillic"),
        ("بحيرة في الليل", "english_only"),
        ("un lac à Besançon, Köln, naïve, a “lake” – α", None),
        ("<lora:水墨:1> a lake __湖__ embedding:水墨", None),
    ],
)
def test_who_reads_english_alone_says_so_in_words_for_the_script(
    check: PromptCheck, prompt: str, code: str | None
) -> None:
    def said(checkpoint: str) -> list[str]:
        found = report(check, prompt, checkpoint=checkpoint, seed=1).notes
        return [note.code for note in found if note.code.startswith("english_only")]

    for checkpoint in ("english", "sd3", "flux", "pixart"):
        assert said(checkpoint) == ([code] if code else []), checkpoint
    for checkpoint in ("starter", "z"):
        assert said(checkpoint) == [], checkpoint


def test_the_encoders_know_no_chinese_where_that_is_said(catalogue: Catalogue) -> None:
    """What the toys' tokenizers, of the published kinds, make of Chinese: T5's nothing but unknown tokens."""
    flux, z = (
        AutoTokenizer.from_pretrained(catalogue.get(id).path / name)
        for id, name in (("flux", "tokenizer_2"), ("z", "tokenizer"))
    )
    unknown = flux("湖", add_special_tokens=False).input_ids
    assert flux.unk_token_id in unknown
    assert reads_english_alone(catalogue.get("flux"))
    assert "湖" in z.decode(z("湖", add_special_tokens=False).input_ids)
    assert not reads_english_alone(catalogue.get("z"))


def test_a_u_net_with_another_encoder_than_clip_may_read_anything(tmp_path: Path, toy_models: Path) -> None:
    shutil.copytree(toy_models / "toy-sd15", tmp_path / "taiyi")
    assert reads_english_alone(Catalogue(tmp_path).get("taiyi"))
    index = tmp_path / "taiyi" / "model_index.json"
    index.write_text(index.read_text().replace("CLIPTextModel", "BertModel").replace("CLIPTokenizer", "BertTokenizer"))
    assert not reads_english_alone(Catalogue(tmp_path).get("taiyi"))


def test_families_read_what_the_offers_say() -> None:
    for bundle in read_offered(ROOT / "presets").bundles:
        assert FAMILIES[bundle.family].languages == bundle.languages, bundle.id


def test_a_checkpoint_that_is_not_there(check: PromptCheck) -> None:
    with pytest.raises(CheckpointNotFound):
        report(check, "a", checkpoint="nothing")


@given(
    st.lists(
        st.sampled_from([*"()[]{}|:+-#<>_.\n ", "cat", "__place__", "<lora:ink:1>", "湖", "1.2)", " AND "]), max_size=80
    )
)
@settings(deadline=None, max_examples=60)
def test_anything_can_be_checked(check: PromptCheck, parts: list[str]) -> None:
    text = "".join(parts)
    for dialect in ("a1111", "compel"):
        for note in report(check, text, dialect=dialect).notes:
            assert note.start is None or 0 <= note.start <= len(text)
            assert note.end is None or note.end <= len(text)

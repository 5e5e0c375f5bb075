"""A field that is declared is there wherever fields are: in the schema, on the page, in infotexts and in the rules."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.made_up import Newer
from tests.storage.conftest import raw
from tests.ui.conftest import OneCheckpoint, checkpoint, page_of
from webui.metadata import findings, from_infotext
from webui.metadata.reading import read_pasted
from webui.requests import REQUESTS, to_dict
from webui.requests.field_controls import Group
from webui.requests.fields import declared_rules, defaults_of
from webui.rules.evaluate import NO_CHECKPOINT, CheckpointFacts, first_refusal, inactive_fields
from webui.settings import Settings
from webui.storage.metadata import infotext
from webui.ui import page as page_module
from webui.ui.declared_controls import field_table, fields_of, starting_values
from webui.ui.language import Words
from webui.ui.sampling_controls import page_rules

LABELS = {"sharpness": "Sharpness", "finish": "Finish"} | {
    f"finish_{word}": word.title() for word in ("matte", "silky", "high_gloss")
}


@pytest.fixture
def is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REQUESTS, "text_to_image", Newer)


def test_the_schema_has_it_with_its_bounds() -> None:
    said = TypeAdapter(Newer).json_schema()["properties"]
    assert (said["sharpness"]["minimum"], said["sharpness"]["maximum"], said["sharpness"]["default"]) == (0, 2, 0)
    assert said["finish"]["enum"] == ["matte", "silky", "high_gloss"]


@pytest.mark.usefixtures("is_declared")
def test_the_page_has_a_control_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for language, texts in Words().by_language.items():
        written = json.dumps(texts | LABELS, ensure_ascii=False)
        (tmp_path / f"{language}.json").write_text(written, encoding="utf-8")
    monkeypatch.setattr(page_module, "Words", partial(Words, tmp_path))
    fields: dict[str, Any] = page_of(OneCheckpoint(checkpoint()), Settings(data_dir=tmp_path)).darkroom.fields
    sharpness, finish = fields["sharpness"], fields["finish"]
    assert (sharpness.minimum, sharpness.maximum, sharpness.step, sharpness.value) == (0, 2, 0.1, 0)
    assert '<select data-field="finish">' in finish.html_template
    assert (starting_values(None)["sharpness"], starting_values(None)["finish"]) == (0, "matte")
    assert [field.name for field in fields_of(Group.SAMPLING)][-3:] == ["emphasis", "sharpness", "finish"]


@pytest.mark.usefixtures("is_declared")
def test_the_scripts_are_told_of_it_and_its_rules() -> None:
    table = field_table()
    assert {name: table[name]["kind"] for name in ("sharpness", "finish")} == {"sharpness": "slider", "finish": "list"}
    assert (table["finish"]["group"], table["finish"]["beside"]) == ("sampling", True)
    assert table["finish"]["words"] == ("matte", "silky", "high_gloss")
    assert {(rule.field, rule.reason) for rule in page_rules()} >= {
        ("sharpness", "only_unet"),
        ("finish", "guidance_off"),
    }


def test_infotexts_say_it_and_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (findings, from_infotext):
        monkeypatch.setattr(module, "TextToImage", Newer)
    text = infotext(Newer(prompt="a lake", steps=20, sharpness=0.5, finish="high_gloss"), raw())
    assert "Sharpness: 0.5, Finish: High gloss, " in text
    for said in (text, text.replace("Finish", "surface")):
        found = read_pasted(said, lambda hash, name: None)
        assert (found.settings["sharpness"], found.settings["finish"]) == (0.5, "high_gloss")
    assert "Sharpness" not in infotext(Newer(prompt="a lake", steps=20), raw())


def test_the_rules_are_about_it() -> None:
    rules, defaults = declared_rules(Newer), defaults_of(Newer)
    without = CheckpointFacts(lacking=("tiling",))
    plain, sharp = (to_dict(Newer(sharpness=amount, guidance_scale=5.0)) for amount in (0.0, 0.5))
    assert inactive_fields(rules, plain, NO_CHECKPOINT)["finish"] == "guidance_off"
    assert "finish" not in inactive_fields(rules, sharp, NO_CHECKPOINT)
    assert inactive_fields(rules, sharp, without)["sharpness"] == "only_unet"
    assert first_refusal(rules, plain, defaults, without) is None
    refusal = first_refusal(rules, sharp, defaults, without)
    assert refusal is not None
    assert (refusal.field, refusal.reason) == ("sharpness", "only_unet")

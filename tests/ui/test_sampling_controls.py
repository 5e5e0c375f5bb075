"""The fold *Sampling*: its controls are the request's fields, and its rules are those of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.ui.conftest import DEFAULTS
from webui.checkpoints.families import FAMILIES
from webui.request_fields import field_limits
from webui.requests import TextToImage
from webui.rules.sampling import schedulers_for
from webui.texts import LANGUAGES, Texts
from webui.ui import assets
from webui.ui.language import Words
from webui.ui.sampling_controls import ROWS, choices_of, sampling_data

FIELDS = [name for row in ROWS for name in row]
NAMES_SCRIPT = (Path(assets.__file__).parent / "assets" / "names.js").read_text("utf-8")


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return sampling_data(Texts())


def test_rows_are_the_controls_in_their_order(page: gr.Blocks) -> None:
    assert [name for name in page.darkroom.fields if name in FIELDS] == FIELDS


def test_controls_start_at_the_requests_defaults(page: gr.Blocks) -> None:
    for name in FIELDS:
        control = page.darkroom.fields[name]
        own = TextToImage.__dataclass_fields__[name].default
        if own is not None:
            assert control.value == own, name
    assert page.darkroom.fields["scheduler"].value == DEFAULTS.scheduler
    assert page.darkroom.fields["eta"].value == 0.0, "DDIM's own share"


@pytest.mark.parametrize("field", ["tiling", "prompt_dialect", "emphasis"])
def test_chips_are_the_fields_own_words(page: gr.Blocks, field: str) -> None:
    assert tuple(value for _, value in page.darkroom.fields[field].choices) == choices_of(field)
    for language in LANGUAGES:
        assert {f"{field}_{word}" for word in choices_of(field)} <= Words().by_language[language].keys()


def test_every_control_has_a_name_for_accessibility() -> None:
    assert [name for name in FIELDS if f'{name}: "' not in NAMES_SCRIPT] == []


def test_every_family_has_its_table(data: dict[str, Any]) -> None:
    assert data["families"].keys() == FAMILIES.keys()
    for family in FAMILIES.values():
        table = data["tables"][data["families"][family.id]]
        assert tuple(table["schedulers"]) == schedulers_for(family)
        assert family.defaults.sigmas in table["schedulers"][family.defaults.scheduler]
    assert len(data["tables"]) < len(FAMILIES) / 2, "families that are alike share one"


def test_rules_speak_of_controls_alone_and_every_reason_is_worded(data: dict[str, Any], page: gr.Blocks) -> None:
    for idle in (idle for table in data["tables"] for idle in table["idle"]):
        assert {idle["field"], *idle["when"], *idle["at_most"]} <= page.darkroom.fields.keys()
        assert all(data["reasons"][language][idle["reason"]] for language in LANGUAGES)


def test_limits_are_the_fields(data: dict[str, Any]) -> None:
    for name, limits in data["limits"].items():
        declared = field_limits(TextToImage, name)
        assert (limits["minimum"], limits["maximum"], limits["step"]) == (
            declared.minimum, declared.maximum, declared.step,
        )  # fmt: skip

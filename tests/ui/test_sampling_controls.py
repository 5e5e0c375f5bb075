"""The fold *Sampling*: its controls are the request's fields, and its rules are those of the server."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr
import pytest

from tests.ui.conftest import DEFAULTS, checkpoint
from webui.checkpoints.families import FAMILIES
from webui.requests import REQUESTS
from webui.requests.diffusion import TextToImage
from webui.requests.field_controls import Group
from webui.requests.fields import field_limits
from webui.rules.sampling import schedulers_for
from webui.rules.table import rules_of
from webui.texts import LANGUAGES, Texts
from webui.ui.declared_controls import field_table, fields_of, starting_values
from webui.ui.sampling_controls import sampling_data

FIELDS = [field.name for field in fields_of(Group.SAMPLING)]


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return sampling_data(Texts())


def test_controls_stand_in_the_order_of_the_declarations(page: gr.Blocks) -> None:
    assert [name for name in page.darkroom.fields if name in FIELDS] == FIELDS


def test_controls_start_at_the_requests_defaults(page: gr.Blocks) -> None:
    started = starting_values(checkpoint())
    for name in FIELDS:
        control = page.darkroom.fields[name]
        own = TextToImage.__dataclass_fields__[name].default
        if own is not None:
            assert started[name] == own, name
        if not isinstance(control, gr.HTML) and not field_table()[name]["may_be_empty"]:
            assert control.value == started[name], name
    assert started["scheduler"] == DEFAULTS.scheduler
    assert started["eta"] == 0.0, "DDIM's own share"


def test_every_family_has_its_facts(data: dict[str, Any]) -> None:
    assert data["families"].keys() == FAMILIES.keys()
    for family in FAMILIES.values():
        facts = data["facts"][data["families"][family.id]]
        assert facts["choices"]["scheduler"] == schedulers_for(family)
        assert family.defaults.sigmas in facts["choices"]["sigmas"][family.defaults.scheduler]
    assert len(data["facts"]) < len(FAMILIES) / 2, "families that are alike share one"


def test_rules_speak_of_controls_alone_and_every_reason_is_worded(data: dict[str, Any], page: gr.Blocks) -> None:
    for rule in data["rules"]:
        assert rule["field"] in page.darkroom.fields
        if rule["effect"] != "error":
            assert all(data["reasons"][language][rule["reason"]] for language in LANGUAGES)


def test_every_rule_about_a_control_is_there_once(data: dict[str, Any], page: gr.Blocks) -> None:
    rules = {rule for request in REQUESTS.values() for rule in rules_of(request)}
    expected = [asdict(rule) for rule in rules if rule.field in page.darkroom.fields]
    assert sorted(map(str, data["rules"])) == sorted(map(str, expected))


def test_limits_are_the_fields(data: dict[str, Any]) -> None:
    for name, limits in data["limits"].items():
        declared = field_limits(TextToImage, name)
        assert (limits["minimum"], limits["maximum"], limits["step"]) == (
            declared.minimum, declared.maximum, declared.step,
        )  # fmt: skip

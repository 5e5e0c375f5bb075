"""The Python evaluator agrees with the test vectors, the checks do too, and no rule is without a vector."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.vectors import Vector, by_reason, numbers_without_use, vectors
from webui.errors import InvalidRequest
from webui.requests import REQUESTS
from webui.requests.field_rules import Rule
from webui.requests.fields import defaults_of
from webui.requests.style_transfer import StyleTransfer
from webui.rules.evaluate import first_refusal, holds, inactive_fields
from webui.rules.sampling import check
from webui.rules.style import check_style
from webui.rules.table import rules_of

VECTORS = vectors()


@pytest.mark.parametrize("vector", VECTORS, ids=[str(i) for i in range(len(VECTORS))])
def test_what_is_inactive_and_what_is_refused(vector: Vector, tmp_path: Path) -> None:
    found = inactive_fields(vector.rules, vector.settings, vector.facts)
    assert by_reason(found) == vector.inactive
    assert refusal(vector, tmp_path) == vector.refused


@pytest.mark.parametrize("vector", numbers_without_use(), ids=lambda vector: vector.refused["field"])
def test_a_number_that_a_family_has_no_use_for_is_refused(vector: Vector, tmp_path: Path) -> None:
    assert refusal(vector, tmp_path) == vector.refused


def refusal(vector: Vector, models_dir: Path) -> dict[str, object] | None:
    """What the check at submit says."""
    try:
        if isinstance(vector.request, StyleTransfer):
            check_style(vector.request, models_dir)
        else:
            check(vector.request, vector.family, vector.clip_layers, vector.decoders)
    except InvalidRequest as error:
        return dict(error.details)
    return None


def shows(rule: Rule, vector: Vector) -> bool:
    """Whether it is this very rule that refuses, or that gives the reason why its field is inactive."""
    if rule not in vector.rules or not holds(rule.when, vector.settings, vector.facts):
        return False
    if rule.effect != "inactive":
        return first_refusal(vector.rules, vector.settings, defaults_of(type(vector.request)), vector.facts) == rule
    before = vector.rules[: vector.rules.index(rule)]
    return rule.field not in inactive_fields(before, vector.settings, vector.facts)


def test_every_rule_has_a_vector_that_shows_it_and_one_that_does_not_meet_it() -> None:
    rules = {rule for request in REQUESTS.values() for rule in rules_of(request)}
    shown = {rule for rule in rules if any(shows(rule, vector) for vector in (*VECTORS, *numbers_without_use()))}
    unmet = {
        rule
        for rule in rules
        for vector in VECTORS
        if rule in vector.rules and not holds(rule.when, vector.settings, vector.facts)
    }
    assert rules - shown == set()
    assert rules - unmet == set()

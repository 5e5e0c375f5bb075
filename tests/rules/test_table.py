"""Rules name what there is, and those of a field follow from its declaration."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest

from webui.capabilities import Capability, needs
from webui.errors import InvalidRequest
from webui.requests import REQUESTS
from webui.requests.diffusion import TextToImage
from webui.requests.field_rules import Condition, above, error, inactive, one_of
from webui.requests.fields import declared_rules, defaults_of
from webui.rules.evaluate import NO_CHECKPOINT, CheckpointFacts, first_refusal, holds, inactive_fields, refuse
from webui.rules.table import rules_of


def named(condition: Condition) -> Iterator[str]:
    """The fields and facts that a condition speaks of."""
    operator, *operands = condition
    if operator in ("all", "any", "not"):
        yield from (name for other in operands for name in named(other))
    elif operator in ("one_of", "offers_only"):
        yield operands[0]
    elif operator != "lacks":
        flat = (one for operand in operands for one in (operand if isinstance(operand, tuple) else (operand,)))
        yield from (one.split(".")[0] for one in flat if isinstance(one, str))


@pytest.mark.parametrize(
    "rule", list(dict.fromkeys(rule for request in REQUESTS.values() for rule in rules_of(request))), ids=str
)
def test_conditions_speak_of_fields_that_there_are(rule: Any) -> None:
    fields = {name for request in REQUESTS.values() for name in request.__dataclass_fields__}
    limits = [("at_most", rule.limit, 0)] if rule.limit is not None else []
    assert {name for condition in (rule.when, *limits) for name in named(condition)} <= fields | {"clip_layers"}


def test_what_cannot_be_evaluated_is_no_condition() -> None:
    with pytest.raises(ValueError, match="almost"):
        holds(("almost", "steps", 3), {}, NO_CHECKPOINT)


def test_what_is_open_compares_with_nothing() -> None:
    for settings in ({"steps": None}, {"steps": ""}, {}, {"walk": {"steps": None}}):
        for name in ("steps", "walk.steps"):
            assert not any(holds((sign, name, 3), settings, NO_CHECKPOINT) for sign in ("at_most", "at_least", "above"))


def test_the_first_rule_that_refuses_names_field_reason_and_limit() -> None:
    rules = (error("late", above("steps", 90)), error("many", above("steps", ("num_images", 5)), limit="num_images"))
    with pytest.raises(InvalidRequest) as caught:
        refuse(TextToImage(steps=9, num_images=3), [dataclasses.replace(rule, field="steps") for rule in rules])
    assert caught.value.details == {"field": "steps", "reason": "many", "limit": 3}


@dataclasses.dataclass(frozen=True)
class MadeUp:
    """A request of nobody's."""

    mode: Literal["plain", "other"] = "plain"
    amount: Annotated[float, needs(Capability.TILING), inactive("only_plain", one_of("mode", "other"))] = 0.0


def test_a_field_has_the_rules_that_it_is_declared_with() -> None:
    rules, without = declared_rules(MadeUp), CheckpointFacts(lacking=("tiling",))
    assert rules_of(MadeUp) == rules
    asked = dataclasses.asdict(MadeUp(mode="other", amount=0.5))
    assert inactive_fields(rules, asked, NO_CHECKPOINT) == {"amount": "only_plain"}
    assert inactive_fields(rules, asked, without) == {"amount": "only_unet"}
    assert first_refusal(rules, asked, defaults_of(MadeUp), NO_CHECKPOINT) is None
    refusal = first_refusal(rules, asked, defaults_of(MadeUp), without)
    assert refusal is not None
    assert (refusal.field, refusal.reason) == ("amount", "only_unet")
    assert first_refusal(rules, asked | {"amount": 0.0}, defaults_of(MadeUp), without) is None

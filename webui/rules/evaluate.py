"""Evaluates rules that are data: which fields of a request are inactive, and what is refused.

`ui/assets/form/rules.js` does the same in the browser; both must pass the same test vectors. Knows no rule.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webui.errors import InvalidRequest
from webui.requests.diffusion import Diffusion
from webui.requests.field_rules import Condition, Operand, Rule
from webui.requests.fields import defaults_of
from webui.requests.style_transfer import StyleTransfer

Settings = Mapping[str, Any]  # the fields of a request as plain JSON, by name
_COMPARISONS = {"at_most": operator.le, "at_least": operator.ge, "above": operator.gt}


@dataclass(frozen=True, kw_only=True)
class CheckpointFacts:
    """What rules may ask about a checkpoint. Without a checkpoint, nothing is missing and nothing is limited.

    `choices` has the values that a field can have; if they depend on another field, by the value of that field.
    """

    lacking: tuple[str, ...] = ()
    choices: Mapping[str, Any] = field(default_factory=dict)
    clip_layers: int | None = None


NO_CHECKPOINT = CheckpointFacts()


def refuse(request: Diffusion | StyleTransfer, rules: Iterable[Rule], facts: CheckpointFacts = NO_CHECKPOINT) -> None:
    """Raises InvalidRequest for the first of the rules that refuses the request."""
    settings = dataclasses.asdict(request)
    rule = first_refusal(rules, settings, defaults_of(type(request)), facts)
    if rule is None:
        return
    details = {} if rule.limit is None else {"limit": _number(rule.limit, settings, facts)}
    raise InvalidRequest(field=rule.field, reason=rule.reason, **details)


def first_refusal(rules: Iterable[Rule], settings: Settings, defaults: Settings, facts: CheckpointFacts) -> Rule | None:
    """The rule that refuses these settings; None if all accept them."""
    for rule in rules:
        is_asked = rule.effect == "error" or settings.get(rule.field) != defaults.get(rule.field)
        if rule.effect != "inactive" and is_asked and holds(rule.when, settings, facts):
            return rule
    return None


def inactive_fields(rules: Iterable[Rule], settings: Settings, facts: CheckpointFacts) -> dict[str, str]:
    """The fields that have no effect with the others, each with the reason of the first rule that says so."""
    found: dict[str, str] = {}
    for rule in rules:
        if rule.effect != "error" and rule.field not in found and holds(rule.when, settings, facts):
            found[rule.field] = rule.reason
    return found


def holds(condition: Condition, settings: Settings, facts: CheckpointFacts) -> bool:
    """Whether the condition is true for the settings and the checkpoint."""
    match condition:
        case ("all", *others):
            return all(holds(other, settings, facts) for other in others)
        case ("any", *others):
            return any(holds(other, settings, facts) for other in others)
        case ("not", other):
            return not holds(other, settings, facts)
        case ("set", *names):
            return any(settings.get(name) for name in names)
        case ("one_of", name, *values):
            return settings.get(name) in values
        case ("at_most" | "at_least" | "above" as comparison, value, limit):
            return bool(_COMPARISONS[comparison](_number(value, settings, facts), _number(limit, settings, facts)))
        case ("lacks", capability):
            return capability in facts.lacking
        case ("offers_only", name, *values):
            return _choices(name, [], settings, facts) == values
        case ("one_choice", name, *by):
            return len(_choices(name, by, settings, facts)) == 1
        case ("not_offered", name, *by):
            offered = _choices(name, by, settings, facts)
            return bool(offered) and settings.get(name) is not None and settings[name] not in offered
    raise ValueError(f"no such condition: {condition!r}")


def _choices(name: str, by: list[str], settings: Settings, facts: CheckpointFacts) -> list[str]:
    """The values that a field can have; empty if nothing is known."""
    found = facts.choices.get(name, ())
    for other in by:
        found = found.get(settings.get(other), ()) if isinstance(found, Mapping) else found
    return list(found)


def _number(operand: Operand, settings: Settings, facts: CheckpointFacts) -> float:
    if isinstance(operand, tuple):
        return sum(_number(one, settings, facts) for one in operand)
    if not isinstance(operand, str):
        return operand
    name, *path = operand.split(".")
    return _sum(settings[name] if name in settings else getattr(facts, name, None), path)


def _sum(value: Any, path: list[str]) -> float:
    """The number at the end of the path, NaN if there is none; a list is added up."""
    if isinstance(value, list | tuple):
        return sum(_sum(one, path) for one in value)
    if path:
        return _sum(value.get(path[0]) if isinstance(value, Mapping) else None, path[1:])
    return value if isinstance(value, int | float) else math.nan

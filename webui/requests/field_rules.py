"""Rules of when a field is inactive, refused or wrong, as plain data: markers for declarations, and their conditions.

A condition is a tuple of an operator and its operands, which JSON has as a list; `rules/evaluate.py` and the page's
`rules.js` evaluate it alike. Where it compares numbers, an operand is a number, the name of a field, or several of both
that are added up. A name may lead into a field (`walk_to.seed`); what is open compares with nothing. Knows no request.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Condition = tuple[Any, ...]
Operand = float | str | tuple[float | str, ...]
# The field is let be; the same, but any other value than its default is an error; the value is an error as it is.
Effect = Literal["inactive", "refused", "error"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What becomes of `field` where the condition `when` holds. `reason` is a sentence's code, `limit` its blank.

    In a declaration `field` is empty: it is the one that is declared.
    """

    reason: str
    when: Condition
    effect: Effect
    limit: Operand | None = None
    field: str = ""


def inactive(reason: str, *when: Condition) -> Rule:
    """Where all of this holds, the field says nothing: the page greys it out, and what it is set to is ignored."""
    return Rule(reason=reason, when=all_of(*when), effect="inactive")


def refused(reason: str, *when: Condition) -> Rule:
    """Where all of this holds, the page greys the field out, and a value other than its default is an error."""
    return Rule(reason=reason, when=all_of(*when), effect="refused")


def error(reason: str, *when: Condition, limit: Operand | None = None) -> Rule:
    """Where all of this holds, the field's value is an error."""
    return Rule(reason=reason, when=all_of(*when), effect="error", limit=limit)


def about(field: str, *rules: Rule) -> tuple[Rule, ...]:
    """The same rules for a field that does not declare them itself."""
    return tuple(dataclasses.replace(rule, field=field) for rule in rules)


def all_of(*conditions: Condition) -> Condition:
    """Each of these holds."""
    return conditions[0] if len(conditions) == 1 else ("all", *conditions)


def any_of(*conditions: Condition) -> Condition:
    """One of these holds."""
    return ("any", *conditions)


def negated(condition: Condition) -> Condition:
    """This does not hold."""
    return ("not", condition)


def is_set(*fields: str) -> Condition:
    """One of these fields at least has a value that is neither zero nor empty."""
    return ("set", *fields)


def one_of(field: str, *values: str) -> Condition:
    """The field has one of these values."""
    return ("one_of", field, *values)


def at_most(value: Operand, limit: Operand) -> Condition:
    """`value` ≤ `limit`."""
    return ("at_most", value, limit)


def at_least(value: Operand, limit: Operand) -> Condition:
    """`value` ≥ `limit`."""
    return ("at_least", value, limit)


def above(value: Operand, limit: Operand) -> Condition:
    """`value` > `limit`."""
    return ("above", value, limit)


def lacks(capability: str) -> Condition:
    """The checkpoint's family cannot do this."""
    return ("lacks", capability)


def offers_only(field: str, *values: str) -> Condition:
    """The checkpoint leaves exactly these values of the field to choose from."""
    return ("offers_only", field, *values)


def one_choice(field: str, *by: str) -> Condition:
    """The checkpoint leaves nothing to choose; `by`: the field that its choices depend on."""
    return ("one_choice", field, *by)


def not_offered(field: str, *by: str) -> Condition:
    """The field has a value that is none of the checkpoint's choices; `by`: the field that these depend on."""
    return ("not_offered", field, *by)

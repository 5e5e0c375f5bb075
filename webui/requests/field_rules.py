"""Rules for when a field is inactive, refused or wrong, as plain data: markers for declarations, and their conditions.

A condition is a tuple of an operator and its operands, which is a list in JSON; `rules/evaluate.py` and the page's
`rules.js` evaluate it in the same way. An operand in a comparison is a number, the name of a field, or several of both
to be added up. A name may lead into a field (`walk_to.seed`); comparisons with an open field are false. Knows no
request.
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
    """What happens to `field` if the condition `when` holds.

    `reason` is the code of a sentence, and `limit` fills its blank. In a declaration `field` is empty, and means the
    field that is declared.
    """

    reason: str
    when: Condition
    effect: Effect
    limit: Operand | None = None
    field: str = ""


def inactive(reason: str, *when: Condition) -> Rule:
    """If all of this holds, the field has no effect: the page greys it out, and its value is ignored."""
    return Rule(reason=reason, when=all_of(*when), effect="inactive")


def refused(reason: str, *when: Condition) -> Rule:
    """If all of this holds, the page greys the field out, and a value other than its default is an error."""
    return Rule(reason=reason, when=all_of(*when), effect="refused")


def error(reason: str, *when: Condition, limit: Operand | None = None) -> Rule:
    """If all of this holds, the field's value is an error."""
    return Rule(reason=reason, when=all_of(*when), effect="error", limit=limit)


def about(field: str, *rules: Rule) -> tuple[Rule, ...]:
    """The same rules, for a field that does not declare them itself."""
    return tuple(dataclasses.replace(rule, field=field) for rule in rules)


def all_of(*conditions: Condition) -> Condition:
    """All of these conditions hold."""
    return conditions[0] if len(conditions) == 1 else ("all", *conditions)


def any_of(*conditions: Condition) -> Condition:
    """At least one of these conditions holds."""
    return ("any", *conditions)


def negated(condition: Condition) -> Condition:
    """This condition does not hold."""
    return ("not", condition)


def is_set(*fields: str) -> Condition:
    """At least one of these fields has a value that is neither zero nor empty."""
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
    """The checkpoint offers exactly these values of the field."""
    return ("offers_only", field, *values)


def one_choice(field: str, *by: str) -> Condition:
    """The checkpoint offers only one value; `by` is the field that its choices depend on."""
    return ("one_choice", field, *by)


def not_offered(field: str, *by: str) -> Condition:
    """The field has a value that the checkpoint does not offer; `by` is the field that its choices depend on."""
    return ("not_offered", field, *by)

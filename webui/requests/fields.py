"""What the declarations of requests say about their fields: bounds, defaults, rules, controls, which are pictures.

Knows no request in particular, and no field by name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, MultipleOf
from pydantic import WithJsonSchema

from webui.capabilities import Needs, reason_without
from webui.requests import Request
from webui.requests.field_controls import Control, Kind, ProperNames, WithoutControl
from webui.requests.field_rules import Rule, about, inactive, lacks, refused
from webui.requests.field_types import PICTURE, Scope
from webui.requests.infotext_names import InfotextName


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """What a control needs to know about a numeric field; `step` is in the field's own unit."""

    minimum: float
    maximum: float
    step: float
    default: float | None


def field_limits(request: type, name: str) -> Limits:
    """Bounds, step and default of a numeric field, read off its declaration.

    Raises KeyError for a field that has no bounds or does not exist.
    """
    metadata = _declared(request)[name]
    bounds = {type(m): m for m in metadata}
    if Ge not in bounds or Le not in bounds:
        raise KeyError(f"{name} has no bounds")
    extra: dict[str, float] = next((m.json_schema_extra for m in metadata if getattr(m, "json_schema_extra", None)), {})
    step = bounds[MultipleOf].multiple_of if MultipleOf in bounds else extra.get("step", 1)
    default = next(f.default for f in dataclasses.fields(request) if f.name == name)
    return Limits(
        minimum=bounds[Ge].ge,
        maximum=bounds[Le].le,
        step=step,
        default=default if isinstance(default, int | float) else getattr(default, "default", None),
    )


def multiple_of(request: type, name: str) -> float | None:
    """The number that a numeric field must be a multiple of; None if any number between its bounds will do."""
    found: Any = next((mark for mark in _declared(request)[name] if isinstance(mark, MultipleOf)), None)
    return None if found is None else float(found.multiple_of)


def picture_fields(request: type) -> frozenset[str]:
    """The names of the fields that are pictures themselves, according to their type."""
    return frozenset(name for name, marks in _declared(request).items() if PICTURE in marks)


def may_hold_pictures(hint: Any) -> bool:
    """Whether a value of this type may contain a picture, at any depth."""
    return _may_hold_pictures(hint, set())


def _may_hold_pictures(hint: Any, seen: set[type]) -> bool:
    """`seen`: types that were examined already, because they refer to each other."""
    if PICTURE in getattr(hint, "__metadata__", ()):
        return True
    if isinstance(hint, type) and hint not in seen and hasattr(hint, "__annotations__"):
        seen.add(hint)
        return any(_may_hold_pictures(inner, seen) for inner in get_type_hints(hint, include_extras=True).values())
    return any(_may_hold_pictures(inner, seen) for inner in get_args(hint))


def pictures_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Every picture in the request, at any depth, with the name of the request's field that contains it."""
    found: list[tuple[str, str]] = []
    for field in dataclasses.fields(request):
        _replaced(getattr(request, field.name), field.name in picture_fields(type(request)), field.name, found, {})
    return tuple(found)


def with_pictures(request: Request, replaced: Mapping[str, str]) -> Request:
    """The same request with other pictures; those that `replaced` does not name stay."""
    changed: Request = _replaced(request, False, "", [], replaced)
    return changed


@cache
def _declared(request: type) -> Mapping[str, tuple[Any, ...]]:
    """The markers beside each field's type in its declaration, by field."""
    return {name: _marks(hint) for name, hint in get_type_hints(request, include_extras=True).items()}


def _marks(hint: Any) -> tuple[Any, ...]:
    """The markers beside a type, and beside the type inside an optional one."""
    if get_origin(hint) is Annotated:
        return (*hint.__metadata__, *_marks(hint.__origin__))
    if get_origin(hint) in (Union, UnionType):
        return tuple(mark for one in get_args(hint) for mark in _marks(one))
    return ()


def needs_of(request: type) -> Mapping[str, Needs]:
    """What the fields of a request need from a checkpoint's family, by name; fields that need nothing are left out."""
    found = ((name, mark) for name, marks in _declared(request).items() for mark in marks if isinstance(mark, Needs))
    return dict(found)


def declared_rules(request: type) -> tuple[Rule, ...]:
    """The rules in the declarations, in the order of the fields; a field's needs come before its other rules.

    Of several rules for a field, the first that holds gives the reason.
    """
    return tuple(
        rule for name, marks in _declared(request).items() for mark in marks for rule in about(name, *_rules_of(mark))
    )


def _rules_of(mark: Any) -> tuple[Rule, ...]:
    if isinstance(mark, Rule):
        return (mark,)
    if isinstance(mark, Needs):
        make = refused if mark.is_refused else inactive
        return tuple(make(reason_without(needed), lacks(needed)) for needed in mark.capabilities)
    return ()


def defaults_of(request: type) -> Mapping[str, Any]:
    """The defaults of the fields, as plain JSON; required fields are left out."""
    found = {field.name: field.default for field in dataclasses.fields(request)}
    return {name: _plain(value) for name, value in found.items() if value is not dataclasses.MISSING}


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def infotext_names(request: type) -> Mapping[str, InfotextName]:
    """The infotext's names for the fields of a request; fields without a single pair of their own are left out."""
    marked = ((name, mark) for name, marks in _declared(request).items() for mark in marks)
    return {name: mark for name, mark in marked if isinstance(mark, InfotextName)}


MOST_SLIDER_STEPS = 2000  # what is finer is typed into a box


def controls_in(request: type) -> Mapping[str, Control]:
    """The controls of a request's fields, by name, in the order of their declaration."""
    marked = ((name, mark) for name, marks in _declared(request).items() for mark in marks)
    return {name: mark for name, mark in marked if isinstance(mark, Control)}


def without_control(request: type) -> Mapping[str, WithoutControl]:
    """The reasons why fields of a request have no control, by name."""
    marked = ((name, mark) for name, marks in _declared(request).items() for mark in marks)
    return {name: mark for name, mark in marked if isinstance(mark, WithoutControl)}


def kind_of(request: type, name: str) -> Kind:
    """What kind of control a field has; it follows from the type unless the declaration says otherwise."""
    said = controls_in(request)[name].kind
    own = field_type(request, name)
    if said is not None:
        return said
    if PICTURE in _declared(request)[name]:
        return "picture"
    if own is bool:
        return "checkbox"
    if words := words_of(request, name):
        return "chips" if len(words) <= 2 else "list"
    if own in (int, float):
        limits = field_limits(request, name)
        return "slider" if (limits.maximum - limits.minimum) / limits.step <= MOST_SLIDER_STEPS else "number"
    return "text" if own is str else "json"


def words_of(request: type, name: str) -> tuple[str, ...]:
    """The words that a field can have; empty if it takes anything else."""
    own = field_type(request, name)
    if get_origin(own) is Literal:
        return get_args(own)
    schemas = (mark.json_schema or {} for mark in _declared(request)[name] if isinstance(mark, WithJsonSchema))
    return next((tuple(schema["enum"]) for schema in schemas if "enum" in schema), ())


def proper_names(request: type, name: str) -> Mapping[str, str]:
    """The names of a field's values, by value, if they are the same in every language."""
    return next((mark.names for mark in _declared(request)[name] if isinstance(mark, ProperNames)), {})


@cache
def field_type(request: type, name: str) -> Any:
    """The type of a field without its markers and without None."""
    hint = get_type_hints(request)[name]
    if get_origin(hint) not in (Union, UnionType):
        return hint
    return next(one for one in get_args(hint) if one is not type(None))


def fields_in(request: type, *scopes: Scope) -> frozenset[str]:
    """Names of the fields of a request that are declared with one of these scopes."""
    return frozenset(name for name, marks in _declared(request).items() if any(scope in marks for scope in scopes))


def _replaced(value: Any, is_picture: bool, name: str, found: list[tuple[str, str]], by: Mapping[str, str]) -> Any:
    """`value` with its pictures replaced; each is noted in `found` as part of the field `name`."""
    if is_picture and value is not None:
        found.append((name, value))
        return by.get(value, value)
    if isinstance(value, tuple):
        return tuple(_replaced(one, False, name, found, by) for one in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    pictures = picture_fields(type(value))
    values = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    changed = {key: _replaced(one, key in pictures, name or key, found, by) for key, one in values.items()}
    return value if changed == values else dataclasses.replace(value, **changed)

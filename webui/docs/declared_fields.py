"""The rows of the table of fields: which tasks have a field, what it accepts, and its default."""

from __future__ import annotations

import dataclasses
import json
from typing import get_args, get_origin

from webui.docs.tables import code
from webui.requests import REQUESTS
from webui.requests.field_types import MAX_SEED
from webui.requests.fields import (
    Limits,
    defaults_of,
    field_limits,
    field_type,
    multiple_of,
    picture_fields,
    words_of,
)

_TASKS = {"text_to_image": "text", "image_to_image": "image", "style_transfer": "style"}


def field_rows() -> tuple[tuple[str, ...], ...]:
    """Field, tasks, values and default, in the order of the declarations. The meaning is written by hand."""
    having: dict[str, list[str]] = {}
    for task, request in REQUESTS.items():
        for field in dataclasses.fields(request):
            having.setdefault(field.name, []).append(task)
    return tuple((code(name), _tasks(tasks), *_values_and_default(name, tasks)) for name, tasks in having.items())


def _tasks(tasks: list[str]) -> str:
    return "all" if len(tasks) == len(REQUESTS) else ", ".join(_TASKS[task] for task in tasks)


def _values_and_default(name: str, tasks: list[str]) -> tuple[str, str]:
    """Both, separately for each task if the tasks differ."""
    values = dict.fromkeys(_values(REQUESTS[task], name) for task in tasks)
    defaults = dict.fromkeys(_default(REQUESTS[task], name) for task in tasks)
    return " or ".join(values), " or ".join(defaults)


def _values(request: type, name: str) -> str:
    """Words, bounds, or the kind of thing that a field accepts."""
    own = field_type(request, name)
    if name in picture_fields(request):
        return "a picture"
    if words := words_of(request, name):
        return " ".join(code(str(word)) for word in words)
    if own is bool:
        return "`true` `false`"
    if own in (int, float):
        return _bounds(field_limits(request, name), multiple_of(request, name))
    if own is str:
        return "text"
    if get_origin(own) is tuple:
        return "a list of texts" if get_args(own)[0] is str else "a list of objects"
    return "an object"


def _bounds(limits: Limits, multiple: float | None) -> str:
    lowest = f"{limits.minimum:g} to " if limits.minimum < 0 else f"{limits.minimum:g}–"
    highest = "2³² − 1" if limits.maximum == MAX_SEED else f"{limits.maximum:g}"
    return f"{lowest}{highest}{f', multiples of {multiple:g}' if multiple else ''}".replace("-", "−")


def _default(request: type, name: str) -> str:
    given = defaults_of(request)
    if name not in given:
        return "required"
    value = given[name]
    if isinstance(value, dict):
        return "all 1" if set(value.values()) == {1.0} else code(json.dumps(value))
    return code(
        f"{value:g}" if isinstance(value, float) else value if value and isinstance(value, str) else json.dumps(value)
    )

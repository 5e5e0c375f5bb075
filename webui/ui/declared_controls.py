"""Controls that follow from the declarations of requests, group by group, and what the scripts know about each field.

Bounds, steps and defaults are read from the declaration and the checkpoint's defaults; nothing is declared twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.family import Defaults
from webui.requests import REQUESTS
from webui.requests.field_controls import Control, Group
from webui.requests.fields import (
    controls_in,
    field_limits,
    kind_of,
    proper_names,
    without_control,
    words_of,
)
from webui.schedulers import SCHEDULERS, SIGMAS, scheduler_named
from webui.ui.assets import template
from webui.ui.language import Words
from webui.ui.parts import of_html

Controls = dict[str, Component]
# Where there is no checkpoint.
_PLAIN = Defaults(width=512, height=512, steps=20, guidance_scale=7.0, scheduler=SCHEDULERS[0].id, sigmas=SIGMAS[0])


@dataclass(frozen=True)
class Field:
    """A field with a control, in the first request that declares it."""

    request: type
    name: str
    control: Control
    is_paired: bool  # it stands side by side with another one


def fields_of(group: Group) -> list[Field]:
    """The fields whose controls are in this group, in the order of their declaration."""
    found: dict[str, Field] = {}
    for request in REQUESTS.values():
        inside = [(name, mark) for name, mark in controls_in(request).items() if mark.group is group]
        for (name, mark), (_, after) in zip(inside, [*inside[1:], ("", Control(group))], strict=False):
            found.setdefault(name, Field(request, name, mark, mark.beside or after.beside))
    return list(found.values())


def drawn(
    group: Group,
    words: Words,
    checkpoint: Checkpoint | None = None,
    by_hand: Mapping[str, Callable[[], Component]] | None = None,
) -> Controls:
    """The controls of a group by name, each at its default; `by_hand` has functions for those that are not ordinary."""
    own = checkpoint.defaults if checkpoint else _PLAIN
    special = by_hand or {}
    return {
        field.name: special[field.name]() if field.name in special else _control(field, words, own)
        for field in fields_of(group)
    }


def select_part(name: str, *classes: str) -> gr.HTML:
    """A list of the browser's own, which Tab alone does not open; `assets/controls/select.js` fills it."""
    html = template("select").replace("<select>", f'<select data-field="{name}">')
    return of_html("select", html, elem_id=name, classes=("select", *classes))


def starting_values(checkpoint: Checkpoint | None) -> dict[str, Any]:
    """The values of the form before anybody has changed anything, by name."""
    own = checkpoint.defaults if checkpoint else _PLAIN
    table = field_table()
    declared = {field.name: field for group in Group for field in fields_of(group)}
    found: dict[str, Any] = {name: "" if table[name]["kind"] in ("picture", "text") else None for name in declared}
    for name, field in declared.items():
        if not field.control.empty and isinstance(value := _start(field, own), bool | int | float | str):
            found[name] = value
    rest: dict[str, Any] = {"looks": [], "ratio": None, "quality": "normal"}
    return {**found, **rest, "checkpoint": checkpoint.id if checkpoint else None}


def _control(field: Field, words: Words, own: Defaults) -> Component:
    request, name = field.request, field.name
    value = _start(field, own)
    classes = ["paired"] if field.is_paired else []
    shown: dict[str, Any] = {"label": words(name), "elem_id": name, "elem_classes": classes}
    match kind_of(request, name):
        case "slider":
            limits = field_limits(request, name)
            return gr.Slider(limits.minimum, limits.maximum, value, step=limits.step, **shown)
        case "number":  # the browser holds it to the field's bounds, the request checks them
            if field.control.empty:
                shown["placeholder"] = words(field.control.empty)
            return gr.Number(value, step=field_limits(request, name).step, min_width=64, **shown)
        case "chips":
            shown["elem_classes"] = ["chips", *classes]
            return gr.Radio(_choices(field, words), value=value, **shown)
        case "list":
            return select_part(name, *classes)
        case "checkbox":
            return gr.Checkbox(value, **shown)
        case kind:
            raise ValueError(f"{name}: no ordinary control is a {kind}")


def _start(field: Field, own: Defaults) -> Any:
    """The first value of a control. Gradio shows an empty number box as 0, so it begins with its minimum; the script
    empties it.
    """
    if field.name == "eta":
        return scheduler_named(own.scheduler).eta or 0.0
    if field.control.empty:
        limits = _limits(field.request, field.name)
        return None if limits is None else limits["minimum"]
    default: Any = field.request.__dataclass_fields__[field.name].default  # type: ignore[attr-defined]  # dataclasses
    return getattr(own, field.name, default)


def _choices(field: Field, words: Words) -> list[tuple[Any, str]]:
    """A field's words with their labels."""
    names = proper_names(field.request, field.name)
    return [(names.get(word) or words(f"{field.name}_{word}"), word) for word in words_of(field.request, field.name)]


def _limits(request: type, name: str) -> dict[str, float] | None:
    """A number's bounds and step, or None."""
    try:
        found = field_limits(request, name)
    except KeyError:
        return None
    return {"minimum": found.minimum, "maximum": found.maximum, "step": found.step}


def reasons_without_control() -> dict[str, str]:
    """The fields of the requests that no control fills, and why."""
    return {name: mark.reason for request in REQUESTS.values() for name, mark in without_control(request).items()}


def field_table() -> dict[str, dict[str, Any]]:
    """What the scripts know about each field: its control's kind, group and place, its words, and
    whether it is shown.
    """
    found: dict[str, dict[str, Any]] = {}
    for request in REQUESTS.values():
        for name, mark in controls_in(request).items():
            entry = {
                "kind": kind_of(request, name),
                "group": mark.group,
                "beside": mark.beside,
                "may_be_empty": bool(mark.empty),
                "words": words_of(request, name),
                "names": dict(proper_names(request, name)),
                "is_told": True,
                "limits": _limits(request, name),
            }
            found.setdefault(name, entry)
        for name, reason in without_control(request).items():
            found.setdefault(name, {"kind": None, "group": None, "is_told": reason.is_told})
    return found


def controlled_fields(task: str) -> frozenset[str]:
    """The names of the task's fields that a control fills."""
    return frozenset(REQUESTS[task].__dataclass_fields__) - reasons_without_control().keys()


def field_defaults() -> dict[str, Any]:
    """The defaults of the tasks' fields, by name; fields without one are left out."""
    fields = [field for request in REQUESTS.values() for field in request.__dataclass_fields__.values()]
    return {field.name: _plain_default(field) for field in fields if _plain_default(field) is not None}


def _plain_default(field: Any) -> Any:
    """The default as JSON, or None."""
    default = getattr(field.default, "default", field.default)  # pydantic's Field keeps its own
    return default if isinstance(default, bool | int | float | str) else None

"""Controls that follow from the declarations of requests, group by group, and what the scripts know of each field.

Bounds, steps and defaults are read off the declaration and the checkpoint's defaults; nothing is declared twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

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
from webui.ui.language import Words

Controls = dict[str, Component]
SomeComponent = TypeVar("SomeComponent", bound=Component)
_MANY_WORDS = 10  # from which on a list can be searched
# Where there is no checkpoint.
_PLAIN = Defaults(width=512, height=512, steps=20, guidance_scale=7.0, scheduler=SCHEDULERS[0].id, sigmas=SIGMAS[0])


@dataclass(frozen=True)
class Field:
    """A field that has a control, in the first request that declares it."""

    request: type
    name: str
    control: Control
    is_paired: bool  # it stands side by side with another one


def fields_of(group: Group) -> list[Field]:
    """The fields whose controls stand in this group, in the order of their declaration."""
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
    """The controls of a group by name, each at its default; `by_hand` draws those that are no ordinary ones."""
    own = checkpoint.defaults if checkpoint else _PLAIN
    special = by_hand or {}
    return {
        field.name: special[field.name]() if field.name in special else _control(field, words, own)
        for field in fields_of(group)
    }


def unchecked(component: SomeComponent) -> SomeComponent:
    """The same component, whose value Gradio hands over as it came.

    Its own check against the choices would end a submit in an exception that nobody worded (a checkpoint that is gone,
    three images where the chips are 1, 2, 4); the request checks every value, and says what is wrong.
    """
    component.preprocess = lambda payload: payload
    return component


def _control(field: Field, words: Words, own: Defaults) -> Component:
    request, name = field.request, field.name
    value = _start(field, own)
    classes = ["paired"] if field.is_paired else []
    shown: dict[str, Any] = {"label": words(name), "elem_id": name, "elem_classes": classes}
    match kind_of(request, name):
        case "slider":
            limits = field_limits(request, name)
            return unchecked(gr.Slider(limits.minimum, limits.maximum, value, step=limits.step, **shown))
        case "number":  # the browser holds it to the field's bounds, the request checks them
            if field.control.empty:
                shown["placeholder"] = words(field.control.empty)
            return gr.Number(value, step=field_limits(request, name).step, min_width=64, **shown)
        case "chips":
            shown["elem_classes"] = ["chips", *classes]
            return unchecked(gr.Radio(_choices(field, words), value=value, **shown))
        case "list":
            choices = _choices(field, words)
            can_search = len(choices) > _MANY_WORDS
            return unchecked(gr.Dropdown(choices, value=value, filterable=can_search, min_width=100, **shown))
        case "checkbox":
            return gr.Checkbox(value, **shown)
        case kind:
            raise ValueError(f"{name}: no ordinary control is a {kind}")


def _start(field: Field, own: Defaults) -> Any:
    """What a control begins with. Gradio draws an empty number box as 0, so that it begins with its least value, which
    for a seed is random, too; the script empties it."""
    if field.name == "eta":
        return scheduler_named(own.scheduler).eta or 0.0
    if field.control.empty:
        return field_limits(field.request, field.name).minimum
    default: Any = field.request.__dataclass_fields__[field.name].default  # type: ignore[attr-defined]  # dataclasses
    return getattr(own, field.name, default)


def _choices(field: Field, words: Words) -> list[tuple[Any, str]]:
    """A field's words with their labels."""
    names = proper_names(field.request, field.name)
    return [(names.get(word) or words(f"{field.name}_{word}"), word) for word in words_of(field.request, field.name)]


def reasons_without_control() -> dict[str, str]:
    """Fields of the requests that no control fills, and why."""
    return {name: mark.reason for request in REQUESTS.values() for name, mark in without_control(request).items()}


def field_table() -> dict[str, dict[str, Any]]:
    """What the scripts know of each field: its control's kind, group and place, its words, and whether it is told."""
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
            }
            found.setdefault(name, entry)
        for name, reason in without_control(request).items():
            found.setdefault(name, {"kind": None, "group": None, "is_told": reason.is_told})
    return found

"""Controls and request fields belong together: one for each, with the field's own bounds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import gradio as gr
import pytest

from tests.ui.conftest import DEFAULTS, OneCheckpoint, checkpoint, page_of
from webui.checkpoints.catalogue import Catalogue
from webui.errors import CheckpointPickled
from webui.requests import REQUESTS, to_dict
from webui.requests.diffusion import TextToImage
from webui.requests.field_controls import Group
from webui.requests.fields import controls_in, field_limits, kind_of
from webui.settings import Settings
from webui.ui.controls import WITHOUT_CONTROL, checkpoint_choices
from webui.ui.declared_controls import field_defaults, field_table, fields_of, starting_values
from webui.ui.language import Words


def controls_of(page: gr.Blocks) -> dict[str, Any]:
    return page.darkroom.fields


@pytest.mark.parametrize("task", REQUESTS)
def test_every_field_has_a_control_or_a_reason(page: gr.Blocks, task: str) -> None:
    fields = set(REQUESTS[task].__dataclass_fields__)
    assert fields - controls_of(page).keys() - WITHOUT_CONTROL.keys() == set()


def test_every_reason_is_about_a_field_without_control(page: gr.Blocks) -> None:
    fields = {field for request in REQUESTS.values() for field in request.__dataclass_fields__}
    assert WITHOUT_CONTROL.keys() <= fields
    assert WITHOUT_CONTROL.keys().isdisjoint(controls_of(page))


@pytest.mark.parametrize("group", Group)
def test_controls_stand_in_the_order_of_the_declarations(page: gr.Blocks, group: Group) -> None:
    names = [field.name for field in fields_of(group)]
    assert names
    if group is not Group.WRITING:  # where looks come between the prompts
        assert [name for name in controls_of(page) if name in names] == names


def test_words_are_the_fields_own_and_have_labels(page: gr.Blocks) -> None:
    table = field_table()
    offering = {name: entry for name, entry in table.items() if entry.get("words")}
    assert {"scheduler", "sigmas", "tiling", "method", "optimizer", "mask_mode"} <= offering.keys()
    for name, entry in offering.items():
        if entry["kind"] != "list":  # those the script fills with the words
            assert tuple(value for _, value in controls_of(page)[name].choices) == entry["words"]
        labels = {f"{name}_{word}" for word in entry["words"] if word not in entry["names"]}
        assert all(labels <= words.keys() for words in Words().by_language.values()), name


def test_every_field_that_is_told_has_a_label() -> None:
    told = {name for name, entry in field_table().items() if entry["is_told"]}
    assert all(told <= words.keys() for words in Words().by_language.values())


@pytest.mark.parametrize("task", REQUESTS)
def test_a_field_is_declared_alike_wherever_it_is(task: str) -> None:
    for name, control in controls_in(REQUESTS[task]).items():
        entry = field_table()[name]
        assert (entry["kind"], entry["group"]) == (kind_of(REQUESTS[task], name), control.group), name


def test_what_is_no_field_is_known(page: gr.Blocks) -> None:
    fields = {field for request in REQUESTS.values() for field in request.__dataclass_fields__}
    assert controls_of(page).keys() - fields == {"ratio", "quality"}


def test_elem_id_is_the_fields_name(page: gr.Blocks) -> None:
    assert {name: control.elem_id for name, control in controls_of(page).items()} == {n: n for n in controls_of(page)}


@pytest.mark.parametrize("task", REQUESTS)
def test_sliders_have_the_fields_bounds(page: gr.Blocks, task: str) -> None:
    request = REQUESTS[task]
    sliders = {
        name: control
        for name, control in controls_of(page).items()
        if isinstance(control, gr.Slider) and name in request.__dataclass_fields__
    }
    assert sliders
    for name, control in sliders.items():
        limits = field_limits(request, name)
        assert (control.minimum, control.maximum, control.step) == (limits.minimum, limits.maximum, limits.step), name


def test_the_checkpoints_defaults_are_what_one_starts_with(page: gr.Blocks) -> None:
    names = ("width", "height", "steps", "guidance_scale", "scheduler", "sigmas")
    started = starting_values(checkpoint())
    assert {name: started[name] for name in names} == {name: getattr(DEFAULTS, name) for name in names}
    assert started["checkpoint"] == "starter"
    shown = {name: controls_of(page)[name].value for name in names[:4]}
    assert shown == {name: started[name] for name in shown}


def test_everything_on_the_form_starts_with_something(page: gr.Blocks) -> None:
    started = starting_values(checkpoint())
    assert started.keys() == controls_of(page).keys()
    assert (started["prompt"], started["looks"], started["init_image"], started["seed"]) == ("", [], "", None)


def test_the_seed_is_random_at_first(page: gr.Blocks) -> None:
    assert controls_of(page)["seed"].value == -1


def test_a_page_without_any_checkpoint_can_be_built(tmp_path: Path) -> None:
    page = page_of(OneCheckpoint(), Settings(data_dir=tmp_path))
    assert starting_values(None)["checkpoint"] is None
    assert starting_values(None).keys() == controls_of(page).keys()


def test_defaults_are_the_requests_own() -> None:
    found = field_defaults()
    untouched = to_dict(TextToImage(prompt=""))
    told = {name: value for name, value in found.items() if name in untouched and name != "task"}
    assert {"clip_skip", "guidance_end", "num_images"} <= told.keys()
    assert told == {name: untouched[name] for name in told}


def test_what_has_no_default_is_left_out() -> None:
    names = {field.name for field in dataclasses.fields(TextToImage)}
    assert {"seed", "steps"} <= names, "the checkpoint's, or nobody's"
    assert field_defaults().keys().isdisjoint({"seed", "steps", "init_image"})


def test_names_that_two_checkpoints_share_say_which_is_which() -> None:
    twins = [checkpoint("a/one", "Same"), checkpoint("b/one", "Same"), checkpoint("c", "Other")]
    assert checkpoint_choices(cast("Catalogue", OneCheckpoint(*twins))) == [
        ("Same (a/one)", "a/one"),
        ("Same (b/one)", "b/one"),
        ("Other", "c"),
    ]


def test_what_cannot_be_used_comes_last_with_a_sign() -> None:
    pickled = dataclasses.replace(checkpoint("old", "Old"), problem=CheckpointPickled(checkpoint="old"))
    catalogue = cast("Catalogue", OneCheckpoint(pickled, checkpoint("new", "New")))
    assert checkpoint_choices(catalogue) == [("New", "new"), ("⚠ Old", "old")]

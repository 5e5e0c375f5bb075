"""The controls that all tasks share: prompt, size, sampling, seed. Each is named after the request's field it fills.

Bounds, steps and defaults are read off the request's declaration and the checkpoint's defaults; nothing is declared
twice. What a control does in the browser (chips that set width and height, the dice) is in `assets/controls.js`.
"""

from __future__ import annotations

from typing import TypeVar, get_args, get_type_hints

import gradio as gr
from gradio.components import Component

from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.presets import Presets
from webui.request_fields import field_limits
from webui.requests import MAX_LOOKS, MAX_PROMPT_CHARACTERS, TextToImage
from webui.ui.language import Words
from webui.ui.prompt_help import prompt_help, prompt_history

RATIOS = ("1:1", "4:3", "3:2", "16:9")
QUALITIES = ("draft", "normal", "fine")
IMAGE_COUNTS = (1, 2, 4, 8)

# Fields of the requests that no control fills, and why.
WITHOUT_CONTROL = {
    "task": "the tab says it",
    "schema_version": "a constant of the program",
    "look_texts": "what the looks said, set when the job is submitted",
    "resolved_prompts": "what looks and wildcards made of the prompts, set when the job is submitted",
    "resolved_from": "a digest, set when the job is submitted",
    "walk_to": "a walk is started from two pictures, not from a control",
    "only_image": "one of several is made again from its picture, not from a control",
    "stop_after": "a step is kept from the strip below the stage",
    "branch_from": "a branch begins at a step of the strip below the stage",
}

Controls = dict[str, Component]
SomeComponent = TypeVar("SomeComponent", bound=Component)


def unchecked(component: SomeComponent) -> SomeComponent:
    """The same component, whose value Gradio hands over as it came.

    Its own check against the choices would end a submit in an exception that nobody worded (a checkpoint that is gone,
    three images where the chips are 1, 2, 4); the request checks every value, and says what is wrong.
    """
    component.preprocess = lambda payload: payload
    return component


def slider(request: type, field: str, words: Words, value: float | None = None, **options: object) -> gr.Slider:
    """A slider for a numeric field, with the field's own bounds, step and default."""
    limits = field_limits(request, field)
    return unchecked(
        gr.Slider(
            limits.minimum,
            limits.maximum,
            limits.default if value is None else value,
            step=limits.step,
            label=words(field),
            elem_id=field,
            **options,
        )
    )


def number(request: type, field: str, words: Words, value: float | None, **options: object) -> gr.Number:
    """A number box for an integer field; the browser holds it to the field's bounds, the request checks them."""
    limits = field_limits(request, field)
    return gr.Number(
        value,
        label=words(field),
        elem_id=field,
        step=limits.step,
        min_width=64,
        **options,
    )


def chips(request: type, field: str, words: Words) -> gr.Radio:
    """One chip for each word that a field is declared with, its default chosen."""
    choices, default = _declared(request, field, words)
    return unchecked(gr.Radio(choices, value=default, label=words(field), elem_id=field, elem_classes=["chips"]))


def choice(request: type, field: str, words: Words) -> gr.Dropdown:
    """The same as a list that opens."""
    choices, default = _declared(request, field, words)
    return unchecked(
        gr.Dropdown(choices, value=default, label=words(field), elem_id=field, filterable=False, min_width=100)
    )


def _declared(request: type, field: str, words: Words) -> tuple[list[tuple[str, str]], str]:
    """A field's words with their labels, and its default."""
    names: tuple[str, ...] = get_args(get_type_hints(request)[field])
    default: str = request.__dataclass_fields__[field].default  # type: ignore[attr-defined]  # requests are dataclasses
    return [(words(f"{field}_{name}"), name) for name in names], default


def checkpoint_choices(catalogue: Catalogue) -> list[tuple[str, str]]:
    """(label, id) for the picker; a name that two share is followed by the id.

    What cannot be used comes last, with a sign: whoever put it there finds it, and choosing it says why.
    """
    usable, refused = catalogue.list(), catalogue.refused()
    names = [checkpoint.name for checkpoint in (*usable, *refused)]

    def label(checkpoint: Checkpoint) -> str:
        name = checkpoint.name if names.count(checkpoint.name) == 1 else f"{checkpoint.name} ({checkpoint.id})"
        return name if checkpoint.problem is None else f"⚠ {name}"

    return [(label(checkpoint), checkpoint.id) for checkpoint in (*usable, *refused)]


def checkpoint_picker(words: Words, catalogue: Catalogue, chosen: Checkpoint | None) -> gr.Dropdown:
    """The one picker of the page, for the header."""
    return unchecked(
        gr.Dropdown(
            checkpoint_choices(catalogue),
            value=chosen.id if chosen else None,
            label=words("checkpoint"),
            elem_id="checkpoint",
            min_width=120,
        )
    )


def writing(words: Words, presets: Presets) -> Controls:
    """Prompt, looks and negative prompt."""
    prompt = gr.Textbox(
        label=words("prompt"),
        placeholder=words("prompt_placeholder"),
        lines=3,
        max_lines=8,
        max_length=MAX_PROMPT_CHARACTERS,
        elem_id="prompt",
    )
    prompt_help("prompt")
    with gr.Row(elem_id="inspire"):
        looks = gr.Dropdown(
            [(look.name, look.id) for look in presets.looks],
            value=[],
            multiselect=True,
            max_choices=MAX_LOOKS,
            label=words("looks"),
            elem_id="looks",
            min_width=120,
        )
        gr.Button(words("surprise_me"), elem_id="surprise", size="sm", min_width=80)
        prompt_history()
    negative_prompt = gr.Textbox(
        label=words("negative_prompt"),
        placeholder=words("negative_prompt_placeholder"),
        lines=1,
        max_lines=4,
        max_length=MAX_PROMPT_CHARACTERS,
        elem_id="negative_prompt",
    )
    prompt_help("negative_prompt")
    return {"prompt": prompt, "looks": unchecked(looks), "negative_prompt": negative_prompt}


def size(words: Words, checkpoint: Checkpoint | None) -> Controls:
    """Chips for the usual proportions, and width and height in pixels."""
    defaults = checkpoint.defaults if checkpoint else None
    with gr.Row(elem_id="size_row"):
        ratio = gr.Radio(RATIOS, value=None, label=words("proportions"), elem_id="ratio", elem_classes=["chips"])
        gr.Button("⇄", elem_id="swap", size="sm", min_width=36, elem_classes=["icon"])
        width = number(TextToImage, "width", words, defaults.width if defaults else 512)
        height = number(TextToImage, "height", words, defaults.height if defaults else 512)
    return {"ratio": unchecked(ratio), "width": width, "height": height}


def amount(words: Words) -> Controls:
    """How many pictures, and how much care: quality sets the steps."""
    with gr.Row(elem_id="amount_row"):
        num_images = gr.Radio(
            IMAGE_COUNTS, value=1, label=words("num_images"), elem_id="num_images", elem_classes=["chips"]
        )
        quality = gr.Radio(
            [(words(f"quality_{name}"), name) for name in QUALITIES],
            value="normal",
            label=words("quality"),
            elem_id="quality",
            elem_classes=["chips"],
        )
    return {"num_images": unchecked(num_images), "quality": unchecked(quality)}


def effort(words: Words, checkpoint: Checkpoint | None) -> Controls:
    """Steps and guidance; the rest of the sampling is in its own fold (`ui/sampling_controls.py`)."""
    defaults = checkpoint.defaults if checkpoint else None
    with gr.Row(elem_id="effort_row"):
        steps = slider(TextToImage, "steps", words, defaults.steps if defaults else 20)
        guidance = slider(TextToImage, "guidance_scale", words, defaults.guidance_scale if defaults else 7.0)
    return {"steps": steps, "guidance_scale": guidance}


def seed(words: Words) -> Controls:
    """The seed; empty is a random one."""
    with gr.Row(elem_id="seed_row"):
        # Gradio makes a missing number 0 when it draws it; -1 is random too, and the script empties the box.
        box = number(TextToImage, "seed", words, -1, placeholder=words("seed_random"))
        gr.Button("⚄", elem_id="dice", size="sm", min_width=36, elem_classes=["icon"])
        gr.Button("↺", elem_id="reuse", size="sm", min_width=36, elem_classes=["icon"])
    return {"seed": box}

"""The controls that all tasks share: prompt, size, sampling, seed. Each is named after the request's field it fills.

Ordinary controls follow from the declarations (`ui/declared_controls.py`); only the others are built by hand here. What
a control does in the browser (chips that set width and height, the dice) is in `assets/controls/` and `assets/form/`.
"""

from __future__ import annotations

import gradio as gr

from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.requests.field_controls import Group
from webui.requests.field_types import MAX_PROMPT_CHARACTERS
from webui.ui.declared_controls import Controls, drawn, reasons_without_control, select_part
from webui.ui.language import Words
from webui.ui.parts import help_mark, part
from webui.ui.prompt_help import known_words, prompt_help, prompt_history

RATIOS = ("1:1", "4:3", "3:2", "16:9")
QUALITIES = ("draft", "normal", "fine")
IMAGE_COUNTS = (1, 2, 4, 8)

WITHOUT_CONTROL = reasons_without_control()


def checkpoint_choices(catalogue: Catalogue) -> list[tuple[str, str]]:
    """(label, id) for the picker; a name that two checkpoints share is followed by the id.

    Checkpoints that cannot be used come last, with a sign: their owner finds them, and choosing one says why.
    """
    usable, refused = catalogue.list(), catalogue.refused()
    names = [checkpoint.name for checkpoint in (*usable, *refused)]

    def label(checkpoint: Checkpoint) -> str:
        name = checkpoint.name if names.count(checkpoint.name) == 1 else f"{checkpoint.name} ({checkpoint.id})"
        return name if checkpoint.problem is None else f"⚠ {name}"

    return [(label(checkpoint), checkpoint.id) for checkpoint in (*usable, *refused)]


def checkpoint_picker() -> gr.HTML:
    """The page's only picker, for the header."""
    return select_part("checkpoint")


def writing(words: Words) -> Controls:
    """The sign of a prepared branch, the prompt, the looks and the negative prompt."""
    part("branch", elem_id="branch_box")
    help_mark(Group.WRITING)
    known_words()
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
        looks = part("looks", "looks", elem_id="looks")
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
    return {"prompt": prompt, "looks": looks, "negative_prompt": negative_prompt}


def size(words: Words, checkpoint: Checkpoint | None) -> Controls:
    """Chips for the usual proportions, and width and height in pixels."""
    with gr.Row(elem_id="size_row"):
        ratio = gr.Radio(RATIOS, value=None, label=words("proportions"), elem_id="ratio", elem_classes=["chips"])
        gr.Button("⇄", elem_id="swap", size="sm", min_width=36, elem_classes=["icon"])
        sides = drawn(Group.SIZE, words, checkpoint)
        help_mark(Group.SIZE)
    return {"ratio": ratio, **sides}


def amount(words: Words) -> Controls:
    """The number of images, and the quality, which sets the steps."""
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
        help_mark(Group.AMOUNT)
    return {"num_images": num_images, "quality": quality}


def effort(words: Words, checkpoint: Checkpoint | None) -> Controls:
    """Steps and guidance; the rest of the sampling is in a section of its own (`ui/sampling_controls.py`)."""
    with gr.Row(elem_id="effort_row"):
        sliders = drawn(Group.EFFORT, words, checkpoint)
        help_mark(Group.EFFORT)
    return sliders


def seed(words: Words) -> Controls:
    """The seed; an empty box means a random one."""
    with gr.Row(elem_id="seed_row"):
        fields = drawn(Group.SEED, words)
        gr.Button("⚄", elem_id="dice", size="sm", min_width=36, elem_classes=["icon"])
        gr.Button("↺", elem_id="reuse", size="sm", min_width=36, elem_classes=["icon"])
        help_mark(Group.SEED)
    return fields

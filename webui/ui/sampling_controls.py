"""The fold *Sampling*: how the noise is made and taken away, and how prompts are read, in the order of its use.

Its head says what in it is not at its default. The scheduler stays in sight, as all else in the fold hangs on it.
What does nothing with a checkpoint or beside another setting is said by the rules of `webui.rules`; `sampling_data`
hands them to `assets/sampling.js`, which greys it out and gives the reason.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args, get_type_hints

import gradio as gr

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.field_rules import Rule
from webui.request_fields import field_limits
from webui.requests import REQUESTS, TextToImage
from webui.rules.sampling import facts_of
from webui.rules.table import rules_of
from webui.schedulers import SCHEDULERS, SIGMAS, scheduler_named
from webui.texts import LANGUAGES, Texts
from webui.ui import assets
from webui.ui.controls import WITHOUT_CONTROL, Controls, chips, number, slider, unchecked
from webui.ui.image_to_image import PICTURE_ROWS
from webui.ui.language import Words
from webui.ui.style_transfer import MAIN_FIELDS, STYLE_ROWS

# In the order in which people reach for them; those in one tuple stand side by side.
ROWS = (
    ("scheduler", "sigmas"),
    ("sigma_range",),
    ("clip_skip",),
    ("variation_seed", "variation_strength"),
    ("guidance_rescale",),
    ("guidance_start", "guidance_end"),
    ("eta",),
    ("tiling",),
    ("prompt_dialect", "emphasis"),
)


def choices_of(field: str) -> tuple[str, ...]:
    """The words that a field of a diffusion is declared with."""
    return get_args(get_type_hints(TextToImage)[field])


def sampling(words: Words, checkpoint: Checkpoint | None) -> Controls:
    """The fold, closed or open as the browser remembers it. All values are there and are sent in either state."""
    own = checkpoint.defaults if checkpoint else None
    scheduler = own.scheduler if own else SCHEDULERS[0].id
    with gr.Column(elem_id="sampling", min_width=0):
        gr.HTML(html_template=assets.template("fold"), js_on_load="darkroom.mountSampling(element);",
                elem_id="sampling_head", apply_default_css=False)  # fmt: skip
        return {
            "scheduler": unchecked(
                gr.Dropdown(
                    [(known.name, known.id) for known in SCHEDULERS],
                    value=scheduler,
                    label=words("scheduler"),
                    elem_id="scheduler",
                    min_width=100,
                )
            ),
            "sigmas": unchecked(
                gr.Dropdown(
                    [(words(f"sigmas_{name}"), name) for name in SIGMAS],
                    value=own.sigmas if own else SIGMAS[0],
                    label=words("sigmas"),
                    elem_id="sigmas",
                    filterable=False,
                    min_width=100,
                )
            ),
            "sigma_range": chips(TextToImage, "sigma_range", words),
            "clip_skip": slider(TextToImage, "clip_skip", words),
            # -1 is random, as an empty box is; see `seed`
            "variation_seed": number(TextToImage, "variation_seed", words, -1, placeholder=words("seed_random")),
            "variation_strength": slider(TextToImage, "variation_strength", words),
            "guidance_rescale": slider(TextToImage, "guidance_rescale", words),
            "guidance_start": slider(TextToImage, "guidance_start", words),
            "guidance_end": slider(TextToImage, "guidance_end", words),
            # sent as nothing where it is the scheduler's own share, which Gradio's check would not take
            "eta": unchecked(slider(TextToImage, "eta", words, scheduler_named(scheduler).eta or 0.0)),
            "tiling": chips(TextToImage, "tiling", words),
            "prompt_dialect": chips(TextToImage, "prompt_dialect", words),
            "emphasis": chips(TextToImage, "emphasis", words),
        }


def page_rules() -> tuple[Rule, ...]:
    """The rules about fields that have a control, each once."""
    rules = (rule for request in REQUESTS.values() for rule in rules_of(request))
    return tuple(dict.fromkeys(rule for rule in rules if rule.field not in WITHOUT_CONTROL))


def sampling_data(texts: Texts) -> dict[str, Any]:
    """What `assets/sampling.js` needs to know: the rules, the `facts` that they ask for, and which a family has."""
    facts: list[dict[str, Any]] = []
    families: dict[str, int] = {}
    for family in FAMILIES.values():
        own = asdict(facts_of(family))
        if own not in facts:
            facts.append(own)
        families[family.id] = facts.index(own)
    rules = page_rules()
    reasons = sorted({rule.reason for rule in rules if rule.effect != "error"} | {"needs_vgg19"})
    limited = ("clip_skip", "guidance_start", "guidance_end")  # whose bounds depend on something
    return {
        "rows": ROWS,
        "pictures": PICTURE_ROWS,
        "styles": STYLE_ROWS,
        "style_mains": MAIN_FIELDS,
        "families": families,
        "facts": facts,
        "rules": [asdict(rule) for rule in rules],
        "eta": {known.id: known.eta for known in SCHEDULERS if known.eta is not None},
        "limits": {name: asdict(field_limits(TextToImage, name)) for name in limited},
        "reasons": {
            language: {reason: texts.text(f"reason.{reason}", language) for reason in reasons} for language in LANGUAGES
        },
    }

"""The section *Sampling*: how noise is made and removed, and how prompts are read, in the order in which people need
it.

Its heading says which settings differ from their defaults. The scheduler is always visible, because everything else in
the section depends on it. The rules of `webui.rules` say what has no effect with a checkpoint or another setting;
`sampling_data` passes them to `assets/form/validity.js`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.requests import REQUESTS
from webui.requests.diffusion import TextToImage
from webui.requests.field_controls import Group
from webui.requests.field_rules import Rule
from webui.requests.fields import field_limits
from webui.rules.sampling import facts_of
from webui.rules.table import rules_of
from webui.schedulers import SCHEDULERS
from webui.texts import LANGUAGES, Texts
from webui.ui.declared_controls import Controls, drawn, reasons_without_control
from webui.ui.language import Words
from webui.ui.parts import part


def sampling(words: Words, checkpoint: Checkpoint | None) -> Controls:
    """The section, open or closed as the browser remembers it. Its values exist and are sent in either state."""
    with gr.Column(elem_id="sampling", min_width=0):
        part("sampling", "fold", elem_id="sampling_head")
        return drawn(Group.SAMPLING, words, checkpoint)


def page_rules() -> tuple[Rule, ...]:
    """The rules about fields with a control, each once."""
    rules = (rule for request in REQUESTS.values() for rule in rules_of(request))
    without = reasons_without_control()
    return tuple(dict.fromkeys(rule for rule in rules if rule.field not in without))


def sampling_data(texts: Texts) -> dict[str, Any]:
    """What `assets/form/validity.js` needs: the rules, the `facts` that they ask about, and the
    facts of each family.
    """
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
        "families": families,
        "facts": facts,
        "rules": [asdict(rule) for rule in rules],
        "eta": {known.id: known.eta for known in SCHEDULERS if known.eta is not None},
        "limits": {name: asdict(field_limits(TextToImage, name)) for name in limited},
        "reasons": {
            language: {reason: texts.text(f"reason.{reason}", language) for reason in reasons} for language in LANGUAGES
        },
    }

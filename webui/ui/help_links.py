"""Which passage of the manual explains which part of the page: declared here once, shown as “?” links by the scripts.

A group of controls has the name that the declarations of fields use; other parts of the page have names of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from webui.requests.field_controls import Group


@dataclass(frozen=True)
class Passage:
    """A passage of the manual, `/help/<page>#<anchor>`, and the key of the string that says what it explains."""

    page: str
    anchor: str
    name: str


GROUPS: Mapping[Group, Passage] = {
    Group.HEADER: Passage("models", "what-works", "checkpoint"),
    Group.UPLOADS: Passage("first-pictures", "what-the-three-tabs-do", "picture"),
    Group.WRITING: Passage("prompts", "the-prompt-box", "prompt"),
    Group.SIZE: Passage("sampling", "size-and-number", "proportions"),
    Group.AMOUNT: Passage("variations", "best-of-several", "num_images"),
    Group.EFFORT: Passage("sampling", "quality-and-guidance", "quality"),
    Group.SEED: Passage("sampling", "seed", "seed"),
    Group.SAMPLING: Passage("sampling", "controls", "sampling"),
    Group.PICTURE: Passage("image-to-image", "denoising-strength", "denoising_strength"),
    Group.MASKING: Passage("image-to-image", "masks", "mask"),
    Group.FRAMING: Passage("image-to-image", "size-and-sides", "framing"),
    Group.SIDES: Passage("image-to-image", "size-and-sides", "framing"),
    Group.STYLE: Passage("style-transfer", "methods", "method"),
    Group.STYLING: Passage("style-transfer", "more-about-the-style", "styling"),
}
PARTS: Mapping[str, Passage] = {
    "looks": Passage("prompts", "looks", "looks"),
    "words": Passage("prompts", "words-to-pick-from", "words"),
    "negative_prompt": Passage("prompts", "negative-prompt", "negative_prompt"),
    "strip": Passage("variations", "the-strip", "strip"),
    "walk": Passage("variations", "walks", "walk"),
    "gallery": Passage("gallery", "find-pictures", "gallery"),
    "compare": Passage("gallery", "select-many", "compare"),
    "inspect": Passage("gallery", "read-a-pictures-settings", "inspect_panel"),
    "private": Passage("gallery", "private-mode", "private"),
    "models": Passage("models", "the-sheet-models", "models"),
    "operator": Passage("commands", "settings", "settings"),
    "share": Passage("sharing", "a-public-link", "share"),
}


def help_data() -> dict[str, dict[str, Any]]:
    """What the scripts need: the passages by group, and by part of the page."""
    return {
        "groups": {str(group): asdict(passage) for group, passage in GROUPS.items()},
        "parts": {part: asdict(passage) for part, passage in PARTS.items()},
    }

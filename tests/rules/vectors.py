"""Settings, and what the rules say of them: `vectors.json`, to which both evaluators are held.

The file need not say again which fields a family can do nothing with: that stands in their declarations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui.capabilities import reason_without
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import Family
from webui.requests import Request, from_dict, to_dict
from webui.requests.diffusion import TextToImage
from webui.requests.field_rules import Rule
from webui.requests.fields import field_limits, field_type, needs_of
from webui.requests.style_transfer import StyleTransfer
from webui.rules.evaluate import NO_CHECKPOINT, CheckpointFacts
from webui.rules.sampling import facts_of
from webui.rules.table import rules_of

_FILE = Path(__file__).parent / "vectors.json"


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A settled request for a checkpoint: its inactive fields by their reason, and what is refused, if anything is."""

    request: Request
    family: Family
    clip_layers: int | None
    decoders: tuple[str, ...] | None
    settings: dict[str, Any]  # the request as plain JSON
    rules: tuple[Rule, ...]  # all of the task
    facts: CheckpointFacts
    inactive: Mapping[str, list[str]]
    refused: Mapping[str, Any] | None


def vectors() -> list[Vector]:
    """Those in the file; what their settings leave out is `settled` for each task."""
    content = json.loads(_FILE.read_text("utf-8"))
    return [_read(one, content["settled"][one["task"]]) for one in content["vectors"]]


def _read(one: dict[str, Any], settled: dict[str, Any]) -> Vector:
    request = from_dict({"task": one["task"], **settled, **one["settings"]})
    family, clip_layers = FAMILIES[one.get("family", "sd15")], one.get("clip_layers")
    decoders = tuple(one["decoders"]) if "decoders" in one else None
    said = {name: why for why, names in one["inactive"].items() for name in names}
    return Vector(
        request=request,
        family=family,
        clip_layers=clip_layers,
        decoders=decoders,
        settings=to_dict(request),
        rules=rules_of(type(request)),
        facts=NO_CHECKPOINT if isinstance(request, StyleTransfer) else facts_of(family, clip_layers, decoders),
        inactive=by_reason(_lacking(request, family) | said),
        refused=one.get("refused"),
    )


def numbers_without_use() -> list[Vector]:
    """For each number that some family has no use for, a text to image of such a family that sets it."""
    settled = json.loads(_FILE.read_text("utf-8"))["settled"]["text_to_image"]
    found = []
    for name, needed in needs_of(TextToImage).items():
        family = next(one for one in FAMILIES.values() if one.lacks(needed))
        if not needed.is_refused or field_type(TextToImage, name) not in (int, float):
            continue
        own = {"scheduler": family.defaults.scheduler, "sigmas": family.defaults.sigmas, "variation_seed": 1}
        refused = {"field": name, "reason": reason_without(needed.capabilities[0])}
        limits = field_limits(TextToImage, name)
        other = limits.maximum if limits.default != limits.maximum else limits.minimum
        asked = own | {name: other, "guidance_scale": 7.0}
        one = {"task": "text_to_image", "family": family.id, "settings": asked, "inactive": {}, "refused": refused}
        found.append(_read(one, settled))
    return found


def _lacking(request: Request, family: Family) -> dict[str, str]:
    """The fields that the family has no use for, each with its reason."""
    if isinstance(request, StyleTransfer):
        return {}
    lacking = {name: family.lacks(needed) for name, needed in needs_of(type(request)).items()}
    return {name: reason_without(lacked) for name, lacked in lacking.items() if lacked is not None}


def by_reason(inactive: Mapping[str, str]) -> dict[str, list[str]]:
    """Fields with their reasons as the file has them: the reasons with their fields, by name."""
    return {why: sorted(name for name, reason in inactive.items() if reason == why) for why in inactive.values()}

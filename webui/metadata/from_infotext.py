"""A1111's names as fields of our request. What an extension or a newer relative adds is listed as unknown."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from webui.metadata.findings import FindCheckpoint, Findings, decimal, set_checkpoint, set_size, whole
from webui.metadata.infotext import Infotext
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.field_types import SIDES
from webui.requests.fields import field_type, infotext_names
from webui.requests.infotext_names import FIRST_PASS_SIZE, NEGATIVE_PROMPT, SCHEDULER, Composed, Fact
from webui.requests.style_transfer import LayerWeights, StyleTransfer
from webui.rules.pictures import OF_A_PART
from webui.schedulers import canonical_scheduler, canonical_sigmas, nearest_scheduler

_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")
_NO_SETTINGS = frozenset(name.casefold() for name in (*Composed, *Fact, FIRST_PASS_SIZE, SCHEDULER))
_READERS: Mapping[object, Callable[[str], Any]] = {int: whole, float: decimal}
_HIRES = ("hires upscale", "hires resize", "hires steps", "hires upscaler", FIRST_PASS_SIZE.casefold())
_FIRST_PASS_PIXELS, _FIRST_PASS_STEP = 512 * 512, 64  # what A1111 aimed at by itself, `modules/processing.py` of 2022


def source_of(text: Infotext) -> str:
    """The program that wrote the text, as far as that can be told."""
    version = (text.get(Fact.VERSION) or "").casefold()
    if version.startswith("darkroom"):
        return "darkroom"
    if version.startswith("fooocus"):
        return "fooocus"
    names = {name.casefold() for name in text.pairs}
    if (text.get(Fact.APP) or "").casefold().startswith("sd.next") or {"parser", "pipeline", "operations"} & names:
        return "sdnext"
    if re.match(r"(f\d|neo|classic|forge)", version) or "distilled cfg scale" in names:
        return "forge"
    return "a1111"


def read_settings(text: Infotext, findings: Findings, find: FindCheckpoint) -> None:
    """Enters everything that the text says into `findings`."""
    source = source_of(text)
    if source == "darkroom" and text.get(infotext_names(StyleTransfer)["content_weight"].name):
        _read_style_transfer(text, findings)
        return
    findings.set("prompt", text.prompt, "Prompt")
    if text.negative_prompt:
        findings.set("negative_prompt", text.negative_prompt, NEGATIVE_PROMPT)
    for name, value in text.pairs.items():
        _read_pair(name, value, findings)
    _read_scheduler(text, findings)
    _read_size(text, findings)
    set_checkpoint(findings, find, text.get(Composed.MODEL_HASH), text.get(Composed.MODEL))
    _read_tiling(text, findings)
    _read_origin(text, findings, source)


def _read_style_transfer(text: Infotext, findings: Findings) -> None:
    """Reads our own line for a style transfer, which does not include its two pictures."""
    findings.settings["task"] = "style_transfer"
    layers: dict[str, Any] = {}
    for name, value in text.pairs.items():
        if (field := _field_called(StyleTransfer, name)) is not None:
            findings.set(field, _value(StyleTransfer, field, value), name, value)
        elif (layer := _field_called(LayerWeights, name)) is not None:
            layers[layer] = _value(LayerWeights, layer, value)
    if layers:
        findings.set("layer_weights", layers, "Layer weights", layers)
    findings.note("needs_picture")


def _read_pair(name: str, value: str, findings: Findings) -> None:
    for request in (ImageToImage, TextToImage):
        if (field := _field_called(request, name)) is not None:
            findings.set(field, _value(request, field, value), name, value)
            return
    if name.casefold() not in _NO_SETTINGS:
        findings.refuse(name, value)


def _field_called(request: type, name: str) -> str | None:
    """The field with this name in an infotext, whatever its case."""
    return _fields_by_name(request).get(name.casefold())


@cache
def _fields_by_name(request: type) -> Mapping[str, str]:
    named = infotext_names(request).items()
    return {name.casefold(): field for field, marker in named for name in (marker.name, *marker.aliases)}


def _value(request: type, field: str, said: str) -> Any:
    """The value of this field that a pair's text stands for; None if it is not one."""
    marker = infotext_names(request)[field]
    return marker.read(said) if marker.values else _READERS.get(field_type(request, field), str)(said)


def _read_scheduler(text: Infotext, findings: Findings) -> None:
    sampler, sigmas = text.get(Composed.SAMPLER), text.get(Composed.SCHEDULE_TYPE) or text.get(SCHEDULER)
    if sampler and sampler.casefold() not in ("default", "none"):  # SD.Next's words for the model's own
        found = canonical_scheduler(sampler)
        if found is None:
            findings.refuse(Composed.SAMPLER, sampler)
            if nearest := nearest_scheduler(sampler):
                findings.note("nearest_sampler", sampler=sampler[:60], nearest=nearest)
        else:
            findings.settings["scheduler"] = found[0]
            # an old combined name, or none at all: A1111's sigmas were then the model's own
            findings.settings["sigmas"] = found[1] or "default"
    if sigmas:
        own = canonical_sigmas(sigmas, findings.settings.get("scheduler"))
        if own is None:
            findings.refuse(Composed.SCHEDULE_TYPE, sigmas)
        elif own != "default" or "sigmas" not in findings.settings:
            findings.settings["sigmas"] = own


def _read_size(text: Infotext, findings: Findings) -> None:
    """The picture's size, or that of its first pass if the old hires fix enlarged it."""
    size, first = (text.get(name) for name in (Composed.SIZE, FIRST_PASS_SIZE))
    sides = _SIZE.fullmatch((first or size or "").strip())
    if first and sides and size:
        findings.refuse(Composed.SIZE, size)
        final = _SIZE.fullmatch(size.strip())
        if "0" in (sides[1], sides[2]) and final and int(final[1]) * int(final[2]) > 0:
            width, height = int(final[1]), int(final[2])
            scale = math.sqrt(_FIRST_PASS_PIXELS / (width * height))
            set_size(
                findings, *(math.ceil(scale * side / _FIRST_PASS_STEP) * _FIRST_PASS_STEP for side in (width, height))
            )
            return
    if sides or size:
        set_size(findings, *(sides.groups() if sides else (size, "")))


def _read_tiling(text: Infotext, findings: Findings) -> None:
    along = [
        axis
        for axis, name in (("x", Composed.TILE_X), ("y", Composed.TILE_Y))
        if (text.get(name) or "").casefold() == "true"
    ]
    if (text.get(Composed.TILING) or "").casefold() == "true" or len(along) == 2:
        findings.settings["tiling"] = "both"
    elif along:
        findings.settings["tiling"] = along[0]


def _read_origin(text: Infotext, findings: Findings, source: str) -> None:
    """Notes whether the picture came from another one, and whose noise it is made of where the line leaves that out."""
    names = {name.casefold() for name in text.pairs}
    is_hires = not names.isdisjoint(_HIRES)
    findings.settings["task"] = "text_to_image"
    if "denoising_strength" in findings.settings and is_hires:
        of_second_pass = findings.settings.pop("denoising_strength")
        findings.refuse(infotext_names(ImageToImage)["denoising_strength"].name, of_second_pass)
        findings.note("hires")
    elif "denoising_strength" in findings.settings:
        findings.settings["task"] = "image_to_image"
        findings.note("needs_picture")
        if findings.settings.keys() & set(OF_A_PART) and not findings.settings.keys() & set(SIDES):
            findings.note("needs_mask")
    if "seed" in findings.settings and source in ("a1111", "forge"):
        findings.settings.setdefault("noise_source", "nv")

"""A1111's names as fields of our request. What an extension or a newer relative adds is listed as unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from webui.metadata.findings import FindCheckpoint, Findings, decimal, set_checkpoint, set_size, whole
from webui.metadata.infotext import Infotext
from webui.requests import SIDES
from webui.rules.pictures import OF_A_PART, RESIZE_LABELS, SIDE_LABELS
from webui.rules.style import LAYER_LABELS, STYLE_LABELS
from webui.schedulers import canonical_scheduler, canonical_sigmas, nearest_scheduler

_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")
# Their name, without case → our field and how the value is read.
_NUMBERS: Mapping[str, tuple[str, Callable[[str], int | float | None]]] = {
    "steps": ("steps", whole),
    "cfg scale": ("guidance_scale", decimal),
    "seed": ("seed", whole),
    "denoising strength": ("denoising_strength", decimal),
    "clip skip": ("clip_skip", whole),
    "variation seed": ("variation_seed", whole),
    "variation seed strength": ("variation_strength", decimal),
    "cfg rescale": ("guidance_rescale", decimal),
    "cfg rescale phi": ("guidance_rescale", decimal),
    "skip early cfg": ("guidance_start", decimal),
    "guidance end": ("guidance_end", decimal),
    "eta": ("eta", decimal),
    "eta ddim": ("eta", decimal),
    "mask blur": ("mask_blur", whole),
    "masked area padding": ("inpaint_padding", whole),
    **{label.casefold(): (name, whole) for label, name in SIDE_LABELS.items()},
}
# Their name → our field, and what each of their values is.
_CHOICES: Mapping[str, tuple[str, Mapping[str, str | bool]]] = {
    "mask mode": ("mask_mode", {"inpaint masked": "masked", "inpaint not masked": "not_masked"}),
    "inpaint area": ("inpaint_area", {"whole picture": "whole_picture", "only masked": "only_masked"}),
    "masked content": (
        "masked_content",
        {name.replace("_", " "): name for name in ("fill", "original", "latent_noise", "latent_nothing")},
    ),
    "soft inpainting enabled": ("soft_inpainting", {"true": True, "false": False}),
    "resize mode": ("resize_mode", {label.casefold(): name for name, label in RESIZE_LABELS.items()}),
}
# Said of the file or of what happened, and nothing that a request could ask for.
_NO_SETTINGS = frozenset({
    "version", "app", "model hash", "vae hash", "lora hashes", "picture size", "steps run", "fallback", "best of",
    "best of score", "best of critic", "branch",
})  # fmt: skip
_READ_ELSEWHERE = frozenset({"sampler", "schedule type", "size", "model", "tiling", "tile x", "tile y", "rng"})
_EMPHASIS = {"original": "original", "no norm": "no_norm"}
_HIRES = ("hires upscale", "hires resize", "hires steps", "hires upscaler")


def source_of(text: Infotext) -> str:
    """Which program wrote it, as far as that can be told."""
    version = (text.get("Version") or "").casefold()
    if version.startswith("darkroom"):
        return "darkroom"
    names = {name.casefold() for name in text.pairs}
    if (text.get("App") or "").casefold().startswith("sd.next") or {"parser", "pipeline", "operations"} & names:
        return "sdnext"
    if re.match(r"(f\d|neo|classic|forge)", version) or "distilled cfg scale" in names:
        return "forge"
    return "a1111"


def read_settings(text: Infotext, findings: Findings, find: FindCheckpoint) -> None:
    """Everything that the text says, into `findings`."""
    source = source_of(text)
    if source == "darkroom" and text.get("Content weight"):
        _read_style_transfer(text, findings)
        return
    findings.set("prompt", text.prompt, "Prompt")
    if text.negative_prompt:
        findings.set("negative_prompt", text.negative_prompt, "Negative prompt")
    for name, value in text.pairs.items():
        _read_pair(name, value, findings)
    _read_scheduler(text, findings)
    if size := text.get("Size"):
        sides = _SIZE.fullmatch(size.strip())
        set_size(findings, *(sides.groups() if sides else (size, "")))
    set_checkpoint(findings, find, text.get("Model hash"), text.get("Model"))
    _read_tiling(text, findings)
    _read_origin(text, findings, source)


def _read_style_transfer(text: Infotext, findings: Findings) -> None:
    """Our own line for a style transfer; its two pictures are not in it."""
    findings.settings["task"] = "style_transfer"
    for name, field in (
        ("Steps", "iterations"),
        ("Content weight", "content_weight"),
        ("Style weight", "style_weight"),
    ):
        value = text.get(name) or ""
        findings.set(field, whole(value) if field == "iterations" else decimal(value), name, value)
    for name, field in STYLE_LABELS.items():
        if (said := text.get(name)) is not None:
            number = decimal(said)
            findings.set(field, said if number is None else number, name, said)
    layers = {field: decimal(said) for name, field in LAYER_LABELS.items() if (said := text.get(name)) is not None}
    if layers:
        findings.set("layer_weights", layers, "Layer weights", layers)
    findings.set("seed", whole(text.get("Seed")), "Seed", text.get("Seed"))
    findings.note("needs_picture")


def _read_pair(name: str, value: str, findings: Findings) -> None:
    known = name.casefold()
    if known in _NUMBERS:
        field, read = _NUMBERS[known]
        findings.set(field, read(value), name, value)
    elif known in _CHOICES and value.casefold() in _CHOICES[known][1]:
        field, meanings = _CHOICES[known]
        findings.settings[field] = meanings[value.casefold()]
    elif known == "emphasis" and value.casefold() in _EMPHASIS:
        findings.settings["emphasis"] = _EMPHASIS[value.casefold()]
    elif known == "prompt dialect" and value == "Compel":
        findings.settings["prompt_dialect"] = "compel"
    elif known not in _NO_SETTINGS | _READ_ELSEWHERE:
        findings.refuse(name, value)


def _read_scheduler(text: Infotext, findings: Findings) -> None:
    sampler, sigmas = text.get("Sampler"), text.get("Schedule type")
    if sampler and sampler.casefold() not in ("default", "none"):  # SD.Next's words for the model's own
        found = canonical_scheduler(sampler)
        if found is None:
            findings.refuse("Sampler", sampler)
            if nearest := nearest_scheduler(sampler):
                findings.note("nearest_sampler", sampler=sampler[:60], nearest=nearest)
        else:
            findings.settings["scheduler"] = found[0]
            # an old combined name, or none at all: A1111's sigmas were then the model's own
            findings.settings["sigmas"] = found[1] or "default"
    if sigmas:
        own = canonical_sigmas(sigmas, findings.settings.get("scheduler"))
        if own is None:
            findings.refuse("Schedule type", sigmas)
        elif own != "default" or "sigmas" not in findings.settings:
            findings.settings["sigmas"] = own


def _read_tiling(text: Infotext, findings: Findings) -> None:
    along = [axis for axis in "xy" if (text.get(f"Tile {axis}") or "").casefold() == "true"]
    if (text.get("Tiling") or "").casefold() == "true" or len(along) == 2:
        findings.settings["tiling"] = "both"
    elif along:
        findings.settings["tiling"] = along[0]


def _read_origin(text: Infotext, findings: Findings, source: str) -> None:
    """Whether a picture came from another one, and whether its noise can be drawn again."""
    names = {name.casefold() for name in text.pairs}
    is_hires = not names.isdisjoint(_HIRES)
    findings.settings["task"] = "text_to_image"
    if "denoising_strength" in findings.settings and is_hires:
        findings.refuse("Denoising strength", findings.settings.pop("denoising_strength"))  # of the second pass
        findings.note("hires")
    elif "denoising_strength" in findings.settings:
        findings.settings["task"] = "image_to_image"
        findings.note("needs_picture")
        if findings.settings.keys() & set(OF_A_PART) and not findings.settings.keys() & set(SIDES):
            findings.note("needs_mask")
    if "seed" in findings.settings and source in ("a1111", "forge") and (text.get("RNG") or "GPU").upper() != "CPU":
        findings.note("other_noise")

"""What other programs say about a picture, as fields of our request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from webui.metadata.described import Described
from webui.metadata.findings import FindCheckpoint, Findings, decimal, set_checkpoint, set_size, whole
from webui.schedulers import canonical_scheduler, canonical_sigmas, nearest_scheduler


def _same(value: Any) -> Any:
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "prompt": _same,
    "negative_prompt": _same,
    "prompt_dialect": _same,
    "tiling": _same,
    "seed": whole,
    "steps": whole,
    "clip_skip": whole,
    "guidance_scale": decimal,
    "guidance_rescale": decimal,
    "denoising_strength": decimal,
}
_ENDINGS = {" trailing": "sgm_uniform", " ays": "ays", "_gpu": None, "_cpu": None}  # Draw Things' and ComfyUI's
_OWN_SIGMAS = ("native", "normal", "model")  # words for those of the checkpoint


def read_described(described: Described, findings: Findings, find: FindCheckpoint) -> None:
    """Enters everything that a program says into `findings`."""
    values, names = described.values, described.names
    findings.settings["task"] = "text_to_image"
    for name, read in _READERS.items():
        if values.get(name) is not None:
            findings.set(name, read(values[name]), names.get(name, name), values[name])
    if "width" in values or "height" in values:
        set_size(findings, values.get("width"), values.get("height"))
    _read_sampler(described, findings)
    said = (values.get(one) for one in ("checkpoint_hash", "checkpoint"))
    set_checkpoint(findings, find, *(one if isinstance(one, str) and one else None for one in said))
    for lora, weight in described.loras:
        findings.refuse("LoRA", f"{lora}: {weight}")
    for name, value in described.rest.items():
        findings.refuse(name, value)
    for code in described.notes:
        findings.note(code)
    if "denoising_strength" in findings.settings:
        findings.settings["task"] = "image_to_image"
        findings.note("needs_picture")


def _read_sampler(described: Described, findings: Findings) -> None:
    sampler, schedule = (described.values.get(name) for name in ("sampler", "schedule"))
    if isinstance(sampler, str) and sampler:
        plain, sigmas = sampler.strip(), None
        for ending, meant in _ENDINGS.items():
            if plain.casefold().endswith(ending):
                plain, sigmas = plain[: -len(ending)], meant
        found = canonical_scheduler(plain)
        if found is None:
            findings.refuse("Sampler", sampler)
            if nearest := nearest_scheduler(plain):
                findings.note("nearest_sampler", sampler=sampler[:60], nearest=nearest)
        else:
            findings.settings["scheduler"] = found[0]
            findings.settings["sigmas"] = found[1] or sigmas or "default"
    if isinstance(schedule, str) and schedule:
        own = "default" if schedule.casefold() in _OWN_SIGMAS else canonical_sigmas(schedule)
        if own is None:
            findings.refuse("Scheduler", schedule)
        elif own != "default" or "sigmas" not in findings.settings:
            findings.settings["sigmas"] = own

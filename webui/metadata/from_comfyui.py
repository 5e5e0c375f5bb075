"""What ComfyUI's graph says, as fields of our request."""

from __future__ import annotations

import re

from webui.metadata.comfyui import ComfyPicture
from webui.metadata.findings import FindCheckpoint, Findings, decimal, set_checkpoint, set_size, whole
from webui.schedulers import canonical_scheduler, canonical_sigmas

# ComfyUI's samplers that only compute their noise elsewhere, and its `normal` sigmas, which are the model's own.
_SUFFIXES = ("_gpu", "_cpu")
_SIGMAS = {"normal": "default"}
_FIELDS = {"cfg": "guidance_scale", "sampler_name": "scheduler", "scheduler": "sigmas", "denoise": "denoising_strength"}
_WEIGHTS = re.compile(r"\([^()]{1,200}\)")


def read_picture(picture: ComfyPicture, findings: Findings, find: FindCheckpoint) -> None:
    """Enters everything that the graph says into `findings`."""
    values = picture.values
    for name, field in (("positive", "prompt"), ("negative", "negative_prompt")):
        if isinstance(values.get(name), str):
            findings.set(field, values[name], field)
    for name, field, read in (
        ("seed", "seed", whole),
        ("steps", "steps", whole),
        ("cfg", "guidance_scale", decimal),
        ("batch_size", "num_images", whole),
    ):
        if name in values:
            findings.set(field, read(values[name]), name, values[name])
    if "width" in values or "height" in values:
        set_size(findings, values.get("width"), values.get("height"))
    _read_scheduler(picture, findings)
    if "stop_at_clip_layer" in values:
        layer = whole(values["stop_at_clip_layer"])
        findings.set("clip_skip", -layer if layer is not None else None, "stop_at_clip_layer", layer)
    checkpoint = values.get("ckpt_name")
    set_checkpoint(findings, find, None, checkpoint if isinstance(checkpoint, str) else None)
    for name, strength in picture.loras:
        findings.refuse("LoRA", f"{name}: {strength}")
    for name, text in picture.others:
        findings.refuse(name, text)
    _read_origin(picture, findings)


def _read_scheduler(picture: ComfyPicture, findings: Findings) -> None:
    sampler, sigmas = (str(picture.values.get(name, "")) for name in ("sampler_name", "scheduler"))
    plain = sampler
    for suffix in _SUFFIXES:
        plain = plain.removesuffix(suffix)
    found = canonical_scheduler(plain) if plain else None
    if found is not None:
        findings.settings["scheduler"] = found[0]
    elif sampler:
        findings.refuse("sampler_name", sampler)
    own = _SIGMAS.get(sigmas) or canonical_sigmas(sigmas)
    if own is not None:
        findings.settings["sigmas"] = own
    elif sigmas:
        findings.refuse("scheduler", sigmas)


def _read_origin(picture: ComfyPicture, findings: Findings) -> None:
    findings.settings["task"] = "text_to_image"
    denoise = decimal(picture.values.get("denoise", 1))
    if picture.has_init_image and denoise is not None:
        findings.settings["task"] = "image_to_image"
        findings.set("denoising_strength", denoise, "denoise")
        findings.note("needs_picture")
    if picture.samplers > 1:
        findings.note("several_samplers", count=picture.samplers)
    if picture.joined:
        findings.note("joined_prompts", count=picture.joined)
    if picture.unfollowed:
        names = (_FIELDS.get(name, name) for name in picture.unfollowed)
        findings.note("not_followed", names=", ".join(dict.fromkeys(names)))
    if _WEIGHTS.search(str(picture.values.get("positive", ""))[:20_000]):
        findings.note("other_weights")

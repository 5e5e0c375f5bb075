"""What other programs write about a picture, besides A1111's line and ComfyUI's graph.

Each has a function that takes the texts of a picture by name and returns what they say, or None if they are not its
own; pasted JSON has no name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from webui.metadata.described import MAX_LORAS, PASTED, Described, Texts, dict_of, json_in, list_of, set_sides, taken
from webui.metadata.invokeai import invokeai
from webui.metadata.novelai import novelai


def described(texts: Texts) -> Described | None:
    """What the first program says that recognises these texts as its own."""
    return next((found for read in _PROGRAMS if (found := read(texts)) is not None), None)


def described_in(text: str) -> Described | None:
    """The same for a pasted text."""
    return described({PASTED: text})


# Fooocus 2.2 and later, `modules/meta_parser.py`; its forks before wrote the same names with capitals
_FOOOCUS = {
    "prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed", "steps": "steps", "sampler": "sampler",
    "guidance_scale": "guidance_scale", "scheduler": "schedule", "base_model": "checkpoint",
    "base_model_hash": "checkpoint_hash", "clip_skip": "clip_skip",
}  # fmt: skip


def _fooocus(texts: Texts) -> Described | None:
    said = json_in(texts, "parameters", "UserComment", "Comment")
    said = {name.casefold().replace(" ", "_"): value for name, value in said.items()}
    if "prompt" not in said or "base_model" not in said or not {"performance", "sharpness", "styles"} & said.keys():
        return None
    loras = {name: value for name, value in said.items() if name.startswith("lora_combined_")}
    left_out = ("resolution", "version", "metadata_scheme", "loras", "full_negative_prompt", *loras)
    found = taken("fooocus", said, _FOOOCUS, left_out)
    set_sides(found, said.get("resolution"))
    for one in list_of(said.get("loras")):
        if isinstance(one, list) and len(one) >= 2:
            found.loras.append((str(one[0]), str(one[1])))
    if not found.loras:
        split = (str(value).partition(" : ") for value in list(loras.values())[:MAX_LORAS])
        found.loras = [(name, weight) for name, _, weight in split]
    if said.get("styles") not in (None, "", "[]", []):
        found.note("styles")
    return found


# SwarmUI 0.6 and later
_SWARMUI = {
    "prompt": "prompt", "negativeprompt": "negative_prompt", "seed": "seed", "steps": "steps",
    "cfgscale": "guidance_scale", "sampler": "sampler", "scheduler": "schedule", "width": "width", "height": "height",
    "model": "checkpoint", "initimagecreativity": "denoising_strength",
}  # fmt: skip


def _swarmui(texts: Texts) -> Described | None:
    said = dict_of(json_in(texts, "parameters", "UserComment").get("sui_image_params"))
    if not said:
        return None
    left_out = ("loras", "loraweights", "clipstopatlayer", "fluxguidancescale", "swarm_version", "date", "images")
    found = taken("swarmui", said, _SWARMUI, left_out)
    if isinstance(layer := said.get("clipstopatlayer"), int):
        found.values["clip_skip"] = -layer
    if (guidance := said.get("fluxguidancescale")) is not None:
        found.values["guidance_scale"], found.names["guidance_scale"] = guidance, "fluxguidancescale"
    weights = list_of(said.get("loraweights"))
    for index, lora in enumerate(list_of(said.get("loras"))):
        found.loras.append((str(lora), str(weights[index]) if index < len(weights) else "1"))
    return found


# Easy Diffusion 2.5 and 3: names of its requests, or the words for them
_EASY_DIFFUSION = {
    "prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed", "num_inference_steps": "steps",
    "steps": "steps", "guidance_scale": "guidance_scale", "sampler_name": "sampler", "sampler": "sampler",
    "width": "width", "height": "height", "use_stable_diffusion_model": "checkpoint",
    "stable_diffusion_model": "checkpoint", "prompt_strength": "denoising_strength",
}  # fmt: skip
_EASY_DIFFUSION_LINE = re.compile(r"^([A-Z][A-Za-z ]{2,40}):[ \t]*([^\n]*)$", re.MULTILINE)


def _easy_diffusion(texts: Texts) -> Described | None:
    whole = json_in(texts, "UserComment")
    said: dict[str, Any] = dict_of(whole.get("reqBody")) or whole or dict(texts)
    if isinstance(pasted := said.get(PASTED), str) and pasted.startswith("Prompt:"):
        said = dict(_EASY_DIFFUSION_LINE.findall(pasted[:100_000]))
    said = {name.casefold().replace(" ", "_"): value for name, value in said.items()}
    is_ours = "num_inference_steps" in said or {"guidance_scale", "stable_diffusion_model"} <= said.keys()
    if not is_ours or not isinstance(said.get("prompt"), str) or "seed" not in said:
        return None
    left_out = ("clip_skip", "tiling", "seamless_tiling", "use_lora_model", "lora_model", "lora_alpha", "lora_strength",
                "init_image", "darkroom", "numoutputstotal", "num_outputs", "session_id")  # fmt: skip
    found = taken("easydiffusion", said, _EASY_DIFFUSION, left_out)
    found.values["clip_skip"] = 2 if str(said.get("clip_skip")).casefold() == "true" else None
    along = str(said.get("tiling") or said.get("seamless_tiling")).casefold()
    found.values["tiling"] = {"xy": "both", "x": "x", "y": "y"}.get(along)
    loras, weights = (said.get(one) or said.get(two) for one, two in (left_out[3:5], left_out[5:7]))
    names = loras if isinstance(loras, list) else [loras] if loras not in (None, "", "None") else []
    given = weights if isinstance(weights, list) else [weights]
    for index, lora in enumerate(names[:MAX_LORAS]):
        found.loras.append((str(lora), str(given[index] if index < len(given) else 1)))
    return found


# Draw Things, in XMP
_DRAW_THINGS = {
    "c": "prompt", "uc": "negative_prompt", "seed": "seed", "steps": "steps", "scale": "guidance_scale",
    "sampler": "sampler", "model": "checkpoint",
}  # fmt: skip


def _draw_things(texts: Texts) -> Described | None:
    said = json_in(texts, "XMP UserComment", "UserComment")
    if not isinstance(said.get("c"), str) or "seed" not in said or "size" not in said:
        return None
    found = taken("drawthings", said, _DRAW_THINGS, ("size", "strength", "lora", "v2", "profile"))
    set_sides(found, said.get("size"))
    strength = said.get("strength")
    if isinstance(strength, int | float) and strength < 1:
        found.values["denoising_strength"] = strength
    for lora in map(dict_of, list_of(said.get("lora"))):
        found.loras.append((str(lora.get("model")), str(lora.get("weight"))))
    return found


_PROGRAMS: tuple[Callable[[Texts], Described | None], ...] = (
    _swarmui,
    _fooocus,
    _draw_things,
    novelai,
    invokeai,
    _easy_diffusion,
)

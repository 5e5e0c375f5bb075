"""NovelAI's texts."""

from __future__ import annotations

import re

from webui.metadata.described import Described, Texts, dict_of, json_in, list_of, taken
from webui.metadata.novelai_weights import as_a1111_weights

# NovelAI, Diffusion 1 to 4.5
_NOVELAI = {
    "prompt": "prompt", "uc": "negative_prompt", "seed": "seed", "steps": "steps", "scale": "guidance_scale",
    "cfg_rescale": "guidance_rescale", "sampler": "sampler", "noise_schedule": "schedule", "width": "width",
    "height": "height",
}  # fmt: skip
_NOVELAI_OTHER = (
    "strength", "request_type", "v4_prompt", "v4_negative_prompt", "signed_hash", "n_samples", "version",
    "uncond_scale",
)  # fmt: skip


def novelai(texts: Texts) -> Described | None:
    """What NovelAI says; None if it did not write these texts."""
    nested = json_in(texts, "UserComment")  # of a WebP: all the texts of a PNG as one object
    if isinstance(nested.get("Comment"), str) and "Software" in nested:
        texts = {name: value for name, value in nested.items() if isinstance(value, str)}
    said = json_in(texts, "Comment")
    is_ours = texts.get("Software") == "NovelAI" or "uc" in said
    if not is_ours or not {"uc", "v4_negative_prompt"} & said.keys() or "sampler" not in said or "scale" not in said:
        return None
    found = taken("novelai", said, _NOVELAI, _NOVELAI_OTHER)
    for name, key in (("prompt", "v4_prompt"), ("negative_prompt", "v4_negative_prompt")):
        caption = dict_of(dict_of(said.get(key)).get("caption"))
        if isinstance(caption.get("base_caption"), str):
            found.values[name] = caption["base_caption"]
        for character in map(dict_of, list_of(caption.get("char_captions"))):
            if text := character.get("char_caption"):
                found.rest[f"{name} of character {len(found.rest) + 1}"] = text
    if not isinstance(found.values.get("prompt"), str):
        found.values["prompt"] = texts.get("Description", "")
    for name in ("prompt", "negative_prompt"):
        found.values[name], is_sure = as_a1111_weights(str(found.values.get(name, "")))
        if not is_sure:
            found.note("novelai_weights")
    if re.search(r"img2img|infill", str(said.get("request_type")), re.IGNORECASE):
        found.values["denoising_strength"] = said.get("strength")
    found.values["checkpoint"] = texts.get("Source")
    return found

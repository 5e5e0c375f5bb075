"""InvokeAI's texts: JSON of versions 3 to 6 and 2, and the command line of version 1."""

from __future__ import annotations

import re

from webui.metadata.described import PASTED, Described, Texts, dict_of, json_in, list_of, taken

_BRACKETED = re.compile(r"\[([^\[\]]{1,5000})\]")
_DREAM = re.compile(r'\s*"(.{0,10000})"([^"]*)', re.DOTALL)
_DREAM_OPTION = re.compile(r"(?<!\S)(--\w+|-[sSWHCAfI])[ =]?(\S{1,200})")
_COMPEL = re.compile(r"\)[\d+-]|\w[+-]{2,}|\w\+(?!\w)|\)\.(?:and|blend|swap)\(")
# InvokeAI 3 to 6, `invokeai/app/invocations/metadata.py`
_INVOKEAI = {
    "positive_prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed", "steps": "steps",
    "cfg_scale": "guidance_scale", "cfg_rescale_multiplier": "guidance_rescale", "scheduler": "sampler",
    "width": "width", "height": "height",
}  # fmt: skip
_INVOKEAI_OTHER = (
    "model", "loras", "strength", "init_image", "rand_device", "generation_mode", "app_version", "clip_skip",
    "guidance", "seamless_x", "seamless_y", "canvas_v2_metadata", "hrf_enabled",
)  # fmt: skip


def invokeai(texts: Texts) -> Described | None:
    """What InvokeAI says, in any version; None if it did not write these texts."""
    said = json_in(texts, "invokeai_metadata")
    if not isinstance(said.get("positive_prompt"), str):
        return _invokeai_2(texts)
    found = taken("invokeai", said, _INVOKEAI, _INVOKEAI_OTHER)
    model = dict_of(said.get("model"))
    hash = model.get("hash")
    found.values["checkpoint"] = model.get("name") or model.get("model_name")
    found.values["checkpoint_hash"] = hash if isinstance(hash, str) and ":" not in hash else None  # else BLAKE3
    if isinstance(said.get("clip_skip"), int):
        found.values["clip_skip"] = said["clip_skip"] + 1  # theirs are the layers that are left out
    if isinstance(said.get("guidance"), int | float):
        found.values["guidance_scale"], found.names["guidance_scale"] = said["guidance"], "guidance"  # of FLUX
    mode = str(said.get("generation_mode"))
    if "img2img" in mode or "paint" in mode or said.get("init_image"):
        found.values["denoising_strength"] = said.get("strength")
    if "paint" in mode:
        found.note("needs_mask")
    if said.get("hrf_enabled"):
        found.note("hires")
    if str(said.get("rand_device")) not in ("cpu", "None"):
        found.note("other_noise")
    along = (said.get("seamless_x") is True, said.get("seamless_y") is True)
    found.values["tiling"] = {(True, True): "both", (True, False): "x", (False, True): "y"}.get(along)
    for lora in map(dict_of, list_of(said.get("loras"))):
        named = dict_of(lora.get("model") or lora.get("lora"))
        found.loras.append((str(named.get("name") or named.get("model_name")), str(lora.get("weight"))))
    return _with_compel(found)


def _invokeai_2(texts: Texts) -> Described | None:
    """InvokeAI 2, `sd-metadata`, and before it (as lstein/stable-diffusion) only the command, `Dream`."""
    said = json_in(texts, "sd-metadata")
    image = dict_of(said.get("image"))
    if not image or "sampler" not in image:
        return _dream(texts.get("Dream") or texts.get("dream") or texts.get(PASTED, ""))
    ours = {name: name for name in ("seed", "steps", "sampler", "width", "height")} | {"cfg_scale": "guidance_scale"}
    left_out = ("prompt", "type", "strength", "init_image_path", "hires_fix", "seamless", "orig_hash")
    found = taken("invokeai", image, ours, left_out)
    listed = image.get("prompt")
    texts_said = [dict_of(one).get("prompt") for one in list_of(listed)] if isinstance(listed, list) else [listed]
    _split_negative(found, ", ".join(text for text in texts_said if isinstance(text, str)))
    found.values["checkpoint"], found.values["checkpoint_hash"] = said.get("model_weights"), said.get("model_hash")
    if image.get("type") == "img2img":
        found.values["denoising_strength"] = image.get("strength")
    if image.get("hires_fix"):
        found.note("hires")
    found.values["tiling"] = "both" if image.get("seamless") is True else None
    return _with_compel(found)


def _dream(text: str) -> Described | None:
    """`"a lake [fog]" -s50 -S7 -W512 -H512 -C7.5 -Ak_lms`, of InvokeAI 1 and 2."""
    parts = _DREAM.fullmatch(text[:20_000])
    options = dict(_DREAM_OPTION.findall(parts[2])) if parts else {}
    if parts is None or not {"-S", "--seed"} & options.keys() or not {"-s", "--steps"} & options.keys():
        return None
    ours = {
        "-s": "steps", "--steps": "steps", "-S": "seed", "--seed": "seed", "-W": "width", "--width": "width",
        "-H": "height", "--height": "height", "-C": "guidance_scale", "--cfg_scale": "guidance_scale", "-A": "sampler",
        "--sampler": "sampler", "-f": "denoising_strength", "--strength": "denoising_strength",
    }  # fmt: skip
    found = taken("invokeai", options, ours)
    _split_negative(found, parts[1])
    if not {"-I", "--init_img"} & options.keys():
        found.values.pop("denoising_strength", None)
    return _with_compel(found)


def _split_negative(found: Described, prompt: str) -> None:
    """In InvokeAI 2, the negative prompt is in brackets within the prompt."""
    found.values["prompt"] = _BRACKETED.sub("", prompt).strip()
    found.values["negative_prompt"] = ", ".join(text.strip() for text in _BRACKETED.findall(prompt))


def _with_compel(found: Described) -> Described:
    """Its prompts use Compel's dialect, whose weights mean something else to A1111."""
    said = "\n".join(str(found.values.get(name))[:20_000] for name in ("prompt", "negative_prompt"))
    if _COMPEL.search(said):
        found.values["prompt_dialect"] = "compel"
    return found

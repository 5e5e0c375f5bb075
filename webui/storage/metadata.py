"""What a picture's file says about itself: the whole request, A1111's line of text, and that a machine made it.

In a PNG these are text chunks; `webui/storage/formats.py` carries the same texts over into JPEG and WebP. Nothing
private goes in: no owner, no host, no path; pictures that went in appear by their sha256 alone. Knows the request, but
no database and no file.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from webui import __version__
from webui.prompts.settle import with_looks
from webui.requests import ImageToImage, Request, StyleTransfer, TextToImage, to_dict
from webui.rules.branches import count_steps, seed_alone
from webui.rules.pictures import RESIZE_LABELS, added_to
from webui.rules.style import LAYER_LABELS, STYLE_LABELS
from webui.schedulers import SCHEDULERS, canonical_sigmas
from webui.worker.messages import RawImage

log = logging.getLogger(__name__)

Pairs = dict[str, str | int | float | None]

# Pillow refuses to open a text chunk over 1 MiB, its own ones too; a quarter of that is far more than a request needs.
MAX_METADATA_BYTES = 256 * 1024  # of all that is ours in one file
_SHORT_HASH = 10  # digits that A1111 writes of a sha256

# IPTC's vocabulary for how a picture came to be; readers look for it in XMP, as Iptc4xmpExt:DigitalSourceType.
TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
><Iptc4xmpExt:DigitalSourceType>{TRAINED_ALGORITHMIC_MEDIA}</Iptc4xmpExt:DigitalSourceType>%s</rdf:Description
></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""

# A1111's names for its schedule types, and of its two settings of eta.
_SIGMAS_LABELS = {"sgm_uniform": "SGM Uniform", "ays": "Align Your Steps"}
_ETA_LABELS = {"ddim": "Eta DDIM"}


def png_info(request: Request, image: RawImage) -> PngInfo:
    """All text chunks of one picture, at most MAX_METADATA_BYTES of ours; the whole request comes before all else."""
    chunks = PngInfo()
    text = _within(MAX_METADATA_BYTES, darkroom_json(request, image), darkroom_json(request, image, with_info=False))
    if text is not None:
        chunks.add_itxt("darkroom", text)
    left = MAX_METADATA_BYTES - len((text or "").encode())
    parameters = _within(left, infotext(request, image), infotext(request, image, with_templates=False))
    if parameters is not None:
        chunks.add_text("parameters", parameters)  # tEXt where it is Latin-1, else iTXt, as A1111 writes it
    chunks.add_itxt("XML:com.adobe.xmp", xmp())
    return chunks


def xmp(more: str = "") -> str:
    """The XMP packet that marks a picture as made by a machine; `more` is further properties, as XML."""
    return _XMP % more


def darkroom_json(request: Request, image: RawImage, *, with_info: bool = True) -> str:
    """`{"request", "seed", "version", "info"}`: what was asked for, and what really happened."""
    asked = to_dict(request)
    if asked.get("resolved_prompts"):
        # they are those of all images; this one's are in the info
        asked |= {"resolved_prompts": None, "resolved_from": None}
    values: dict[str, Any] = {"request": asked, "seed": image.seed, "version": __version__}
    if with_info and image.info:
        values["info"] = image.info
    return json.dumps(values, ensure_ascii=False)


def read_darkroom(image: Image.Image) -> dict[str, Any] | None:
    """What `darkroom_json` wrote into an opened PNG; None where there is no such thing or it cannot be read."""
    return parse_darkroom(getattr(image, "text", {}).get("darkroom"))


def parse_darkroom(text: object) -> dict[str, Any] | None:
    """The same for the text itself."""
    if not isinstance(text, str) or len(text) > MAX_METADATA_BYTES:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("request"), dict):
        return None
    return values if isinstance(values.get("seed"), int) else None


def infotext(request: Request, image: RawImage, *, with_templates: bool = True) -> str:
    """The line that A1111 and its relatives read: prompt, negative prompt, and `Name: value` pairs with commas.

    A value with a comma, colon or line break in it is quoted as JSON, as A1111 does. A line of a prompt that begins
    with `Negative prompt:` cannot be written so that they read it back; our own JSON keeps it as it is.
    """
    pairs: Pairs
    match request:
        case StyleTransfer():
            lines = []
            pairs = {"Steps": request.iterations, "Seed": image.seed, "Size": f"{image.width}x{image.height}"}
            pairs |= {"Content weight": request.content_weight, "Style weight": request.style_weight}
            pairs |= _style_pairs(request)
        case TextToImage() | ImageToImage():
            prompt = str(image.info.get("prompt", request.prompt))
            negative_prompt = str(image.info.get("negative_prompt", request.negative_prompt))
            lines = [prompt]
            if negative_prompt:
                lines.append(f"Negative prompt: {negative_prompt}")
            pairs = _diffusion_pairs(request, image) | (_templates(request, image) if with_templates else {})
    pairs |= _what_happened(request, image)
    pairs["Version"] = f"Darkroom {__version__}"
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items() if value is not None))
    return "\n".join(lines)


def _diffusion_pairs(request: TextToImage | ImageToImage, image: RawImage) -> Pairs:
    labels = {scheduler.id: scheduler.name for scheduler in SCHEDULERS}
    sigmas = request.sigmas or "default"
    return {
        "Steps": request.steps,
        "Sampler": labels.get(request.scheduler or "", request.scheduler),
        "Schedule type": _schedule_type(request.scheduler, sigmas),
        "CFG scale": request.guidance_scale,
        "Seed": image.seed,
        "Size": _size(request, image),
        "Model hash": _short(image.info.get("checkpoint_hash")),
        "Model": (request.checkpoint or "").rpartition("/")[2] or None,
        "VAE hash": _short(image.info.get("vae_hash")),
        "Lora hashes": image.info.get("lora_hashes"),
        **_variation(request, image),
        **(_picture_pairs(request) if isinstance(request, ImageToImage) else {}),
        "Clip skip": request.clip_skip if request.clip_skip > 1 else None,
        "RNG": "CPU",  # where all noise is drawn, on every device
        **_tiling(request),
        **_guidance(request),
        _ETA_LABELS.get(request.scheduler or "", "Eta"): request.eta,
        "Emphasis": "No norm" if request.emphasis == "no_norm" else None,
        "Prompt dialect": "Compel" if request.prompt_dialect == "compel" else None,
    }


def _style_pairs(request: StyleTransfer) -> Pairs:
    """What of a style transfer is not at its default, in our own names; A1111 has none. Pictures are not in it."""
    plain = StyleTransfer(content_image=request.content_image, style_image=request.style_image)
    named = {label: (request, plain, name) for label, name in STYLE_LABELS.items()}
    layers = {label: (request.layer_weights, plain.layer_weights, name) for label, name in LAYER_LABELS.items()}
    return {
        label: getattr(asked, name)
        for label, (asked, default, name) in (named | layers).items()
        if getattr(asked, name) != getattr(default, name)
    }


def _size(request: TextToImage | ImageToImage, image: RawImage) -> str:
    """What was asked for where the picture differs by what was added or kept around it, so that it means the same read
    back; as in A1111, whose size is that of what is drawn."""
    is_other = isinstance(request, ImageToImage) and (request.mask is not None or any(added_to(request).values()))
    if is_other and request.width is not None and request.height is not None:
        return f"{request.width}x{request.height}"
    return f"{image.width}x{image.height}"


def _picture_pairs(request: ImageToImage) -> Pairs:
    """A1111's names for what is about the picture that went in; its defaults are not written. *Resize mode* and what is
    added at the sides have none in its line, so they go by its label and by ours."""
    is_only_added = request.mask is None and bool(added_to(request))  # which is drawn from noise alone
    pairs: Pairs = {"Denoising strength": request.strongest if is_only_added else request.denoising_strength}
    if request.resize_mode != "crop_and_resize":
        pairs["Resize mode"] = RESIZE_LABELS[request.resize_mode]
    added = added_to(request)
    pairs |= added
    if request.mask is None and not added:
        return pairs
    is_only_masked = request.inpaint_area == "only_masked"
    return pairs | {
        "Mask mode": "Inpaint not masked" if request.mask_mode == "not_masked" else None,
        "Mask blur": request.mask_blur,
        "Inpaint area": "Only masked" if is_only_masked else None,
        "Masked area padding": request.inpaint_padding if is_only_masked else None,
        "Masked content": None if request.masked_content == "original" else request.masked_content.replace("_", " "),
        "Soft inpainting enabled": "True" if request.soft_inpainting else None,
    }


def _short(digits: str | int | float | None) -> str | None:
    return str(digits)[:_SHORT_HASH] if digits else None


def _what_happened(request: Request, image: RawImage) -> Pairs:
    """What really happened where that is not what was asked for. A1111 has no names for it, and keeps unknown ones.

    `Steps` stays what was asked for: read back, it means the same again.
    """
    asked = request.iterations if isinstance(request, StyleTransfer) else request.steps
    run = image.info.get("iterations" if isinstance(request, StyleTransfer) else "steps")
    fallback = image.info.get("fallback")
    return {
        "Picture size": _own_size(request, image),
        "Steps run": run if run != asked else None,
        "Fallback": None if fallback is None else str(fallback).replace("_", " "),
        "Branch": _branch(request),
        "Best of": f"rank {rank} of {getattr(request, 'num_images', 1)}" if (rank := image.info.get("rank")) else None,
        "Best of score": image.info.get("score"),
        "Best of critic": image.info.get("critic"),
    }


def _branch(request: Request) -> str | None:
    """Where it left which way; the whole of that is in our JSON alone."""
    if isinstance(request, StyleTransfer) or request.branch_from is None:
        return None
    origin, step = request.branch_from.origin, request.branch_from.step
    return f"step {step} of {count_steps(origin)}, seed {seed_alone(origin)}"


def _own_size(request: Request, image: RawImage) -> str | None:
    """Of the picture, where `Size` is that of what was drawn."""
    size = f"{image.width}x{image.height}"
    return None if isinstance(request, StyleTransfer) or _size(request, image) == size else size


def _schedule_type(scheduler: str | None, sigmas: str) -> str:
    """The model's own sigmas are `Automatic`, but where A1111 takes others for that."""
    if sigmas == "default":
        return "Automatic" if canonical_sigmas("Automatic", scheduler) == "default" else "Uniform"
    return _SIGMAS_LABELS.get(sigmas, sigmas.capitalize())


def _variation(request: TextToImage | ImageToImage, image: RawImage) -> Pairs:
    if request.variation_strength == 0:
        return {}
    seed = image.info.get("variation_seed", request.variation_seed)  # of this image, which may be one of several
    return {"Variation seed": seed, "Variation seed strength": request.variation_strength}


def _tiling(request: TextToImage | ImageToImage) -> Pairs:
    """A1111 tiles in both directions or not at all; for one alone, the names of its extension Asymmetric Tiling."""
    match request.tiling:
        case "none":
            return {}
        case "both":
            return {"Tiling": "True"}
        case along:
            return {"Tile X": str(along == "x"), "Tile Y": str(along == "y")}


def _guidance(request: TextToImage | ImageToImage) -> Pairs:
    """A1111 skips guidance at the start only, and with it the step that falls on the share itself, which here has it.

    The rescaling goes by the name of its extension; the end of guidance has none there.
    """
    return {
        "CFG Rescale": request.guidance_rescale or None,
        "Skip Early CFG": request.guidance_start or None,
        "Guidance end": request.guidance_end if request.guidance_end < 1 else None,
    }


def _templates(request: TextToImage | ImageToImage, image: RawImage) -> Pairs:
    """The prompts as they were written, where wildcards became something else; under Dynamic Prompts' names."""
    prompt, negative_prompt = with_looks(request.prompt, request.negative_prompt, request.look_texts)
    templates = {"Template": ("prompt", prompt), "Negative Template": ("negative_prompt", negative_prompt)}
    return {label: text for label, (name, text) in templates.items() if image.info.get(name, text) != text}


def _quoted(value: str | int | float) -> str:
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    is_plain = not any(c in text for c in ",:\n") and not text.startswith('"') and text == text.strip()
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _within(limit_bytes: int, *texts: str) -> str | None:
    """The first that is not too long; None, and a line in the log, where all are."""
    for text in texts:
        if len(text.encode()) <= limit_bytes:
            return text
    log.warning("metadata of %d characters left out of a picture", len(texts[-1]))
    return None

"""What a picture's file says about itself: the whole request, A1111's line of text, and that a machine made it.

In a PNG these are text chunks; `webui/storage/formats.py` puts the same texts into JPEG and WebP. Nothing private is
included: no owner, no host, no path; input pictures appear only by their sha256. Knows the request, but no database and
no file.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from webui import __version__
from webui.prompts.settle import with_looks
from webui.requests import Request, to_dict
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.field_types import SIDES
from webui.requests.fields import infotext_names
from webui.requests.infotext_names import ETA_DDIM, NEGATIVE_PROMPT, Composed, Fact
from webui.requests.style_transfer import LayerWeights, StyleTransfer
from webui.rules.branches import count_steps, seed_alone
from webui.rules.pictures import OF_A_PART, is_extended
from webui.schedulers import SCHEDULERS, SIGMAS_LABELS, canonical_sigmas
from webui.worker.messages import RawImage

log = logging.getLogger(__name__)

Value = str | int | float | None
Pairs = dict[str, Value]

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


def png_info(request: Request, image: RawImage) -> PngInfo:
    """All text chunks of one picture, at most MAX_METADATA_BYTES of ours; the whole request comes first."""
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
    """The XMP packet that marks a picture as made by a machine. `more`: further properties, as XML."""
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
    """What `darkroom_json` wrote into an opened PNG; None if it is missing or unreadable."""
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
            pairs = _style_pairs(request, image)
        case TextToImage() | ImageToImage():
            prompt = str(image.info.get("prompt", request.prompt))
            negative_prompt = str(image.info.get("negative_prompt", request.negative_prompt))
            lines = [prompt]
            if negative_prompt:
                lines.append(f"{NEGATIVE_PROMPT}: {negative_prompt}")
            pairs = _diffusion_pairs(request, image) | (_templates(request, image) if with_templates else {})
    pairs |= _what_happened(request, image)
    pairs[Fact.VERSION] = f"Darkroom {__version__}"
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items() if value is not None))
    return "\n".join(lines)


def _diffusion_pairs(request: TextToImage | ImageToImage, image: RawImage) -> Pairs:
    """In A1111's order, with ours and whatever else the declaration names at the end."""
    labels = {scheduler.id: scheduler.name for scheduler in SCHEDULERS}
    named = _named_pairs(request, _said_otherwise(request, image))
    for name in _not_said(request):
        named.pop(name, None)
    if request.scheduler == "ddim" and "eta" in named:
        named["eta"] = (ETA_DDIM, named["eta"][1])
    return {
        **_taken(named, "steps"),
        Composed.SAMPLER: labels.get(request.scheduler or "", request.scheduler),
        Composed.SCHEDULE_TYPE: _schedule_type(request.scheduler, request.sigmas or "default"),
        **_taken(named, "guidance_scale", "seed"),
        Composed.SIZE: _size(request, image),
        Composed.MODEL_HASH: _short(image.info.get("checkpoint_hash")),
        Composed.MODEL: (request.checkpoint or "").rpartition("/")[2] or None,
        Fact.VAE_HASH: _short(image.info.get("vae_hash")),
        Fact.LORA_HASHES: image.info.get("lora_hashes"),
        **_taken(named, "variation_seed", "variation_strength", "denoising_strength", "resize_mode", *SIDES),
        **_taken(named, "mask_mode", "mask_blur", "inpaint_area", "inpaint_padding", "masked_content"),
        **_taken(named, "soft_inpainting", "clip_skip"),
        **_taken(named, "noise_source"),
        **_tiling(request),
        **_taken(named, "guidance_rescale", "guidance_start", "guidance_end", "eta", "emphasis", "prompt_dialect"),
        **_taken(named, *named),
    }


def _style_pairs(request: StyleTransfer, image: RawImage) -> Pairs:
    """The settings of a style transfer that differ from their defaults, in our own names, since A1111 has none. Leaves
    out pictures."""
    named = _named_pairs(request, {"seed": image.seed})
    methods = _taken(named, "method", "style_strength", "style_image_weight")
    return {
        **_taken(named, "iterations", "seed"),
        Composed.SIZE: f"{image.width}x{image.height}",
        **_taken(named, *named),
        **methods,
        **dict(_named_pairs(request.layer_weights, {}).values()),
    }


def _named_pairs(request: Request | LayerWeights, otherwise: Mapping[str, Value]) -> dict[str, tuple[str, Value]]:
    """Name and value of every field that has a name and differs from its default, by field. `otherwise`: values to use
    instead of the request's own."""
    named: dict[str, tuple[str, Value]] = {}
    for name, marker in infotext_names(type(request)).items():
        value = otherwise.get(name, getattr(request, name))
        if marker.always or value != request.__dataclass_fields__[name].default:
            named[name] = (marker.name, marker.written(value))
    return named


def _taken(named: dict[str, tuple[str, Value]], *fields: str) -> Pairs:
    """Removes these fields and returns those that were there."""
    return dict(named.pop(field) for field in fields if field in named)


def _said_otherwise(request: TextToImage | ImageToImage, image: RawImage) -> dict[str, Value]:
    """Values of this image that differ from the request: one of several has its own seeds, and an image that is only
    extended at its sides is drawn from noise alone."""
    said: dict[str, Value] = {"seed": image.seed}
    if "variation_seed" in image.info:
        said["variation_seed"] = image.info["variation_seed"]
    if isinstance(request, ImageToImage) and request.mask is None and is_extended(request):
        said["denoising_strength"] = request.strongest
    return said


def _not_said(request: TextToImage | ImageToImage) -> Collection[str]:
    """Fields that have no effect with the others."""
    none = set() if request.variation_strength else {"variation_seed"}
    if not isinstance(request, ImageToImage):
        return none
    if request.mask is None and not is_extended(request):
        return none | set(OF_A_PART)
    return none if request.inpaint_area == "only_masked" else none | {"inpaint_padding"}


def _size(request: TextToImage | ImageToImage, image: RawImage) -> str:
    """The size that was asked for, which is also what A1111 writes: the size of what is drawn.

    The picture may differ by what was added or kept around it; read back, this size means the same.
    """
    is_other = isinstance(request, ImageToImage) and (request.mask is not None or is_extended(request))
    if is_other and request.width is not None and request.height is not None:
        return f"{request.width}x{request.height}"
    return f"{image.width}x{image.height}"


def _short(digits: str | int | float | None) -> str | None:
    return str(digits)[:_SHORT_HASH] if digits else None


def _what_happened(request: Request, image: RawImage) -> Pairs:
    """What really happened, if it differs from the request. A1111 has no names for it, and keeps unknown ones.

    `Steps` stays what was asked for, so it means the same when it is read back.
    """
    asked = request.iterations if isinstance(request, StyleTransfer) else request.steps
    run = image.info.get("iterations" if isinstance(request, StyleTransfer) else "steps")
    fallback, rank = image.info.get("fallback"), image.info.get("rank")
    return {
        Fact.PICTURE_SIZE: _own_size(request, image),
        Fact.STEPS_RUN: run if run != asked else None,
        Fact.FALLBACK: None if fallback is None else str(fallback).replace("_", " "),
        Fact.BRANCH: _branch(request),
        Fact.BEST_OF: f"rank {rank} of {getattr(request, 'num_images', 1)}"
        if (rank := image.info.get("rank"))
        else None,
        Fact.BEST_OF_SCORE: image.info.get("score"),
        Fact.BEST_OF_CRITIC: image.info.get("critic"),
    }


def _branch(request: Request) -> str | None:
    """Where the picture branched off, and from what; only our JSON has the whole of it."""
    if isinstance(request, StyleTransfer) or request.branch_from is None:
        return None
    origin, step = request.branch_from.origin, request.branch_from.step
    return f"step {step} of {count_steps(origin)}, seed {seed_alone(origin)}"


def _own_size(request: Request, image: RawImage) -> str | None:
    """The picture's own size, if `Size` is that of what was drawn."""
    size = f"{image.width}x{image.height}"
    return None if isinstance(request, StyleTransfer) or _size(request, image) == size else size


def _schedule_type(scheduler: str | None, sigmas: str) -> str:
    """The model's own sigmas are `Automatic`, unless A1111 chooses others for that scheduler."""
    if sigmas == "default":
        return "Automatic" if canonical_sigmas("Automatic", scheduler) == "default" else "Uniform"
    return SIGMAS_LABELS[sigmas]


def _tiling(request: TextToImage | ImageToImage) -> Pairs:
    """A1111 tiles in both directions or not at all; a single direction uses the names of its extension Asymmetric
    Tiling."""
    match request.tiling:
        case "none":
            return {}
        case "both":
            return {Composed.TILING: "True"}
        case along:
            return {Composed.TILE_X: str(along == "x"), Composed.TILE_Y: str(along == "y")}


def _templates(request: TextToImage | ImageToImage, image: RawImage) -> Pairs:
    """The prompts as they were written, if wildcards changed them; under Dynamic Prompts' names."""
    prompt, negative_prompt = with_looks(request.prompt, request.negative_prompt, request.look_texts)
    templates = {"Template": ("prompt", prompt), "Negative Template": ("negative_prompt", negative_prompt)}
    return {label: text for label, (name, text) in templates.items() if image.info.get(name, text) != text}


def _quoted(value: str | int | float) -> str:
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    is_plain = not any(c in text for c in ",:\n") and not text.startswith('"') and text == text.strip()
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _within(limit_bytes: int, *texts: str) -> str | None:
    """The first text that is not too long. If all are, None and a line in the log."""
    for text in texts:
        if len(text.encode()) <= limit_bytes:
            return text
    log.warning("left metadata of %d characters out of a picture: too long", len(texts[-1]))
    return None

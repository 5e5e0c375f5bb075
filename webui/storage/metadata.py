"""What a picture's file says about itself: the whole request, A1111's line of text, and that a machine made it.

Nothing private goes in: no owner, no host, no path; pictures that went in appear by their sha256 alone.
Knows the request, but no database and no file.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from webui import __version__
from webui.requests import ImageToImage, Request, StyleTransfer, TextToImage, to_dict
from webui.scheduler_names import SCHEDULERS
from webui.worker_messages import RawImage

log = logging.getLogger(__name__)

# Pillow refuses to open a text chunk over 1 MiB, its own ones too; a quarter of that is far more than a request needs.
MAX_METADATA_BYTES = 256 * 1024

# IPTC's vocabulary for how a picture came to be; readers look for it in XMP, as Iptc4xmpExt:DigitalSourceType.
TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
><Iptc4xmpExt:DigitalSourceType>{TRAINED_ALGORITHMIC_MEDIA}</Iptc4xmpExt:DigitalSourceType></rdf:Description
></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""

_SIGMAS_LABELS = {"default": "Automatic"}


def png_info(request: Request, image: RawImage) -> PngInfo:
    """All text chunks of one picture, at most MAX_METADATA_BYTES of ours; what happened goes before what was asked."""
    chunks = PngInfo()
    text = _within_limit(darkroom_json(request, image), darkroom_json(request, image, with_info=False))
    if text is not None:
        chunks.add_itxt("darkroom", text)
    parameters = _within_limit(infotext(request, image))
    if parameters is not None:
        chunks.add_text("parameters", parameters)  # tEXt where it is Latin-1, else iTXt, as A1111 writes it
    chunks.add_itxt("XML:com.adobe.xmp", _XMP)
    return chunks


def darkroom_json(request: Request, image: RawImage, *, with_info: bool = True) -> str:
    """`{"request", "seed", "version", "info"}`: what was asked for, and what really happened."""
    values: dict[str, Any] = {"request": to_dict(request), "seed": image.seed, "version": __version__}
    if with_info and image.info:
        values["info"] = image.info
    return json.dumps(values, ensure_ascii=False)


def read_darkroom(image: Image.Image) -> dict[str, Any] | None:
    """What `darkroom_json` wrote into an opened PNG; None where there is no such thing or it cannot be read."""
    text = getattr(image, "text", {}).get("darkroom")
    if not isinstance(text, str) or len(text) > MAX_METADATA_BYTES:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("request"), dict):
        return None
    return values if isinstance(values.get("seed"), int) else None


def infotext(request: Request, image: RawImage) -> str:
    """The line that A1111 and its relatives read: prompt, negative prompt, and `Name: value` pairs with commas.

    A value with a comma, colon or line break in it is quoted as JSON, as A1111 does.
    """
    pairs: dict[str, str | int | float | None]
    match request:
        case StyleTransfer():
            lines = []
            pairs = {"Steps": request.iterations, "Seed": image.seed, "Size": f"{image.width}x{image.height}"}
            pairs |= {"Content weight": request.content_weight, "Style weight": request.style_weight}
        case TextToImage() | ImageToImage():
            lines = [request.prompt]
            if request.negative_prompt:
                lines.append(f"Negative prompt: {request.negative_prompt}")
            pairs = _diffusion_pairs(request, image)
    pairs["Version"] = f"Darkroom {__version__}"
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items() if value is not None))
    return "\n".join(lines)


def _diffusion_pairs(request: TextToImage | ImageToImage, image: RawImage) -> dict[str, str | int | float | None]:
    labels = {scheduler.id: scheduler.name for scheduler in SCHEDULERS}
    sigmas = request.sigmas or "default"
    return {
        "Steps": request.steps,
        "Sampler": labels.get(request.scheduler or "", request.scheduler),
        "Schedule type": _SIGMAS_LABELS.get(sigmas, sigmas.capitalize()),
        "CFG scale": request.guidance_scale,
        "Seed": image.seed,
        "Size": f"{image.width}x{image.height}",
        "Model hash": image.info.get("checkpoint_hash"),
        "Model": (request.checkpoint or "").rpartition("/")[2] or None,
        "Denoising strength": request.denoising_strength if isinstance(request, ImageToImage) else None,
    }


def _quoted(value: str | int | float) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if any(c in text for c in ",:\n") else text


def _within_limit(*texts: str) -> str | None:
    for text in texts:
        if len(text.encode()) <= MAX_METADATA_BYTES:
            return text
    log.warning("metadata of %d characters left out of a picture", len(texts[-1]))
    return None

"""A process that opens one picture from a stranger and may crash on it: `python decode_worker.py TARGET < SOURCE`.

PNG, JPEG or WebP on standard input, which must be a file, becomes an upright 8-bit sRGB picture at TARGET: a PNG, RGB
or RGBA, without any metadata. With `-` as TARGET, the source may be a pipe, and the PNG follows the line of JSON on
standard output, so that nothing touches the disk. With a number after TARGET, the result is a WebP whose longest side
has at most that many pixels.

Prints one line of JSON, `{"width", "height"}` or `{"error", …}`; exits with another status if the decoder gives up.
Stands alone: it imports Pillow and nothing of ours, so that it starts in a tenth of a second.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import sys
import warnings
from typing import BinaryIO

from PIL import Image, ImageCms, PngImagePlugin, WebPImagePlugin  # noqa: F401  (Pillow does not look for WebP by itself at first)

FORMATS = ("PNG", "JPEG", "WEBP")  # Pillow knows forty more, and most of its holes were in those
MAX_PIXELS = 64_000_000
MEMORY_BYTES = 2 * 2**30  # address space: the largest picture in RGBA (256 MB) three times over, and the interpreter
CPU_SECONDS = 60
FILE_BYTES = 2**30
_PIPE = "-"
_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def main(arguments: list[str]) -> int:
    """Handles one picture; returns 0 if the line of JSON says everything."""
    limit_resources()
    warnings.simplefilter("ignore")  # about EXIF and the like; what would matter is checked below
    target, shrink_to = arguments[0], int(arguments[1]) if len(arguments) > 1 else None
    Image.MAX_IMAGE_PIXELS = None  # checked below, where width and height can be told
    source = io.BytesIO(sys.stdin.buffer.read()) if target == _PIPE else sys.stdin.buffer
    with Image.open(source, formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            return _say({"error": "image_too_large", "width": width, "height": height})
        normal = normalised(image)
    if target == _PIPE:
        png = io.BytesIO()
        normal.save(png, "PNG", compress_level=1)
        _say({"width": normal.width, "height": normal.height})
        sys.stdout.flush()
        sys.stdout.buffer.write(png.getvalue())
        return 0
    with open(target, "wb") as file:
        if shrink_to is None:
            normal.save(file, "PNG", compress_level=1)  # a third of level 6's time for a tenth more bytes
        else:
            _save_small(normal, file, shrink_to)
    return _say({"width": normal.width, "height": normal.height})


def limit_resources() -> None:
    """Limits memory, time and file size, where the operating system can (Windows cannot)."""
    with contextlib.suppress(ImportError):
        import resource  # not on Windows

        for what, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, CPU_SECONDS),
            (resource.RLIMIT_FSIZE, FILE_BYTES),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS; a lower limit may stand already
                resource.setrlimit(what, (most, most))


def normalised(image: Image.Image) -> Image.Image:
    """The first frame, upright, 8 bits a channel, sRGB, RGB or (if any part is transparent) RGBA, without metadata."""
    key = _transparent_colour(image)
    orientation = _orientation(image)  # which loads a PNG
    profile = image.info.get("icc_profile")
    image.load()
    if key is not None:
        image.info["transparency"] = key
    alpha = None
    if image.mode.startswith("I") or image.mode == "F":
        alpha = _alpha_of_sixteen_bits(image, key) if isinstance(key, int) else None
        image = _eight_bits(image)
    elif image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
    if image.mode not in ("L", "CMYK", "RGB"):
        image = image.convert("RGB")  # palettes, LA, LAB and the like; alpha is kept aside
    colours = _in_srgb(image, profile)
    if alpha is not None and alpha.getextrema() != (255, 255):
        colours.putalpha(alpha)
    if orientation in _UPRIGHT:
        colours = colours.transpose(_UPRIGHT[orientation])
    colours.info = {}  # Pillow would write a profile or a transparent colour that it finds here
    return colours


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1–8; 1 if there is none or it is invalid."""
    with contextlib.suppress(SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return int(image.getexif().get(_ORIENTATION, 1))
    return 1


def _transparent_colour(image: Image.Image) -> int | tuple[int, ...] | None:
    """The single colour that a grey or RGB PNG declares as transparent, on the scale of Pillow's pixels: Pillow leaves
    it on the file's own scale of 2, 4 or 16 bits. None if there is none, or for a palette.
    """
    key = image.info.get("transparency")
    if not isinstance(key, int | tuple) or not isinstance(image, PngImagePlugin.PngImageFile) or not image.tile:
        return None
    stored = str(image.tile[0].args)  # there until the picture is loaded
    if stored in ("L;2", "L;4") and isinstance(key, int):
        return key * (85 if stored == "L;2" else 17)
    if stored == "RGB;16B" and isinstance(key, tuple):
        return tuple(value >> 8 for value in key)  # of each channel Pillow keeps the upper byte
    return key


def _alpha_of_sixteen_bits(image: Image.Image, key: int) -> Image.Image:
    """0 where the grey, [0, 65535], is `key`, else 255."""
    table = [255] * 65536
    table[key & 0xFFFF] = 0
    return image.convert("I").point(table, "L")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey, [0, 65535], as 8-bit grey; convert() alone would clip everything above 255."""
    return image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB. A profile that is damaged or for another kind of picture is ignored."""
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(source).casefold():  # those are there already
                converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
                if converted is not None:
                    return converted
    return image.convert("RGB")


def _save_small(image: Image.Image, file: BinaryIO, size: int) -> None:
    image.thumbnail((size, size))
    image.save(file, "WEBP", quality=82, method=2)


def _say(values: dict[str, str | int]) -> int:
    sys.stdout.write(json.dumps(values) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

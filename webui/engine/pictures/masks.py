"""Masks: how they are read, resized and softened, and which part of the picture they cover.

A mask is (H, W), float32, in [0, 1]: 0 stays, 1 is redrawn, values between are mixed. Knows no latents.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.nn import functional

from webui.errors import InvalidRequest, NotAnImage
from webui.rules.pictures import is_alike

_BLACK, _WHITE = 8, 247  # of 255; what a JPEG makes of black and white lies beyond these
_SOFT_ROUND = 4  # how early a soft place shows what was drawn: at half a strength 15 sixteenths of it

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; may reach over the picture's edges


def read_mask(data: bytes) -> np.ndarray:
    """The mask in the bytes of a PNG: its brightness or, if it is transparent anywhere, its opacity, as in A1111.

    Raises NotAnImage.
    """
    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=("PNG",))
        picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAnImage from error
    if picture.has_transparency_data:
        alpha = picture.convert("RGBA").getchannel("A")
        grey = alpha if alpha.getextrema() != (255, 255) else picture.convert("L")
    else:
        grey = picture.convert("L")
    levels = np.asarray(grey, dtype=np.float32)
    return np.where(levels < _BLACK, 0, np.where(levels > _WHITE, 1, levels / 255)).astype(np.float32)


def brought_to(mask: np.ndarray, width: int, height: int) -> np.ndarray:
    """The mask at another size: a pixel is the mean of the pixels that it covers, or is interpolated between
    neighbours.
    """
    if mask.shape == (height, width):
        return mask
    image = Image.fromarray(mask)
    is_smaller = width <= image.width and height <= image.height
    resized = image.resize((width, height), Image.Resampling.BOX if is_smaller else Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32).clip(0, 1)


def checked(mask: np.ndarray, picture: Image.Image) -> np.ndarray:
    """The mask at the picture's size. Raises InvalidRequest if its proportions are not the picture's."""
    height, width = mask.shape
    if not is_alike((width, height), picture.size):
        raise InvalidRequest(field="mask", reason="mask_other_shape")
    return brought_to(mask, *picture.size)


def softened(mask: np.ndarray, blur: int) -> np.ndarray:
    """The mask with an edge that fades over about twice `blur` pixels, inwards: what was 0 stays exactly 0.

    A1111 blurs both ways, so that places beside the mask change, too. Here only the inner half of the blurred edge is
    used, stretched to the whole range. A narrow stroke keeps its strength, because the strongest place nearby counts as
    1. The mask does not fade at the edge of the picture.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if blur == 0 or not len(rows):
        return mask
    reach = 4 * blur  # beyond it nothing counts: a photograph of 24 megapixels would take seconds
    around = (
        slice(max(0, int(rows[0]) - reach), int(rows[-1]) + 1 + reach),
        slice(max(0, int(columns[0]) - reach), int(columns[-1]) + 1 + reach),
    )
    softer = np.zeros_like(mask)
    softer[around] = _softened_here(mask[around], blur)
    return softer


def _softened_here(mask: np.ndarray, blur: int) -> np.ndarray:
    shape = Image.fromarray(((mask > 0) * 255).astype(np.uint8))
    blurred = np.asarray(shape.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32) / 255
    edge = (2 * blurred / _strongest_near(blurred, 2 * blur).clip(min=1 / 255) - 1).clip(0, 1)
    softer: np.ndarray = (mask * edge).astype(np.float32)
    return softer


def _strongest_near(levels: np.ndarray, pixels: int) -> np.ndarray:
    """The largest value within `pixels`, across and down."""
    size = 2 * pixels + 1
    across = functional.max_pool2d(torch.from_numpy(levels)[None, None], (1, size), stride=1, padding=(0, pixels))
    found: np.ndarray = functional.max_pool2d(across, (size, 1), stride=1, padding=(pixels, 0))[0, 0].numpy()
    return found


def showing(mask: np.ndarray) -> np.ndarray:
    """For soft inpainting: how much of what was drawn is visible where a place may change by `mask`; 0 only where that
    is 0.
    """
    return 1 - (1 - mask) ** _SOFT_ROUND


def place_of(mask: np.ndarray, padding: int, width: int, height: int) -> Box:
    """The smallest box around everything masked with `padding` pixels beside it, in the proportions of `width` ×
    `height`.

    It stays inside the picture if it can; if it is larger than the picture, it extends beyond the edges equally. Raises
    InvalidRequest if nothing is masked.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise InvalidRequest(field="mask", reason="mask_empty")
    down = _padded(int(rows[0]), int(rows[-1]) + 1, padding, mask.shape[0])
    across = _padded(int(columns[0]), int(columns[-1]) + 1, padding, mask.shape[1])
    wanted_width = max(across[1] - across[0], round((down[1] - down[0]) * width / height))
    wanted_height = max(down[1] - down[0], round((across[1] - across[0]) * height / width))
    left, right = _grown(*across, wanted_width, mask.shape[1])
    top, bottom = _grown(*down, wanted_height, mask.shape[0])
    return left, top, right, bottom


def _padded(start: int, end: int, padding: int, length: int) -> tuple[int, int]:
    return max(0, start - padding), min(length, end + padding)


def _grown(start: int, end: int, wanted: int, length: int) -> tuple[int, int]:
    """`wanted` pixels around the middle, moved to lie within `length` if there is room."""
    start = start - (wanted - (end - start)) // 2
    if wanted >= length:
        return -((wanted - length) // 2), wanted - (wanted - length) // 2
    start = min(max(0, start), length - wanted)
    return start, start + wanted

"""Pictures ↔ tensors, with shapes and ranges stated.

A picture is a PIL image in RGB; a tensor is (B, 3, H, W), float32, in [-1, 1], as VAEs use it. Knows no latents and no
files.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from webui.errors import NotAnImage

WHITE = (255, 255, 255)


def read_picture(data: bytes) -> Image.Image:
    """The picture in the bytes of a PNG, as RGB; transparent areas become white. Raises NotAnImage."""
    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=("PNG",))
        picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAnImage from error
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, (*WHITE, 255))
        return Image.alpha_composite(ground, picture).convert("RGB")
    return picture.convert("RGB")


def crop_and_resize(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Scales the picture until it covers `width` × `height`, and crops the excess equally at both ends."""
    if picture.size == (width, height):
        return picture
    scale = max(width / picture.width, height / picture.height)
    left = max(0.0, (picture.width - width / scale) / 2)
    top = max(0.0, (picture.height - height / scale) / 2)
    box = (left, top, picture.width - left, picture.height - top)
    return picture.resize((width, height), Image.Resampling.LANCZOS, box=box)


def to_tensor(picture: Image.Image) -> Tensor:
    """An RGB picture → (1, 3, H, W), float32, [-1, 1]."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB"), dtype=np.uint8))  # (H, W, 3)
    return pixels.permute(2, 0, 1).unsqueeze(0).float() / 127.5 - 1.0


def to_pixels(tensor: Tensor) -> np.ndarray:
    """(3, H, W) in [-1, 1] → (H, W, 3) uint8, rounded; values out of range are clipped."""
    scaled = (tensor.detach().float() / 2 + 0.5).clamp(0, 1) * 255
    return scaled.round().to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()


def pad_to(tensor: Tensor, width: int, height: int) -> Tensor:
    """(B, C, H, W) → (B, C, `height`, `width`), extended at the right and at the bottom by its mirror image.

    A mirror image is no longer than the picture itself; beyond that, the edge is repeated.
    """
    right, bottom = width - tensor.shape[-1], height - tensor.shape[-2]
    mirrored = (0, min(right, tensor.shape[-1] - 1), 0, min(bottom, tensor.shape[-2] - 1))
    tensor = functional.pad(tensor, mirrored, mode="reflect")
    return functional.pad(tensor, (0, width - tensor.shape[-1], 0, height - tensor.shape[-2]), mode="replicate")


def next_multiple(pixels: int, multiple: int) -> int:
    """The smallest multiple that is not below `pixels`.

    >>> next_multiple(264, 16)
    272
    """
    return -(-pixels // multiple) * multiple

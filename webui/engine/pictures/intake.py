"""From a request's pictures to what the engine draws over, and from what it drew back into the picture.

There are three sizes: the picture's own; the size to draw at; and that of the result, which is the drawn size unless
only the masked part is drawn. Knows no latents and no networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from webui.engine.pictures import masks
from webui.engine.pictures.filling import filled
from webui.engine.pictures.images import crop_and_resize
from webui.engine.pictures.redraw import Redraw, Sides
from webui.engine.previews.preview import LONGEST_SIDE
from webui.errors import InvalidRequest

ROUNDED_TO = 8  # pixels, of a request's width and height
_LANCZOS = Image.Resampling.LANCZOS


@dataclass(frozen=True, kw_only=True)
class PictureIn:
    """What is drawn over, at the size to draw at.

    `mask` (H, W), in [0, 1], says how much each place may change; None means everything. `added` (H, W) is 1 where the
    sides were extended. `own` is the picture at its own size, if its latents will be enlarged. `paste` puts what was
    drawn back into the picture.
    """

    picture: Image.Image
    own: Image.Image | None = None
    mask: np.ndarray | None = None
    added: np.ndarray | None = None
    paste: Paste | None = None

    @property
    def unchanged(self) -> Image.Image:
        """The result if nothing is drawn."""
        return self.picture if self.paste is None else self.paste.ground

    def put_back(self, drawn: np.ndarray) -> Image.Image:
        """The result for what was drawn, (H, W, 3) uint8."""
        return Image.fromarray(drawn) if self.paste is None else self.paste.onto_ground(drawn)

    def preview(self, drawn: np.ndarray) -> np.ndarray | Image.Image:
        """A small picture of the result so far. If only a part is drawn, it shows the whole picture in the result's
        proportions.
        """
        return drawn if self.paste is None else self.paste.small(drawn)


@dataclass(frozen=True, kw_only=True)
class Paste:
    """Where the drawn part goes: into `box` of `ground`, by `weight` (H, W), all in the size of the ground.

    Where the weight is 0, the ground's pixels stay exactly as they are; where it is 1, they become the drawn ones,
    resized to the box.
    """

    ground: Image.Image
    weight: np.ndarray
    box: masks.Box

    @cached_property
    def small(self) -> Callable[[np.ndarray], Image.Image]:
        """The same for previews, with 8-bit arithmetic, which takes a third of the time."""
        scale = min(1.0, LONGEST_SIDE / max(self.ground.size))
        width, height = (max(1, round(side * scale)) for side in self.ground.size)
        left, top, right, bottom = (round(edge * scale) for edge in self.box)
        box = (left, top, max(left + 1, right), max(top + 1, bottom))
        ground = self.ground.resize((width, height), Image.Resampling.BILINEAR)
        weight = Image.fromarray((masks.brought_to(self.weight, width, height) * 255).round().astype(np.uint8))
        seen = weight.crop(box)

        def onto_ground(drawn: np.ndarray) -> Image.Image:
            whole = ground.copy()
            whole.paste(Image.fromarray(drawn).resize(seen.size, Image.Resampling.BILINEAR), box[:2], seen)
            return whole

        return onto_ground

    def onto_ground(self, drawn: np.ndarray) -> Image.Image:
        """The ground with the drawn part (H, W, 3) uint8 on it."""
        left, top, right, bottom = self.box
        resized = Image.fromarray(drawn).resize((right - left, bottom - top), _LANCZOS)
        inside = (max(0, left), max(0, top), min(self.ground.width, right), min(self.ground.height, bottom))
        new = np.asarray(resized.crop((inside[0] - left, inside[1] - top, inside[2] - left, inside[3] - top)))
        rows, columns = slice(inside[1], inside[3]), slice(inside[0], inside[2])
        pixels = np.array(self.ground)
        weight = self.weight[rows, columns, None]
        old = pixels[rows, columns]
        pixels[rows, columns] = np.where(weight > 0, (old + weight * (new.astype(np.float32) - old)).round(), old)
        return Image.fromarray(pixels)


def take_in(init_image: Image.Image, mask: np.ndarray | None, redraw: Redraw, width: int, height: int) -> PictureIn:
    """Prepares what is drawn over at `width` × `height`, which includes the added sides.

    `init_image` is RGB; `mask` is as it was read, of any size with the picture's proportions. Raises InvalidRequest for
    a mask with other proportions or with nothing in it.
    """
    sides = redraw.sides
    if mask is None and not sides:
        return _without_mask(init_image, redraw, width, height)
    changing = np.zeros((init_image.height, init_image.width), np.float32)
    if mask is not None:
        changing = masks.checked(mask, init_image)
        changing = 1 - changing if redraw.mask_mode == "not_masked" else changing
    ground = init_image
    if not redraw.is_only_masked:
        inner = (width - sides.left - sides.right, height - sides.top - sides.bottom)
        ground = resized(init_image, redraw.resize_mode, *inner)
        changing = _mask_alike(changing, redraw.resize_mode, *inner)
    ground, changing, added = _with_sides(ground, changing, sides)
    if not changing.any():
        raise InvalidRequest(field="mask", reason="mask_empty")
    box = (0, 0, ground.width, ground.height)
    if redraw.is_only_masked:
        box = masks.place_of(changing, redraw.padding, width, height)
    soft = masks.softened(changing, redraw.mask_blur)
    below = filled(ground, changing) if redraw.masked_content == "fill" else ground
    return PictureIn(
        picture=_cut(below, box).resize((width, height), _LANCZOS),
        own=init_image if redraw.resize_mode == "latent_upscale" and not redraw.is_only_masked and not sides else None,
        mask=_cut_mask(soft if redraw.is_soft else changing, box, width, height),
        added=_cut_mask(added, box, width, height),
        paste=Paste(ground=ground, weight=masks.showing(soft) if redraw.is_soft else soft, box=box),
    )


def drawn_size(picture: Image.Image, redraw: Redraw, width: int, height: int) -> tuple[int, int]:
    """The size to draw at, usually `width` × `height`.

    If part of the whole picture is redrawn and that differs from the picture's own size only by rounding, it is the
    picture's own size. Otherwise the picture would be stretched by a few pixels, and no pixel would stay as it was.
    """
    across, down = redraw.sides.left + redraw.sides.right, redraw.sides.top + redraw.sides.bottom
    own = (picture.width + across, picture.height + down)
    is_rounded = abs(own[0] - width) < ROUNDED_TO and abs(own[1] - height) < ROUNDED_TO
    return own if redraw.is_partial and not redraw.is_only_masked and is_rounded else (width, height)


def resized(picture: Image.Image, mode: str, width: int, height: int) -> Image.Image:
    """The picture at exactly `width` × `height`, by one of the resize modes; *latent upscale* stretches like *just
    resize*.
    """
    match mode:
        case "crop_and_resize":
            return crop_and_resize(picture, width, height)
        case "resize_and_fill":
            return _filled_up(picture, width, height)
        case _:
            return picture if picture.size == (width, height) else picture.resize((width, height), _LANCZOS)


def _without_mask(init_image: Image.Image, redraw: Redraw, width: int, height: int) -> PictureIn:
    picture = resized(init_image, redraw.resize_mode, width, height)
    return PictureIn(picture=picture, own=init_image if redraw.resize_mode == "latent_upscale" else None)


def _filled_up(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The whole picture in the middle; the space beside it repeats its edge, as in A1111."""
    scale = min(width / picture.width, height / picture.height)
    inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    whole = picture if picture.size == inner else picture.resize(inner, _LANCZOS)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    return _cut(whole, (-left, -top, width - left, height - top))


def _mask_alike(mask: np.ndarray, mode: str, width: int, height: int) -> np.ndarray:
    """The mask, resized in the same way as its picture."""
    if mode == "crop_and_resize":
        scale = max(width / mask.shape[1], height / mask.shape[0])
        box = _middle(mask.shape[1], mask.shape[0], width / scale, height / scale)
        image = Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR, box=box)
        return np.asarray(image, dtype=np.float32).clip(0, 1) if mask.shape != (height, width) else mask
    if mode == "resize_and_fill":
        scale = min(width / mask.shape[1], height / mask.shape[0])
        inner = (max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale)))
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        around = ((top, height - inner[1] - top), (left, width - inner[0] - left))
        return np.pad(masks.brought_to(mask, *inner), around, mode="edge")
    return masks.brought_to(mask, width, height)


def _middle(width: int, height: int, across: float, down: float) -> tuple[float, float, float, float]:
    left, top = max(0.0, (width - across) / 2), max(0.0, (height - down) / 2)
    return left, top, width - left, height - top


def _with_sides(ground: Image.Image, mask: np.ndarray, sides: Sides) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """Picture, mask and position after adding the sides; the picture is filled there with its own colours."""
    around = ((sides.top, sides.bottom), (sides.left, sides.right))
    added = np.pad(np.zeros_like(mask), around, constant_values=1)
    if not sides:
        return ground, mask, added
    grown = Image.fromarray(np.pad(np.asarray(ground), (*around, (0, 0))))
    return filled(grown, added), np.pad(mask, around, constant_values=1), added


def _cut(picture: Image.Image, box: masks.Box) -> Image.Image:
    """The pixels in `box`; beyond the picture its edge is repeated."""
    left, top, right, bottom = box
    if (left, top) == (0, 0) and (right, bottom) == picture.size:
        return picture
    inside = picture.crop((max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom)))
    around = _beyond(box, picture.width, picture.height)
    return Image.fromarray(np.pad(np.asarray(inside), (*around, (0, 0)), mode="edge"))


def _cut_mask(mask: np.ndarray, box: masks.Box, width: int, height: int) -> np.ndarray:
    left, top, right, bottom = box
    inside = mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    grown = np.pad(inside, _beyond(box, mask.shape[1], mask.shape[0]), mode="edge")
    return masks.brought_to(grown, width, height)


def _beyond(box: masks.Box, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """How far `box` extends beyond the picture: (top, bottom) and (left, right)."""
    left, top, right, bottom = box
    return (max(0, -top), max(0, bottom - height)), (max(0, -left), max(0, right - width))

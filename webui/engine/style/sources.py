"""The pictures that a style transfer works from, at any size: the content, window by window, and the styles.

They are scaled from the original pictures and kept in 8 bits. So a content of 4096 pixels takes 50 MB, and only the
part in use exists in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from webui.engine.pictures.images import to_pixels
from webui.engine.style.colours import ColourMap, coral, like_in_luminance, transport, with_chroma
from webui.engine.style.scales import fitted_size
from webui.engine.style.tiles import Tile

LEARNT_AT = 256  # pixels: the side at which colours are compared and networks calibrated
STYLE_LIMIT = 1536  # pixels: larger brushwork is finer than what the pictures show
ROWS = 256  # that become pixels at once
ENLARGED = 2.0  # times its own pixels at most: beyond, a style has nothing but blur


@dataclass(frozen=True)
class Style:
    """A style picture, RGB, and its share, > 0; all shares sum to 1."""

    picture: Image.Image
    share: float


class Sources:
    """Content and styles in the colours that they should have.

    `keep_colours` is the request's field; `colour_share` in [0, 1] is how far the content takes on the styles' colours
    if it does not keep its own. `check` may raise.
    """

    def __init__(
        self,
        content: Image.Image,
        styles: Sequence[Style],
        *,
        device: torch.device,
        keep_colours: str,
        colour_share: float,
        check: Callable[[], None],
    ) -> None:
        self.shares = tuple(style.share for style in styles)
        self._content, self._styles, self._device = content, styles, device
        small = self._float(content, LEARNT_AT)
        palettes = [self._float(style.picture, LEARNT_AT) for style in styles]
        self._content_map: ColourMap | None = None
        self._style_maps: list[ColourMap | None] = [None] * len(styles)
        self._is_grey = keep_colours == "luminance"
        if self._is_grey:
            self._content_map = like_in_luminance(small, small)
            self._style_maps = [like_in_luminance(palette, small) for palette in palettes]
        elif keep_colours == "coral":
            self._style_maps = [coral(palette, small) for palette in palettes]
        elif keep_colours == "histogram":
            self._style_maps = [transport(palette, small, check) for palette in palettes]
        elif colour_share > 0:
            mapped = transport(small, _joined(palettes, self.shares), check)
            self._content_map = lambda picture: torch.lerp(picture, mapped(picture), colour_share)

    @property
    def small(self) -> list[Tensor]:
        """Content and styles at a small size, in the colours they should have, each (1, 3, H, W) in [0, 1]."""
        content = self.content(LEARNT_AT)
        return [content.whole(), *self.styles(LEARNT_AT, 1.0)]

    def content(self, side: int) -> Content:
        """The content with its longest side at `side` pixels."""
        return Content(_bytes(self._content, side), self._device, self._content_map)

    def styles(self, side: int, scale: float) -> list[Tensor]:
        """Each style (1, 3, H, W) in [0, 1], its longest side `side` · `scale` if it has enough pixels."""
        found = []
        for style, colour_map in zip(self._styles, self._style_maps, strict=True):
            most = min(STYLE_LIMIT, ENLARGED * max(style.picture.size))
            picture = self._float(style.picture, max(1, round(min(side * scale, most))))
            found.append(picture if colour_map is None else colour_map(picture))
        return found

    def pixels(self, picture: Tensor) -> np.ndarray:
        """A result (1, 3, H, W) in [0, 1] as it should be seen, (H, W, 3) uint8: with colour again if only luminance is
        styled.

        It is made row by row, so that a large one never exists in float32 as a whole.
        """
        height, width = picture.shape[-2:]
        original = None
        if self._is_grey:
            resized = self._content.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
            original = _from_picture(resized)
        found = np.empty((height, width, 3), np.uint8)
        for top in range(0, height, ROWS):
            rows = slice(top, top + ROWS)
            part = picture[..., rows, :].detach().float()
            if original is not None:
                part = with_chroma(part, _float(original[..., rows, :], picture.device))
            found[rows] = to_pixels(part[0] * 2 - 1)
        return found

    def _float(self, picture: Image.Image, side: int) -> Tensor:
        return _float(_bytes(picture, side), self._device)


class Content:
    """The content at one size; `pixels` is (1, 3, H, W) uint8."""

    def __init__(self, pixels: Tensor, device: torch.device, colour_map: ColourMap | None) -> None:
        self.height, self.width = int(pixels.shape[-2]), int(pixels.shape[-1])
        self._pixels, self._device, self._map = pixels, device, colour_map

    def whole(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """The whole content, (1, 3, H, W) in [0, 1], made row by row."""
        found = torch.empty((1, 3, self.height, self.width), dtype=dtype, device=self._device)
        for top in range(0, self.height, ROWS):
            found[..., top : top + ROWS, :] = self._coloured(self._pixels[..., top : top + ROWS, :])
        return found

    def window(self, tile: Tile) -> Tensor:
        """What is seen for a tile, (1, 3, h, w) in [0, 1]."""
        return self._coloured(tile.window(self._pixels))

    def _coloured(self, pixels: Tensor) -> Tensor:
        picture = _float(pixels, self._device)
        return picture if self._map is None else self._map(picture)


def _joined(palettes: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """One palette (1, 3, 1, N) with as many pixels of each as its share says."""
    generator = torch.Generator().manual_seed(0)
    parts = []
    for palette, share in zip(palettes, shares, strict=True):
        flat = palette[0].flatten(1)
        chosen = torch.randint(flat.shape[1], (max(1, round(LEARNT_AT**2 * share)),), generator=generator)
        parts.append(flat[:, chosen.to(flat.device)])
    return torch.cat(parts, dim=1)[None, :, None]


def _bytes(picture: Image.Image, side: int) -> Tensor:
    return _from_picture(picture.convert("RGB").resize(fitted_size(*picture.size, side), Image.Resampling.LANCZOS))


def _from_picture(picture: Image.Image) -> Tensor:
    """(1, 3, H, W) uint8"""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]


def _float(pixels: Tensor, device: torch.device) -> Tensor:
    return pixels.to(device).float() / 255

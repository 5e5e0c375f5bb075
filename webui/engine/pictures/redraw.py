"""How a picture goes in and which part of it is redrawn, according to the request. Knows no torch and no pictures."""

from __future__ import annotations

from dataclasses import dataclass

from webui.requests.diffusion import ImageToImage


@dataclass(frozen=True)
class Sides:
    """Pixels to add at each side."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def __bool__(self) -> bool:
        return any((self.left, self.top, self.right, self.bottom))


NO_SIDES = Sides()


@dataclass(frozen=True, kw_only=True)
class Redraw:
    """The fields of an `ImageToImage` that concern its picture; they are explained there."""

    resize_mode: str = "crop_and_resize"
    has_mask: bool = False
    mask_mode: str = "masked"
    mask_blur: int = 4  # pixels
    masked_content: str = "original"
    is_only_masked: bool = False
    padding: int = 32  # pixels
    is_soft: bool = False
    sides: Sides = NO_SIDES

    @classmethod
    def of(cls, request: ImageToImage) -> Redraw:
        """What the request says; `only_masked` counts only if something is masked or added."""
        sides = Sides(request.outpaint_left, request.outpaint_top, request.outpaint_right, request.outpaint_bottom)
        has_mask = request.mask is not None
        return cls(
            resize_mode=request.resize_mode,
            has_mask=has_mask,
            mask_mode=request.mask_mode,
            mask_blur=request.mask_blur,
            masked_content=request.masked_content,
            is_only_masked=request.inpaint_area == "only_masked" and (has_mask or bool(sides)),
            padding=request.inpaint_padding,
            is_soft=request.soft_inpainting,
            sides=sides,
        )

    @property
    def is_partial(self) -> bool:
        """Whether part of the picture stays as it was."""
        return self.has_mask or bool(self.sides)

    @property
    def is_only_added(self) -> bool:
        """Whether only the added sides are drawn."""
        return bool(self.sides) and not self.has_mask

    def drawn_size(self, width: int, height: int) -> tuple[int, int]:
        """The size to draw at for `width` × `height`, in pixels: with the added sides, unless only the masked part is
        drawn.
        """
        if self.is_only_masked:
            return width, height
        return width + self.sides.left + self.sides.right, height + self.sides.top + self.sides.bottom


WHOLE = Redraw()  # all of the picture is drawn over, as where nothing is said

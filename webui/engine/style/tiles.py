"""Splits a large picture into windows that a network sees one at a time, and that together give the same as the whole.

Each tile is seen with a margin as wide as the network's view, and only the tile itself counts. So sums over tiles equal
sums over the picture, and no seam can show. Knows no networks.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

TILE_SIDE = 384  # pixels: with 512, a result of 4096 takes more than one of 1024 that is seen whole
GRID = 16  # pixels: tiles begin and end where the poolings of every layer do


@dataclass(frozen=True)
class Span:
    """Along one side, in pixels: the tile reaches from `start` to `end`, its window from
    `outer_start` to `outer_end`.
    """

    start: int
    end: int
    outer_start: int
    outer_end: int


@dataclass(frozen=True)
class Tile:
    """One tile: its rows and columns."""

    rows: Span
    columns: Span

    @property
    def share(self) -> int:
        """The number of its pixels, without the margin."""
        return (self.rows.end - self.rows.start) * (self.columns.end - self.columns.start)

    def window(self, picture: Tensor) -> Tensor:
        """(…, H, W) → the part seen for this tile; a view."""
        rows, columns = self.rows, self.columns
        return picture[..., rows.outer_start : rows.outer_end, columns.outer_start : columns.outer_end]

    def core(self, picture: Tensor) -> Tensor:
        """(…, H, W) → the tile itself; a view."""
        return picture[..., self.rows.start : self.rows.end, self.columns.start : self.columns.end]

    def inside(self, seen: Tensor, stride: int = 1) -> Tensor:
        """What was made of `window`, with `stride` pixels for each place → the part that belongs to
        the tile; a view.
        """
        (top, bottom), (left, right) = (_inner(span, stride) for span in (self.rows, self.columns))
        return seen[..., top:bottom, left:right]


def tiles_of(height: int, width: int, margin: int, side: int = TILE_SIDE) -> tuple[Tile, ...]:
    """The tiles of a picture, row by row; `margin` in pixels is rounded up to the grid."""
    margin = -(-margin // GRID) * GRID
    rows, columns = _spans(height, margin, side), _spans(width, margin, side)
    return tuple(Tile(row, column) for row in rows for column in columns)


def _spans(length: int, margin: int, side: int) -> list[Span]:
    """The spans along one side; a remainder shorter than half a tile is joined to the last one."""
    starts = list(range(0, max(1, length - side // 2), side))
    ends = [*starts[1:], length]
    return [
        Span(start, end, max(0, start - margin), min(length, end + margin))
        for start, end in zip(starts, ends, strict=True)
    ]


def _inner(span: Span, stride: int) -> tuple[int, int]:
    start = (span.start - span.outer_start) // stride
    return start, start - (-(span.end - span.start) // stride)

"""What the picture is pulled towards at one scale, and the gradient: of the whole picture, or tile by tile.

Style concerns the whole picture, and tiles do not change that. First all tiles are summarised; the gradient of the
style's distance by these summaries is small, and each tile is then pulled by its part of it. So the gradient in tiles
is that of the whole up to rounding, in the memory that a tile takes. Knows no scales, no colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from webui.engine.style.losses import content_loss, energy, total_variation
from webui.engine.style.patches import Patches
from webui.engine.style.sources import Content
from webui.engine.style.style_losses import StyleLoss
from webui.engine.style.tiles import TILE_SIDE, Tile, tiles_of
from webui.engine.style.vgg import Vgg19, stride_of

LARGEST_WHOLE = 1024 * 1024  # pixels: more are seen in tiles


@dataclass(frozen=True, kw_only=True)
class Pull:
    """The weight of each loss, ≥ 0; `layers` are those used for style, each with its weight among them."""

    content_layers: tuple[str, ...]
    layers: Mapping[str, float]
    content: float
    style: float
    patches: float
    total_variation: float

    @property
    def names(self) -> tuple[str, ...]:
        """All layers whose features are needed, for content and for style."""
        return (*self.content_layers, *self.layers)


class Objective:
    """The objective at one scale. `styles` are (1, 3, H, W) in [0, 1], with `shares` that sum to 1."""

    def __init__(
        self,
        network: Vgg19,
        loss: StyleLoss,
        pull: Pull,
        content: Content,
        styles: Sequence[Tensor],
        shares: Sequence[float],
        patches: Patches | None,
        check: Callable[[], None],
    ) -> None:
        self._network, self._loss, self._pull, self._content = network, loss, pull, content
        self._patches, self._check = patches, check
        self.is_tiled = content.height * content.width > LARGEST_WHOLE
        side = TILE_SIDE if self.is_tiled else max(content.height, content.width)
        self.tiles = tiles_of(content.height, content.width, network.margin, side)
        self._content_features = None if self.is_tiled else self._features_of_content(self.tiles[0])
        self._energies = self._energies_of_content()
        self._rebuilt: dict[Tile, Tensor] = {}
        summaries = [self._summaries(one, tiles_of(one.shape[-2], one.shape[-1], network.margin)) for one in styles]
        self._wanted = {name: loss.mixed([loss.joined(one[name]) for one in summaries], shares) for name in pull.layers}

    def begin(self) -> None:
        """Begins an iteration."""
        self._loss.begin()

    def rebuild(self, picture: Tensor) -> None:
        """Rebuilds `picture` (1, 3, H, W) from the styles' patches, as the target for its pixels."""
        if self._patches is None:
            return
        for tile in self.tiles:
            rebuilt = self._patches.rebuilt(tile.window(picture).float(), self._check)
            self._rebuilt[tile] = (tile.inside(rebuilt) * 255).round().byte()  # a quarter of float32

    def whole(self, picture: Tensor) -> Tensor:
        """The loss of an untiled picture (1, 3, H, W) in [0, 1], differentiable."""
        (tile,) = self.tiles
        features = self._network(picture, self._pull.names)
        summaries = {name: self._summary(features[name], name, tile, self._pixels) for name in self._pull.layers}
        return self._style(summaries) + self._local(picture, features, tile)

    def gradient(self, picture: Tensor) -> tuple[float, Tensor]:
        """The style's part of the loss, and the gradient of the whole loss by `picture` (1, 3, H, W), tile by tile.

        It is multiplied by the number of values, as `optimise` wants it, and is in bf16: half the memory of float32.
        """
        with torch.no_grad():
            summaries = self._summaries(picture, self.tiles)
        joined = {name: self._loss.joined(parts).requires_grad_() for name, parts in summaries.items()}
        loss = self._style(joined)
        slopes: dict[str, list[Tensor]] = {}
        for name, slope in zip(joined, torch.autograd.grad(loss, list(joined.values())), strict=True):
            slopes[name] = self._loss.parts(slope.detach(), summaries[name])
        gradient = torch.zeros_like(picture, dtype=torch.bfloat16)
        for place, tile in enumerate(self.tiles):
            self._check()
            seen = tile.window(picture).float().requires_grad_()
            features = self._network(seen, self._pull.names)
            pulled = self._local(seen, features, tile)
            for name, parts in slopes.items():
                pulled = pulled + (parts[place] * self._summary(features[name], name, tile, self._pixels)).sum()
            (found,) = torch.autograd.grad(pulled, seen)
            tile.window(gradient).add_(found * picture.numel())
        return float(loss.detach()), gradient

    @property
    def _pixels(self) -> tuple[int, int]:
        return self._content.height, self._content.width

    def _style(self, summaries: Mapping[str, Tensor]) -> Tensor:
        """The mean over the layers of the distance to the wanted style, times its weight."""
        layers = self._pull.layers
        distances = [
            weight * self._loss.distance(summaries[name], self._wanted[name]) for name, weight in layers.items()
        ]
        return self._pull.style * torch.stack(distances).mean()

    def _local(self, picture: Tensor, features: Mapping[str, Tensor], tile: Tile) -> Tensor:
        """The tile's part of what concerns single places: content, patches and smoothness."""
        pull, values = self._pull, 3 * self._content.height * self._content.width
        wanted = self._content_features or self._features_of_content(tile)
        found = {name: tile.inside(features[name], stride_of(name)) for name in pull.content_layers}
        loss = pull.content * content_loss(found, wanted, self._energies)
        if tile in self._rebuilt:
            difference = tile.inside(picture) - self._rebuilt[tile].float() / 255
            loss = loss + pull.patches * difference.square().sum() / values
        return loss + pull.total_variation * total_variation(picture, values, tile)

    @torch.no_grad()
    def _features_of_content(self, tile: Tile) -> dict[str, Tensor]:
        features = self._network(self._content.window(tile), self._pull.content_layers)
        return {name: tile.inside(features[name], stride_of(name)) for name in self._pull.content_layers}

    def _energies_of_content(self) -> dict[str, float]:
        energies = dict.fromkeys(self._pull.content_layers, 0.0)
        for tile in self.tiles:
            self._check()
            for name, features in (self._content_features or self._features_of_content(tile)).items():
                energies[name] += energy(features)
        return energies

    @torch.no_grad()
    def _summaries(self, picture: Tensor, tiles: Sequence[Tile]) -> dict[str, list[Tensor]]:
        """By layer, one summary for each tile."""
        found: dict[str, list[Tensor]] = {name: [] for name in self._pull.layers}
        height, width = picture.shape[-2:]
        for tile in tiles:
            self._check()
            features = self._network(tile.window(picture).float(), tuple(self._pull.layers))
            for name in self._pull.layers:
                found[name].append(self._summary(features[name], name, tile, (height, width)))
        return found

    def _summary(self, features: Tensor, name: str, tile: Tile, size: tuple[int, int]) -> Tensor:
        """A layer's summary of one tile of a picture of `size` pixels (H, W)."""
        stride = stride_of(name)
        places = -(-size[0] // stride) * -(-size[1] // stride)  # poolings round up
        return self._loss.summary(tile.inside(features, stride), places)

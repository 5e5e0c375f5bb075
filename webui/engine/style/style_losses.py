"""How far the style of a picture is from the one wanted, layer by layer: three measures to choose from.

Each reads a *summary* from a layer's features that does not depend on where anything is. The summaries of tiles can be
joined, so that a large picture is compared as a whole although it is seen in parts; those of several styles can be
mixed. Everything is relative to what is wanted, so that no measure depends on how large a network's activations are
(the normalisation by layer of He, Wang & Hopcroft 2016), and is computed in float32. Knows no networks, no pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from webui.engine.style.square_root import trace_of_root

FLOOR = 1e-3  # of a channel's mean square: what a flat picture's features are compared with
SAMPLES = 8192  # places that sliced Wasserstein looks at, of a layer
REGULAR = 1e-4  # of the mean moment, added to a covariance's diagonal (1e-4 in crowsonkb/style-transfer-pytorch)


class StyleLoss(Protocol):
    """One measure of style."""

    def begin(self) -> None:
        """Begins an iteration, with new random samples. Until the next one, the same features give the same summary."""
        ...

    def summary(self, features: Tensor, places: int) -> Tensor:
        """The summary of features (1, C, h, w) of any number type, in float32. `places` is the layer's number of places
        in the whole picture.
        """
        ...

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """The summaries of all tiles → that of the picture."""
        ...

    def parts(self, joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
        """The opposite of `joined`, for a gradient: the part that belongs to each tile."""
        ...

    def mixed(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """The summaries of several pictures → that of the wanted style; `weights` sum to 1."""
        ...

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """The distance of two summaries, a scalar ≥ 0; 0 if they agree."""
        ...


class Moments:
    """The mean and the second moments of the channels, (C, C + 1): what Gram and Wasserstein have in common."""

    def begin(self) -> None:
        """Does nothing: no samples are drawn."""

    def summary(self, features: Tensor, places: int) -> Tensor:
        """(1, C, h, w) → (C, C + 1), as the sum over these places divided by `places`."""
        flat = features.float().flatten(2).squeeze(0)  # (C, N)
        return torch.cat([flat @ flat.T, flat.sum(dim=1, keepdim=True)], dim=1) / places

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """The sum of the tiles' moments."""
        return torch.stack(list(parts)).sum(0)

    def parts(self, joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
        """The same gradient for every tile, since the moments are a sum."""
        return [joined] * len(like)

    def mixed(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """Moments, unlike covariances, can be added up, as if one picture held all the styles."""
        return torch.stack([weight * style for style, weight in zip(styles, weights, strict=True)]).sum(0)


class Gram(Moments):
    """Gatys, Ecker & Bethge 2016; the two parts of the Gram matrix are compared separately, as it is mostly mean ·
    meanᵀ.
    """

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """The relative distance of the means plus that of the covariances."""
        (mean, covariance), (wanted_mean, wanted_covariance) = _split(found), _split(wanted)
        return relative(mean, wanted_mean) + relative(covariance, wanted_covariance)


class Wasserstein(Moments):
    """The squared Wasserstein-2 distance of the two Gaussians that have these moments (Vincent, 2017)."""

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Divided by the trace of the wanted covariance, so that it is relative."""
        (mean, covariance), (wanted_mean, wanted_covariance) = _split(found), _split(wanted)
        scale = wanted_covariance.diagonal().sum() + FLOOR * len(wanted)
        # as much as rounding may have left of a flat picture's, which is moments less moments
        moments = (found.detach().diagonal().mean() + wanted.diagonal().mean()) / 2 + FLOOR
        eye = REGULAR * moments * torch.eye(len(wanted), device=wanted.device)
        covariance, wanted_covariance = covariance + eye, wanted_covariance + eye
        traces = (covariance + wanted_covariance).diagonal().sum()
        bures = traces - 2 * trace_of_root(covariance, wanted_covariance)
        return ((mean - wanted_mean).square().sum() + bures) / scale


class SlicedWasserstein:
    """Features projected onto random directions and compared rank by rank (Heitz et al. 2021).

    Departure: only SAMPLES of a layer's places are used, different ones each time; sorting all of them would take
    longer than everything else.
    """

    def __init__(self, seed: int) -> None:
        """`seed` of the directions and the places that are drawn."""
        self._seed = seed
        self._round = 0

    def begin(self) -> None:
        """Begins an iteration with new random directions and places."""
        self._round += 1

    def summary(self, features: Tensor, places: int) -> Tensor:
        """(1, C, h, w) → (C, N), the features at N random places."""
        flat = features.flatten(2).squeeze(0)  # (C, N)
        count = max(1, round(min(places, SAMPLES) * flat.shape[1] / places))
        drawn = torch.randint(flat.shape[1], (count,), generator=self._generator())
        return flat[:, drawn.to(flat.device)].float()

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """The places of all tiles, side by side."""
        return torch.cat(list(parts), dim=1)

    def parts(self, joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
        """The gradient of each tile's own places."""
        return list(torch.split(joined, [part.shape[1] for part in like], dim=1))

    def mixed(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """As many places of each style as its weight says."""
        counts = [round(SAMPLES * weight) for weight in weights]
        return torch.cat([_stretched(one, count) for one, count in zip(styles, counts, strict=True) if count], dim=1)

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """The relative distance of values of the same rank along random directions."""
        channels = len(wanted)
        drawn = torch.randn(channels, channels, generator=self._generator()).to(wanted.device)
        axes = torch.nn.functional.normalize(drawn, dim=1)
        seen, sought = (axes @ found).sort(dim=1).values, (axes @ wanted).sort(dim=1).values
        # values of the same rank: by place in the line, where there are not as many of both
        difference = seen - _stretched(sought, seen.shape[1])
        loss: Tensor = difference.square().mean() / (sought.var(dim=1, correction=0).mean() + FLOOR)
        return loss

    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self._seed + self._round)


def style_loss_named(name: str, seed: int) -> StyleLoss:
    """The measure called `gram`, `wasserstein` or `sliced_wasserstein`; `seed` is for its random samples."""
    match name:
        case "gram":
            return Gram()
        case "wasserstein":
            return Wasserstein()
        case "sliced_wasserstein":
            return SlicedWasserstein(seed)
    raise KeyError(name)


def relative(found: Tensor, target: Tensor) -> Tensor:
    """The squared distance, divided by the square of the target."""
    return (found - target).square().sum() / (target.square().sum() + FLOOR * len(target))


def _split(summary: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (C,) and covariance (C, C)."""
    mean = summary[:, -1]
    return mean, summary[:, :-1] - torch.outer(mean, mean)


def _stretched(values: Tensor, count: int) -> Tensor:
    """(C, N) → (C, count), spread evenly."""
    if values.shape[1] == count:
        return values
    return values[:, torch.linspace(0, values.shape[1] - 1, count, device=values.device).round().long()]

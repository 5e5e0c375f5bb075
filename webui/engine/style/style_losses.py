"""How far the style of a picture is from the one wanted, layer by layer: three measures to choose from.

Each reads a *summary* off a layer's features that forgets where anything stands. Summaries of tiles can be joined, so
that a large picture is compared as a whole though it is seen in parts; those of several styles can be mixed. All is
relative to what is wanted, so that no measure depends on how large a network's activations happen to be (the
normalisation by layer of He, Wang & Hopcroft 2016), and computed in float32. Knows no networks, no pictures.
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
    """One measure."""

    def begin(self) -> None:
        """Begins another iteration, with new random samples. In between, the same features have one summary."""
        ...

    def summary(self, features: Tensor, places: int) -> Tensor:
        """Of (1, C, h, w), any number type: float32. `places` is how many the whole picture has in this layer."""
        ...

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """Of all tiles → of the picture."""
        ...

    def parts(self, joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
        """The way back, for a gradient: what of it belongs to each tile."""
        ...

    def mixed(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """Of several pictures → of the style wanted; `weights` sum to 1."""
        ...

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """≥ 0, a scalar; 0 where two summaries agree."""
        ...


class Moments:
    """The mean and the second moments of the channels, (C, C + 1): what Gram and Wasserstein share."""

    def begin(self) -> None:
        """Nothing is drawn by lot."""

    def summary(self, features: Tensor, places: int) -> Tensor:
        flat = features.float().flatten(2).squeeze(0)  # (C, N)
        return torch.cat([flat @ flat.T, flat.sum(dim=1, keepdim=True)], dim=1) / places

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(parts)).sum(0)

    def parts(self, joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
        return [joined] * len(like)

    def mixed(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """Moments, unlike covariances, may be added: it is as if one picture held both styles."""
        return torch.stack([weight * style for style, weight in zip(styles, weights, strict=True)]).sum(0)


class Gram(Moments):
    """Gatys, Ecker & Bethge 2016; the Gram matrix's two parts apart, as it is mostly mean · meanᵀ."""

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        (mean, covariance), (wanted_mean, wanted_covariance) = _split(found), _split(wanted)
        return relative(mean, wanted_mean) + relative(covariance, wanted_covariance)


class Wasserstein(Moments):
    """The squared Wasserstein-2 distance of the two Gaussians that have these moments (Vincent, 2017)."""

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
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
    """Features projected onto random directions, and compared rank by rank (Heitz et al. 2021).

    Departure: of a layer's places, SAMPLES are looked at, other ones each time; sorting all of them would
    take longer than all else.
    """

    def __init__(self, seed: int) -> None:
        """`seed` of the directions and the places that are drawn."""
        self._seed = seed
        self._round = 0

    def begin(self) -> None:
        self._round += 1

    def summary(self, features: Tensor, places: int) -> Tensor:
        flat = features.flatten(2).squeeze(0)  # (C, N)
        count = max(1, round(min(places, SAMPLES) * flat.shape[1] / places))
        drawn = torch.randint(flat.shape[1], (count,), generator=self._generator())
        return flat[:, drawn.to(flat.device)].float()

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts), dim=1)

    def parts(self, joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
        return list(torch.split(joined, [part.shape[1] for part in like], dim=1))

    def mixed(self, styles: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """As many places of each as its weight says."""
        counts = [round(SAMPLES * weight) for weight in weights]
        return torch.cat([_stretched(one, count) for one, count in zip(styles, counts, strict=True) if count], dim=1)

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
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
    """`gram`, `wasserstein` or `sliced_wasserstein`."""
    match name:
        case "gram":
            return Gram()
        case "wasserstein":
            return Wasserstein()
        case "sliced_wasserstein":
            return SlicedWasserstein(seed)
    raise KeyError(name)


def relative(found: Tensor, target: Tensor) -> Tensor:
    """The squared distance over the square of what is wanted."""
    return (found - target).square().sum() / (target.square().sum() + FLOOR * len(target))


def _split(summary: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (C,) and covariance (C, C)."""
    mean = summary[:, -1]
    return mean, summary[:, :-1] - torch.outer(mean, mean)


def _stretched(values: Tensor, count: int) -> Tensor:
    """(C, N) → (C, count), evenly along the line."""
    if values.shape[1] == count:
        return values
    return values[:, torch.linspace(0, values.shape[1] - 1, count, device=values.device).round().long()]

"""Noise: what pictures start from and what is added on the way, for each image, for variations and for walks.

Always computed on the CPU, so that a seed means the same on any device. Knows no networks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from webui.engine.pictures.latents import draw_noise, slerp
from webui.engine.sampling import Sampling
from webui.engine.unet.philox import Philox


@dataclass(frozen=True)
class Between:
    """Noise at `share` of the way from one noise to the other: a variation, or a picture on a walk.

    `only_first`: what is added on the way is that of the first alone.
    """

    one: SeededNoise
    other: SeededNoise
    share: float
    only_first: bool = False


Leaf = torch.Generator | Philox
SeededNoise = Leaf | Between


@dataclass(frozen=True)
class NoiseSource:
    """What each image draws its noise from."""

    noises: Sequence[SeededNoise]

    @classmethod
    def of(cls, asked: Sampling, indices: Sequence[int]) -> NoiseSource:
        """The sources of the images `indices`, each at the start of its seed's numbers. The ends of a walk are not
        mixed.
        """
        strength = asked.request.variation_strength
        seeded = partial(_seeded, Philox if asked.request.noise_source == "nv" else _generator)
        if asked.walk_to is None:
            return cls([seeded(asked.seed_of(index), asked.variation_seed_of(index), strength) for index in indices])
        start = seeded(asked.request.seed, asked.request.variation_seed, strength)
        end = seeded(asked.walk_to.seed, asked.walk_to.variation_seed, asked.walk_to.variation_strength)
        return cls([_between(start, end, asked.walked(index)) for index in indices])

    @property
    def generators(self) -> list[torch.Generator]:
        """The first generator of each image, for noise that is not mixed and that no program draws on a card."""
        first = [_leaves(noise)[0] for noise in self.noises]
        return [_generator(leaf.seed) if isinstance(leaf, Philox) else leaf for leaf in first]

    def initial(self, shape: Sequence[int], device: torch.device) -> Tensor:
        """(B, *shape): what each image starts from."""
        return torch.cat([_mixed(noise, _drawn(noise, shape, device)) for noise in self.noises])

    def step(self, scheduler: Any, prediction: Tensor, t: Tensor, latents: Tensor) -> Tensor:
        """What `scheduler` makes of the latents (B, C, h, w), float32, with fresh noise if it adds any."""
        if "generator" not in inspect.signature(scheduler.step).parameters:
            moved: Tensor = scheduler.step(prediction, t, latents, return_dict=False)[0]
            return moved
        if all(isinstance(noise, torch.Generator) for noise in self.noises):
            own: Tensor = scheduler.step(prediction, t, latents, return_dict=False, generator=self.generators)[0]
            return own
        return self._step_with_our_noise(scheduler, prediction, t, latents)

    def _step_with_our_noise(self, scheduler: Any, prediction: Tensor, t: Tensor, latents: Tensor) -> Tensor:
        """A step with noise that no single generator of torch's draws: it lies between those of several seeds, or comes
        from other numbers.

        Schedulers draw noise themselves and add some multiple of it. So the step runs in one batch with the noise of k
        generators of each image. The same noise is then drawn again from the generators' states, and the multiple is
        derived from the results.
        """
        k = max(2, *(len(_leaves(noise)) for noise in self.noises))
        rows = [_generators_for(noise, k) for noise in self.noises]
        generators = [one for row in zip(*rows, strict=True) for one in row]  # k after k, of B each
        states = [one.get_state() for one in generators]
        stepped = scheduler.step(
            prediction.repeat(k, 1, 1, 1), t, latents.repeat(k, 1, 1, 1), return_dict=False, generator=generators
        )[0]
        moved: Tensor = stepped.view(k, -1, *latents.shape[1:])  # (k, B, C, h, w)
        if torch.equal(states[0], generators[0].get_state()):
            first: Tensor = moved[0]  # no noise was added
            return first
        again = [torch.Generator("cpu").set_state(state) for state in states]
        drawn = draw_noise(latents.shape[1:], again, latents.device).view(moved.shape)
        apart = drawn - drawn[0]  # nothing where seeds are the same, and then there is nothing to mix
        squares = apart.square().sum((0, 2, 3, 4)).clamp_min(1e-12)
        multiple = ((moved - moved[0]) * apart).sum((0, 2, 3, 4)) / squares  # (B,), by least squares
        wanted = torch.cat([_fresh(noise, drawn[:, i : i + 1]) for i, noise in enumerate(self.noises)])
        ours: Tensor = moved[0] + multiple.view(-1, 1, 1, 1) * (wanted - drawn[0])
        return ours


def _seeded(leaf: Callable[[int], Leaf], seed: int, variation_seed: int | None, strength: float) -> SeededNoise:
    """A seed's noise, moved by `strength` towards that of another seed; A1111's, as there, only at the beginning."""
    if variation_seed is None or strength == 0:
        return leaf(seed)
    if leaf is Philox:
        return Between(leaf(seed), leaf(variation_seed), strength, only_first=True)
    return _between(leaf(seed), leaf(variation_seed), strength)


def _between(one: SeededNoise, other: SeededNoise, share: float) -> SeededNoise:
    if share in (0.0, 1.0):
        return other if share else one
    return Between(one, other, share)


def _leaves(noise: SeededNoise) -> list[Leaf]:
    return [*_leaves(noise.one), *_leaves(noise.other)] if isinstance(noise, Between) else [noise]


def _generators_for(noise: SeededNoise, count: int) -> list[torch.Generator]:
    """So many generators: the noise's own first, then any others."""
    own = [leaf for leaf in _leaves(noise) if isinstance(leaf, torch.Generator)]
    return [*own, *(_generator(seed) for seed in range(count - len(own)))]


def _drawn(noise: SeededNoise, shape: Sequence[int], device: torch.device) -> Iterator[Tensor]:
    """(1, *shape) of each leaf, in their order."""
    for leaf in _leaves(noise):
        yield leaf.randn(shape)[None].to(device) if isinstance(leaf, Philox) else draw_noise(shape, [leaf], device)


def _fresh(noise: SeededNoise, drawn: Tensor) -> Tensor:
    """(1, C, h, w): the next noise of an image, of whose generators `drawn` (k, 1, C, h, w) is."""
    if not any(isinstance(leaf, Philox) for leaf in _leaves(noise)):
        return _mixed(noise, iter(drawn))
    later = _later(noise)
    return _mixed(later, _drawn(later, drawn.shape[2:], drawn.device))


def _later(noise: SeededNoise) -> SeededNoise:
    """What is added on the way comes from this."""
    if not isinstance(noise, Between):
        return noise
    one = _later(noise.one)
    return one if noise.only_first else Between(one, _later(noise.other), noise.share)


def _mixed(noise: SeededNoise, drawn: Iterator[Tensor]) -> Tensor:
    """(1, …): the mixture that `noise` describes, of what each leaf has drawn, in their order."""
    if not isinstance(noise, Between):
        return next(drawn)
    one, other = _mixed(noise.one, drawn), _mixed(noise.other, drawn)
    return slerp(one, other, noise.share)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)

"""The way from noise to picture that a request describes: where it follows another picture, and where it ends.

Knows requests and samplings, no networks and no latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webui.engine.sampling import Sampling
from webui.requests.diffusion import Diffusion
from webui.requests.settled import SettledDiffusion
from webui.rules.branches import digest_of, image_alone, seed_alone


@dataclass(frozen=True, kw_only=True)
class Switch:
    """From here on, image `index` (from 0) of `asked` is drawn instead of what was drawn so far.

    With the same seed, only what the network is told changes; noise and scheduler continue as they are. With another
    seed (`is_renoised`), all remaining noise is drawn from it, around the denoised estimate of the step, and the
    scheduler begins there without a memory of earlier steps. So a seed has an effect with every scheduler, even with
    those that draw no noise on the way.
    """

    asked: Sampling
    index: int
    is_renoised: bool


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of the way.

    `digests` holds, for each image, the digests of all pictures whose steps are the same up to here. `until` is the
    step that it ends with, None for the last. `switch` is what follows, None for nothing.
    """

    digests: Sequence[Sequence[str]] = ()
    until: int | None = None
    switch: Switch | None = None


@dataclass(frozen=True, kw_only=True)
class BranchPlan:
    """The way as a series of segments; `digests` are those of the pictures themselves.

    If not `ends_clean`, it ends early, with the denoised estimate.
    """

    segments: tuple[Segment, ...] = (Segment(),)
    digests: Sequence[str] = ()

    @property
    def ends_clean(self) -> bool:
        """Whether all steps run."""
        return self.segments[-1].until is None

    @property
    def branched_at(self) -> int | None:
        """The step after which the picture left its origin; None if it is not a branch."""
        return self.segments[-2].until if len(self.segments) > 1 else None

    def end(self, asked: Sampling, indices: Sequence[int]) -> tuple[Sampling, Sequence[int]]:
        """What is drawn at the end, if it began with the images `indices` of `asked`."""
        switch = self.segments[-2].switch if len(self.segments) > 1 else None
        return (asked, indices) if switch is None else (switch.asked, [switch.index])


@dataclass(frozen=True, kw_only=True)
class Start:
    """What to begin with for some images of a request; for a branch, its first origin."""

    asked: Sampling
    indices: list[int]
    branch_plan: BranchPlan


def start_of(request: SettledDiffusion, asked: Sampling, indices: list[int]) -> Start:
    """Where the images `indices` (from 0) of a settled request begin; a branch makes one image at a time.

    `asked` is the request's own sampling.
    """
    alone = [image_alone(request, _place(request, index)) for index in indices]
    digests = [digest_of(one) for one in alone]
    if request.branch_from is None:
        segment = Segment(digests=[[digest] for digest in digests], until=request.stop_after)
        return Start(asked=asked, indices=indices, branch_plan=BranchPlan(segments=(segment,), digests=digests))
    chain = _gone_through(_chain(alone[0], request.stop_after))
    own = [digest_of(one) for one, _ in chain]
    segments: list[Segment] = []
    for at, (one, until) in enumerate(chain):
        following = chain[at + 1][0] if at + 1 < len(chain) else None
        switch = None if following is None else _switch(one, following)
        segments.append(Segment(digests=[own[at:]], until=until, switch=switch))
    first = chain[0][0]
    branch_plan = BranchPlan(segments=tuple(segments), digests=digests)
    return Start(asked=Sampling.of(first), indices=[_index(first)], branch_plan=branch_plan)


def _switch(before: SettledDiffusion, after: SettledDiffusion) -> Switch:
    is_renoised = seed_alone(after) != seed_alone(before)
    return Switch(asked=Sampling.of(after), index=_index(after), is_renoised=is_renoised)


def _chain(alone: SettledDiffusion, stop_after: int | None) -> list[tuple[SettledDiffusion, int | None]]:
    """The first origin and each branch in turn, with the step after which it was left."""
    found = [(alone, stop_after)]
    while (branch := found[-1][0].branch_from) is not None:
        found.append((branch.origin, branch.step))
    return found[::-1]


def _gone_through(chain: list[tuple[SettledDiffusion, int | None]]) -> list[tuple[SettledDiffusion, int | None]]:
    """Leaves out those that were left before they had become themselves: until then their origin
    was on the same way.
    """
    kept: list[tuple[SettledDiffusion, int | None]] = []
    for one, until in chain:
        kept.append((one, until))
        while len(kept) > 1 and until is not None and until <= (kept[-2][1] or 0):
            kept[-2:] = [(kept[-2][0], until)]
    return kept


def _place(request: Diffusion, index: int) -> int:
    return index if request.only_image is None else 0


def _index(alone: Diffusion) -> int:
    return alone.only_image or 0

"""The schedulers by name: ours, the label that people know, and what A1111 calls them.

The classes behind the names live in `webui/engine/schedulers.py`; a test holds both to the same set.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SchedulerName:
    """One update rule. `aliases` are names by which other programs store it; compared without case.

    Without `has_sigmas` it runs on its checkpoint's own sigmas alone, and a request for others is refused.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    has_sigmas: bool = True


SCHEDULERS: tuple[SchedulerName, ...] = (
    SchedulerName(id="euler", name="Euler", aliases=("k_euler",)),
    SchedulerName(
        id="euler_a", name="Euler a", aliases=("k_euler_a", "Euler ancestral", "euler_ancestral"), has_sigmas=False
    ),
    SchedulerName(id="heun", name="Heun", aliases=("k_heun",)),
    SchedulerName(id="lms", name="LMS", aliases=("k_lms",)),
    SchedulerName(id="dpm2", name="DPM2", aliases=("k_dpm_2",)),
    SchedulerName(id="dpm2_a", name="DPM2 a", aliases=("k_dpm_2_a",)),
    SchedulerName(id="dpmpp_2m", name="DPM++ 2M", aliases=("k_dpmpp_2m",)),
    SchedulerName(id="dpmpp_2m_sde", name="DPM++ 2M SDE", aliases=("k_dpmpp_2m_sde",)),
    SchedulerName(id="dpmpp_sde", name="DPM++ SDE", aliases=("k_dpmpp_sde",)),
    SchedulerName(id="ddim", name="DDIM", has_sigmas=False),
    SchedulerName(id="ddpm", name="DDPM", has_sigmas=False),
    SchedulerName(id="pndm", name="PLMS", aliases=("PNDM",), has_sigmas=False),
    SchedulerName(id="unipc", name="UniPC", aliases=("uni_pc", "uni_pc_bh2")),
    SchedulerName(id="deis", name="DEIS"),
    SchedulerName(id="lcm", name="LCM", has_sigmas=False),
)

SIGMAS: tuple[str, ...] = ("default", "karras", "exponential", "beta")


def _lookup() -> dict[str, str]:
    table: dict[str, str] = {}
    for scheduler in SCHEDULERS:
        for name in (scheduler.id, scheduler.name, *scheduler.aliases):
            table[name.casefold()] = scheduler.id
    return table


_BY_NAME = _lookup()
_SIGMAS_BY_NAME = {"automatic": "default", **{name: name for name in SIGMAS}}


def canonical_sigmas(name: str) -> str | None:
    """A1111's schedule type as ours: `Karras` → `karras`, `Automatic` → `default`; None if we have no such."""
    return _SIGMAS_BY_NAME.get(name.strip().casefold())


def canonical_scheduler(name: str) -> tuple[str, str | None] | None:
    """Ours for any known name, and the sigmas that an old combined name asks for.

    >>> canonical_scheduler("DPM++ 2M Karras")
    ('dpmpp_2m', 'karras')
    >>> canonical_scheduler("Euler a")
    ('euler_a', None)

    None for a name that nobody knows.
    """
    wanted = name.strip().casefold()
    if wanted in _BY_NAME:
        return _BY_NAME[wanted], None
    base, _, suffix = wanted.rpartition(" ")
    if base in _BY_NAME and suffix in ("karras", "exponential", "beta"):
        return _BY_NAME[base], suffix
    return None


def has_sigmas(scheduler: str) -> bool:
    """Whether the scheduler of this id can run on other sigmas than its checkpoint's own."""
    return any(known.has_sigmas for known in SCHEDULERS if known.id == scheduler)

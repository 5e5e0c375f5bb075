"""The schedulers by name: ours, the label that people know, and what other programs call them; and their sigmas.

The classes behind the names are in `webui/engine/schedulers/make.py`, the spacings beside it in `sigmas.py`; tests
check that both have the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

# What a flow with diffusers' Euler can be spaced by, and the rules whose classes know flows by themselves.
FLOW_SIGMAS = ("default", "karras", "exponential", "beta")
FLOW_SOLVERS = ("dpmpp_2m", "dpmpp_2m_sde", "unipc", "deis")


@dataclass(frozen=True, kw_only=True)
class SchedulerName:
    """One update rule. `aliases` are names under which other programs store it; case does not matter.

    Without `has_sigmas` it works only with its checkpoint's own sigmas, and a request for others is refused. `eta` is
    its own share of fresh noise at each step; None if that cannot be chosen. `automatic` are the sigmas that A1111 1.10
    (`modules/sd_samplers_kdiffusion.py`) uses for it when its schedule type is *Automatic*. One that `is_own` belongs
    to a single family, which works with no other.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    has_sigmas: bool = True
    has_range: bool = False  # `sigma_range` says something for it; other rules span the network's range anyway
    adds_noise: bool = False  # at every step; then a picture hangs on more than its first noise
    eta: float | None = None
    automatic: str = "default"
    is_own: bool = False


SCHEDULERS: tuple[SchedulerName, ...] = (
    SchedulerName(id="euler", name="Euler", aliases=("k_euler",), has_range=True),
    SchedulerName(
        id="euler_a",
        has_range=True,
        name="Euler a",
        aliases=("k_euler_a", "Euler ancestral", "euler_ancestral", "k_euler_ancestral"),
        adds_noise=True,
        eta=1.0,
    ),
    SchedulerName(id="heun", name="Heun", aliases=("k_heun",), has_range=True),
    SchedulerName(id="lms", name="LMS", aliases=("k_lms",), has_range=True),
    SchedulerName(id="dpm2", name="DPM2", aliases=("k_dpm_2", "dpm_2", "kdpm_2"), has_range=True, automatic="karras"),
    SchedulerName(
        id="dpm2_a",
        has_range=True,
        name="DPM2 a",
        aliases=("k_dpm_2_a", "DPM2 ancestral", "dpm_2_ancestral", "k_dpm_2_ancestral", "kdpm_2_a"),
        adds_noise=True,
        eta=1.0,
        automatic="karras",
    ),
    SchedulerName(id="dpmpp_2m", name="DPM++ 2M", aliases=("k_dpmpp_2m",), automatic="karras"),
    SchedulerName(
        id="dpmpp_2m_sde", name="DPM++ 2M SDE", aliases=("k_dpmpp_2m_sde",), adds_noise=True, automatic="exponential"
    ),
    SchedulerName(
        id="dpmpp_2m_sde_heun",
        name="DPM++ 2M SDE Heun",
        aliases=("k_dpmpp_2m_sde_heun",),
        adds_noise=True,
        automatic="exponential",
    ),
    SchedulerName(
        id="dpmpp_3m_sde", name="DPM++ 3M SDE", aliases=("k_dpmpp_3m_sde",), adds_noise=True, automatic="exponential"
    ),
    SchedulerName(id="dpmpp_sde", name="DPM++ SDE", aliases=("k_dpmpp_sde",), adds_noise=True, automatic="karras"),
    SchedulerName(id="ddim", name="DDIM", has_sigmas=False, eta=0.0),
    SchedulerName(id="ddpm", name="DDPM", has_sigmas=False, adds_noise=True),
    SchedulerName(id="pndm", name="PLMS", aliases=("PNDM",), has_sigmas=False),
    SchedulerName(id="unipc", name="UniPC", aliases=("uni_pc", "uni_pc_bh2")),
    SchedulerName(id="deis", name="DEIS", aliases=("k_deis",)),
    SchedulerName(id="lcm", name="LCM", aliases=("k_lcm",), has_sigmas=False, adds_noise=True),
    SchedulerName(id="tcd", name="TCD", has_sigmas=False, adds_noise=True, eta=0.3),
    # not a way to remove noise: tokens of a codebook, all masked at first and fewer at each step (aMUSEd)
    SchedulerName(id="unmasking", name="Unmasking", has_sigmas=False, adds_noise=True, is_own=True),
    # continuous-time consistency (Sana-Sprint): along an arc between picture and noise, with fresh noise at each step
    SchedulerName(id="scm", name="SCM", has_sigmas=False, adds_noise=True, is_own=True),
)

# Ours, with A1111's names for them.
SIGMAS_LABELS: dict[str, str] = {
    "default": "Uniform",
    "karras": "Karras",
    "exponential": "Exponential",
    "beta": "Beta",
    "simple": "Simple",
    "sgm_uniform": "SGM Uniform",
    "ays": "Align Your Steps",
}
SIGMAS = tuple(SIGMAS_LABELS)
RANGED_SIGMAS = ("karras", "exponential", "beta")  # spread between two ends, which `sigma_range` chooses

# What A1111 1.10 and its relatives offer and Darkroom does not, with the nearest that it does: their names are
# refused with a sentence, for a picture by another rule would not be the one that was asked for.
NEAREST: dict[str, str] = {
    "DPM fast": "DPM++ 2M",
    "DPM adaptive": "DPM++ 2M",
    "DPM++ 2S a": "DPM++ SDE",
    "Restart": "DPM++ 2M SDE",
    "DDIM CFG++": "DDIM",
    "HeunPP2": "Heun",
    "IPNDM": "DEIS",
    "IPNDM_V": "DEIS",
}
# The same for schedule types, without case.
NEAREST_SIGMAS: dict[str, str] = {"polyexponential": "Exponential", "kl optimal": "Align Your Steps"}
# Their names in A1111's code, which stand in stored settings.
_NEAREST_ALIASES = {
    "k_dpm_fast": "DPM fast",
    "k_dpm_ad": "DPM adaptive",
    "k_dpmpp_2s_a": "DPM++ 2S a",
    "ddim_cfgpp": "DDIM CFG++",
}

_SIGMAS_ALIASES = {
    "normal": "default",  # ComfyUI's and Forge's name for the same
    "sgmuniform": "sgm_uniform",
    "align_your_steps": "ays",
    **{label.casefold(): name for name, label in SIGMAS_LABELS.items()},
    **{name: name for name in SIGMAS},
}
# How combined names end: A1111's labels, its old short names, and InvokeAI's.
_ENDINGS = {
    " karras": "karras",
    " exponential": "exponential",
    " beta": "beta",
    " simple": "simple",
    " sgm uniform": "sgm_uniform",
    " align your steps": "ays",
    "_karras": "karras",
    "_exponential": "exponential",
    "_ka": "karras",
    "_exp": "exponential",
    "_k": "karras",
}


def _lookup() -> dict[str, str]:
    table: dict[str, str] = {}
    for scheduler in SCHEDULERS:
        for name in (scheduler.id, scheduler.name, *scheduler.aliases):
            table[name.casefold()] = scheduler.id
    return table


_BY_NAME = _lookup()
_NEAREST_BY_NAME = {name.casefold(): found for name, found in NEAREST.items()} | {
    alias: NEAREST[name] for alias, name in _NEAREST_ALIASES.items()
}


def canonical_sigmas(name: str, scheduler: str | None = None) -> str | None:
    """A1111's schedule type under our name; None if we do not have it. `scheduler` is the id of the scheduler it is
    for.

    >>> canonical_sigmas("SGM Uniform")
    'sgm_uniform'
    >>> canonical_sigmas("Automatic", "euler"), canonical_sigmas("Automatic", "dpmpp_2m")
    ('default', 'karras')
    """
    wanted = name.strip().casefold()
    if wanted == "automatic":
        return next((known.automatic for known in SCHEDULERS if known.id == scheduler), "default")
    return _SIGMAS_ALIASES.get(wanted)


def nearest_sigmas(name: str) -> str | None:
    """The label of our nearest sigmas for a schedule type that other programs have and Darkroom does not; else None."""
    return NEAREST_SIGMAS.get(name.strip().casefold())


def canonical_scheduler(name: str) -> tuple[str, str | None] | None:
    """Our id for any known name, and the sigmas that an old combined name includes.

    >>> canonical_scheduler("DPM++ 2M Karras")
    ('dpmpp_2m', 'karras')
    >>> canonical_scheduler("Euler a")
    ('euler_a', None)
    >>> canonical_scheduler("k_dpmpp_2m_sde_ka")
    ('dpmpp_2m_sde', 'karras')

    None for an unknown name.
    """
    wanted = name.strip().casefold()
    if wanted in _BY_NAME:
        return _BY_NAME[wanted], None
    for ending, sigmas in _ENDINGS.items():
        base = wanted.removesuffix(ending)
        if base != wanted and base in _BY_NAME and scheduler_named(_BY_NAME[base]).has_sigmas:
            return _BY_NAME[base], sigmas
    return None


def nearest_scheduler(name: str) -> str | None:
    """The label of our nearest scheduler for one that other programs have and Darkroom does not; else None."""
    wanted = name.strip().casefold()
    for ending in ("", *_ENDINGS):
        if wanted.endswith(ending) and wanted.removesuffix(ending) in _NEAREST_BY_NAME:
            return _NEAREST_BY_NAME[wanted.removesuffix(ending)]
    return None


def scheduler_named(scheduler: str) -> SchedulerName:
    """The row with this id. Raises KeyError if there is none."""
    for known in SCHEDULERS:
        if known.id == scheduler:
            return known
    raise KeyError(scheduler)


def has_sigmas(scheduler: str) -> bool:
    """Whether the scheduler with this id works with sigmas other than its checkpoint's own."""
    return any(known.has_sigmas for known in SCHEDULERS if known.id == scheduler)


def adds_noise(scheduler: str, eta: float | None = None) -> bool:
    """Whether the scheduler adds fresh noise on the way, at this `eta` (None: its own)."""
    known = scheduler_named(scheduler)
    return known.adds_noise if eta is None or known.eta is None else eta > 0

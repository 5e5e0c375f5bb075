"""The content of the manual's tables, taken from the declarations: fields, flags, routes,
schedulers, families, errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui.capabilities import Capability
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import Family
from webui.docs.declared_fields import field_rows
from webui.docs.tables import Table, code, plain
from webui.schedulers import SCHEDULERS
from webui.settings import ROOT, Settings
from webui.texts import Language, Texts

_HEADINGS: Mapping[Language, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "fields": ("field", "tasks", "values", "default", "meaning"),
        "flags": ("flag", "default", "meaning"),
        "routes": ("call", "answer"),
        "schedulers": ("scheduler", "id", "also called", "other sigmas", "adds noise", "eta"),
        "families": (
            "family",
            "tasks",
            "masks",
            "scheduler",
            "negative prompt",
            "size",
            "steps",
            "guidance",
            "previews",
            "tested",
        ),
        "errors": ("kind", "status", "what happened", "what helps"),
    },
    "zh-CN": {"schedulers": ("采样器", "id", "别名", "可换噪声调度", "加入噪声", "eta")},
}
_YES: Mapping[Language, str] = {"en": "yes", "zh-CN": "是"}
_NO: Mapping[Language, str] = {"en": "no", "zh-CN": "否"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is declared in higher layers than the manual's: the app's calls, such as `GET /api/jobs`, and the HTTP
    status of each kind of error.
    """

    routes: tuple[str, ...]
    statuses: Mapping[str, int]


def table(name: str, language: Language, facts: Facts, texts: Texts) -> Table:
    """The table with this name. Raises KeyError if there is none in this language."""
    columns = _HEADINGS[language][name]
    match name:
        case "fields":
            return Table(columns=columns, rows=field_rows(), has_prose=True)
        case "flags":
            return Table(columns=columns, rows=tuple(_flags()))
        case "routes":
            rows = tuple((code(route),) for route in facts.routes)
            return Table(columns=columns, rows=rows, has_prose=True, keeps_order=True)
        case "schedulers":
            return Table(columns=columns, rows=tuple(_schedulers(language)))
        case "families":
            return Table(columns=columns, rows=tuple(_family_row(family) for family in _by_name()), has_prose=True)
        case _:
            return Table(columns=columns, rows=tuple(_errors(language, facts, texts)))


def _flags() -> Iterable[tuple[str, ...]]:
    for name, field in Settings.model_fields.items():
        value = " USER:PASSWORD" if name == "auth" else ""
        meaning = plain(field.description or "")
        yield code(f"--{name.replace('_', '-')}{value}"), _flag_default(field.default), meaning


def _flag_default(default: Any) -> str:
    match default:
        case False:
            return "off"
        case None | ():
            return "–"
        case Path():
            return code(default.relative_to(ROOT).as_posix())
        case _:
            return code(str(default))


def _schedulers(language: Language) -> Iterable[tuple[str, ...]]:
    yes, no = _YES[language], _NO[language]
    for known in SCHEDULERS:
        aliases = ", ".join(map(code, known.aliases)) or "–"
        eta = "–" if known.eta is None else f"0–1 ({known.eta:g})"
        other, noise = yes if known.has_sigmas else no, yes if known.adds_noise else no
        yield known.name, code(known.id), aliases, other, noise, eta


def _by_name() -> list[Family]:
    """The families of our own loop first, then the others by name."""
    return sorted(FAMILIES.values(), key=lambda family: (family.adapter is not None, family.name.casefold()))


def _family_row(family: Family) -> tuple[str, ...]:
    own = family.defaults
    names = {known.id: known.name for known in SCHEDULERS}
    schedulers = ", ".join(names[one] for one in family.schedulers) if family.schedulers else "any that fits its noise"
    return (
        family.name,
        "text, image" if family.image_pipeline else "text",
        "yes" if Capability.INPAINTING in family.capabilities else "no",
        schedulers,
        "yes" if Capability.NEGATIVE_PROMPT in family.capabilities else "no",
        f"{own.width}×{own.height}",
        str(own.steps),
        f"{own.guidance_scale:g}",
        _previews(family),
    )


def _previews(family: Family) -> str:
    if family.schedulers == ("unmasking",):
        return "its tokens, decoded so far"
    return "table" if family.latent_to_rgb else "fitted to its VAE"


def _errors(language: Language, facts: Facts, texts: Texts) -> Iterable[tuple[str, ...]]:
    kinds = sorted(key.removeprefix("error.") for key in texts.keys(language) if key.startswith("error."))
    for kind in kinds:
        status = str(facts.statuses.get(kind, "–"))
        said = (plain(texts.pattern(f"{part}.{kind}", language)) for part in ("error", "hint"))
        yield code(kind), status, *said

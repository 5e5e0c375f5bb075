"""Sentences for people: one and a hint for every kind of error, in English and in Simplified Chinese.

An error travels as data (`kind`, `details`); the page and the API look up its words when they show it. The catalogues
are flat JSON, `error.<kind>` and `hint.<kind>`, with blanks `{name}` for the error's details. A detail `reason` may be
a code: if the catalogue has `reason.<code>`, that sentence, with its own blanks filled, takes its place. Knows no HTTP
and no page.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from webui.errors import Detail

Language = Literal["en", "zh-CN"]
LANGUAGES: tuple[Language, ...] = ("en", "zh-CN")

_PLACE = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[/\\](?:[^/\\\s,]+[/\\])*([^/\\\s,]+)[/\\]?")
_LOCALES = Path(__file__).resolve().parent / "locales"


class Texts:
    """The catalogues, read once."""

    def __init__(self, folder: Path = _LOCALES, *, are_for_guests: bool = False) -> None:
        """`are_for_guests`: the sentences may reach people on other machines, who see only the last part of a path."""
        self._are_for_guests = are_for_guests
        self._catalogues: dict[Language, dict[str, str]] = {
            language: json.loads((folder / f"{language}.json").read_text("utf-8")) for language in LANGUAGES
        }

    def word(self, kind: str, details: Mapping[str, Detail], language: Language) -> tuple[str, str]:
        """Sentence and hint for an error. A kind without a sentence reads like `internal`."""
        known = kind if f"error.{kind}" in self._catalogues[language] else "internal"
        shown = {name: _without_place(value) for name, value in details.items()} if self._are_for_guests else details
        values = {**shown, **_smaller(details)}
        if f"reason.{values.get('reason')}" in self._catalogues[language]:
            values["reason"] = self.text(f"reason.{values['reason']}", language, values)
        return self.text(f"error.{known}", language, values), self.text(f"hint.{known}", language, values)

    def reason(self, details: Mapping[str, Detail], language: Language) -> str:
        """The detail `reason` as a part of a sentence; "" if there is none."""
        reason = str(details.get("reason", ""))
        known = f"reason.{reason}" in self._catalogues[language]
        return self.text(f"reason.{reason}", language, {**details, **_smaller(details)}) if known else reason

    def text(self, key: str, language: Language, details: Mapping[str, Detail] | None = None) -> str:
        """One sentence with its blanks filled. Raises KeyError for an unknown key."""
        return _Filler().vformat(self._catalogues[language][key], (), dict(details or {}))

    def pattern(self, key: str, language: Language) -> str:
        """One sentence with its blanks still as `{name}`. Raises KeyError for an unknown key."""
        return self._catalogues[language][key].replace("{{", "{").replace("}}", "}")

    def keys(self, language: Language) -> frozenset[str]:
        """Every key of a catalogue."""
        return frozenset(self._catalogues[language])

    def blanks(self, key: str, language: Language) -> frozenset[str]:
        """The names of the blanks in a sentence."""
        parsed = string.Formatter().parse(self._catalogues[language][key])
        return frozenset(name for _, name, _, _ in parsed if name)


def _without_place(value: Detail) -> Detail:
    r"""The value with `…/` in place of what leads to the files and folders that it names.

    >>> _without_place("/home/anna/models, D:\\data\\outputs")
    '…/models, …/outputs'
    """
    return _PLACE.sub(r"…/\1", value) if isinstance(value, str) else value


def _smaller(details: Mapping[str, Detail]) -> dict[str, Detail]:
    """A size to try instead of one that was too large: three quarters of each side, in steps of 64 pixels."""
    sides = {name: details.get(name) for name in ("width", "height")}
    return {
        f"smaller_{name}": max(64, round(side * 0.75 / 64) * 64)
        for name, side in sides.items()
        if isinstance(side, int | float)
    }


class _Filler(string.Formatter):
    """Fills blanks by name only: no attributes, no indexing; a missing value becomes a dash."""

    def get_field(self, field_name: str, args: object, kwargs: Mapping[str, object]) -> tuple[object, str]:
        """See string.Formatter."""
        value = kwargs.get(field_name, "")
        return "–" if value == "" else value, field_name


def language_of(accept_language: str | None) -> Language:
    """The language of ours that an `Accept-Language` header asks for first; English when it names none of them.

    >>> language_of("zh-TW,zh;q=0.9,en;q=0.8")
    'zh-CN'
    >>> language_of("de-DE,de;q=0.9")
    'en'
    """
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept_language or "").split(",")[:32]:
        tag, _, parameters = part.strip().partition(";")
        name = tag.strip().lower()
        language = "zh-CN" if name.split("-")[0] == "zh" else "en" if name.split("-")[0] == "en" else None
        if language and (quality := _quality(parameters)) > best[0]:
            best = (quality, cast(Language, language))
    return best[1]


def _quality(parameters: str) -> float:
    """`q=0.8` → 0.8; 1 when it is not given, 0 when it cannot be read."""
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0

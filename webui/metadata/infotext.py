"""A1111's line of settings, as A1111, Forge and SD.Next write it: the prompts on lines of their own, then `Name: value`
pairs with commas.

It is read in a single pass, whatever the text; a regular expression that tries every beginning of every name takes
minutes for megabytes of letters. Knows no settings of ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from webui.requests.infotext_names import NEGATIVE_PROMPT, NEGATIVE_TEMPLATE, TEMPLATE

MAX_CHARACTERS = 512 * 1024
MAX_PAIRS = 300
_LEAST_PAIRS = 3  # in a line that is no part of the prompt; A1111's own rule
_NAME = re.compile(r"\w[\w \-/+.()]{1,63}")
_STRING = re.compile(r'"(?:\\.|[^"\\])*+"')
_DECODER = json.JSONDecoder()
_MAX_BROKEN = 16  # lists and objects that do not end are looked for so often in one text
_NEGATIVE = f"{NEGATIVE_PROMPT}:"
_SDNEXT_NAMES = frozenset({"app", "parser", "pipeline", "operations"})  # names that no other program writes
_SDNEXT_LINES = {f"{name.casefold()}:": name for name in (TEMPLATE, NEGATIVE_TEMPLATE)}


@dataclass(frozen=True, kw_only=True)
class Infotext:
    """`pairs` by the names in the text, in order; if a name occurs twice, the first one counts."""

    prompt: str
    negative_prompt: str
    pairs: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The value of a pair, whatever the case of its name."""
        return next((value for known, value in self.pairs.items() if known.casefold() == name.casefold()), None)


def read_infotext(text: str) -> Infotext | None:
    """The parsed text; None if it is not such a text: no line has three pairs with steps or a seed among them."""
    lines = text[:MAX_CHARACTERS].strip().split("\n")
    found = _line_of_pairs(lines)
    if found is None:
        return None
    number, pairs = found
    is_sdnext = any(name.casefold() in _SDNEXT_NAMES for name in pairs)
    parts: dict[str, list[str]] = {"prompt": [], "negative_prompt": []}
    part = "prompt"
    for line in (line.strip() for line in lines[:number]):
        template = next((name for start, name in _SDNEXT_LINES.items() if line.casefold().startswith(start)), None)
        if line.startswith(_NEGATIVE):
            part, line = "negative_prompt", line.removeprefix(_NEGATIVE).strip()
        elif is_sdnext and template is not None:
            part, line = template, line.partition(":")[2].strip()
        parts.setdefault(part, []).append(line)
    texts = {name: "\n".join(part).strip() for name, part in parts.items()}
    prompt, negative_prompt = texts.pop("prompt"), texts.pop("negative_prompt")
    return Infotext(prompt=prompt, negative_prompt=negative_prompt, pairs=texts | pairs)


def _line_of_pairs(lines: list[str]) -> tuple[int, dict[str, str]] | None:
    """Where the pairs begin, and all of them: in the last line, or in several lines (SD.Next and extensions)."""
    pairs = read_pairs(lines[-1])
    if _are_settings(pairs):
        return len(lines) - 1, pairs
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].lstrip().startswith("Steps:"):
            pairs = read_pairs(", ".join(lines[number:]))
            return (number, pairs) if _are_settings(pairs) else None
    return None


def _are_settings(pairs: dict[str, str]) -> bool:
    return len(pairs) >= _LEAST_PAIRS and not {"steps", "seed"}.isdisjoint(name.casefold() for name in pairs)


def read_pairs(line: str) -> dict[str, str]:
    """Reads `Name: value` between commas. A value with commas is JSON: a string, a list or an object; the latter two
    are kept as they are. Anything else is skipped.
    """
    pairs: dict[str, str] = {}
    at = broken = 0
    while at < len(line) and len(pairs) < MAX_PAIRS:
        comma = line.find(",", at)
        end = len(line) if comma < 0 else comma
        colon = line.find(":", at, end)
        if colon < 0:
            at = end + 1
            continue
        name = line[at:colon].strip()
        start = colon + 1
        while start < len(line) and line[start].isspace():
            start += 1
        start = min(start, len(line))
        after = None
        if line[start : start + 1] in ("[", "{") and broken < _MAX_BROKEN:
            after = _end_of_json(line, start)
            broken += after is None
        value, at = _value(line, start, end) if after is None else (line[start:after], after + 1)
        if value and _NAME.fullmatch(name):
            pairs.setdefault(name, value)
    return pairs


def _end_of_json(line: str, start: int) -> int | None:
    """Where the list or object that starts at `start` ends; None if none does, or if more than a comma follows."""
    try:
        _, end = _DECODER.raw_decode(line, start)
    except (ValueError, RecursionError):
        return None
    while end < len(line) and line[end].isspace():
        end += 1
    return end if end == len(line) or line[end] == "," else None


def _value(line: str, start: int, end: int) -> tuple[str, int]:
    """The value from `start`, and where the next pair begins; `end` is the next comma."""
    quoted = _STRING.match(line, start)
    if quoted:
        after = quoted.end()
        while after < len(line) and line[after].isspace():
            after += 1
        if after == len(line) or line[after] == ",":
            try:
                return str(json.loads(quoted[0])), after + 1
            except ValueError:
                return quoted[0], after + 1
    return line[start : max(start, end)].strip(), max(start, end) + 1

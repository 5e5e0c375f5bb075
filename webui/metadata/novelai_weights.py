"""Rewrites NovelAI's weights in a prompt as A1111's: `{red}` is 1.05 times as strong, `[red]` as weak, `1.3::red::` 1.3
times. Round brackets are plain text there.
"""

from __future__ import annotations

import re

_STEP = 1.05
_PIECE = re.compile(r"(-?\d{1,3}(?:\.\d{1,4})?)::|::|[{}\[\]()\\]")
_CLOSES = {"}": "{", "]": "[", "::": "::"}


def as_a1111_weights(text: str) -> tuple[str, bool]:
    r"""The text with its weights as A1111 writes them, and whether all could be rewritten; others stay as they are.

    >>> as_a1111_weights("{{red}} fox (animal), 1.3::snow::")
    ('((red:1.05):1.05) fox \\(animal\\), (snow:1.3)', True)
    >>> as_a1111_weights("[[red")
    ('\\[\\[red', False)
    """
    parts: list[str] = []
    opened: list[tuple[str, int, str]] = []  # bracket, where in `parts`, weight
    is_sure, at = True, 0
    for found in _PIECE.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        sign = "::" if found[0].endswith("::") else found[0]
        if sign in ("{", "[") or found[1]:
            if found[1] and opened and opened[-1][0] == "::":  # a new number ends the one before it
                parts.append(f":{opened.pop()[2]})")
            weight = found[1] or str(_STEP if sign == "{" else round(1 / _STEP, 4))
            is_sure = is_sure and not weight.startswith("-")
            opened.append((sign, len(parts), weight))
            parts.append("(")
        elif sign in _CLOSES and opened and opened[-1][0] == _CLOSES[sign]:
            parts.append(f":{opened.pop()[2]})")
        elif sign in _CLOSES:
            is_sure = False
            parts.append(sign if sign in ("::", "}") else f"\\{sign}")
        else:
            parts.append(f"\\{sign}")
    parts.append(text[at:])
    for bracket, place, weight in opened:
        is_sure = False
        parts[place] = f"{weight}::" if bracket == "::" else "{" if bracket == "{" else "\\["
    return "".join(parts), is_sure

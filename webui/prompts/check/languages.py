"""Prompts in a language that the checkpoint does not read, told by their script. Knows no tokenizers."""

from __future__ import annotations

import re

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.languages import reads_english_alone
from webui.prompts.check.report import Note

# Code of the note → characters that only this kind has; the first that occurs counts, since Japanese has Han, too.
_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(f"[{characters}]"))
    for code, characters in (
        (
            "english_only_japanese",
            r"\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d",
        ),  # but ・, which Chinese has, too
        ("english_only_korean", r"\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"),
        ("english_only_chinese", r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"),
        ("english_only_cyrillic", r"\u0400-\u052f"),
        ("english_only", r"\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f"),  # Hebrew, Arabic, India's scripts, Thai
    )
)


def language_notes(text: str, checkpoint: Checkpoint) -> list[Note]:
    """At most one note: that the checkpoint reads English alone, worded for the script that the text is in."""
    if not reads_english_alone(checkpoint):
        return []
    found = (code for code, characters in _SCRIPTS if characters.search(text))
    return [Note(code=code, level="warning") for code in list(found)[:1]]

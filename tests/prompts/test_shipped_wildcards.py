"""The wildcard files that ship: each can be drawn from, nested ones lead somewhere, and both languages are there."""

from __future__ import annotations

import re

import pytest

from webui.prompts.a1111 import parse
from webui.prompts.templates import settle
from webui.prompts.wildcards import Wildcards
from webui.settings import ROOT

WILDCARDS = Wildcards(ROOT / "presets" / "wildcards")
NAMES = WILDCARDS.look().names


def test_there_are_some_in_both_languages() -> None:
    assert {"colours", "scene", "styles/painting", "zh/场景"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_can_be_drawn(name: str) -> None:
    found = {settle(f"__{name}__", str(seed), WILDCARDS) for seed in range(100)}
    assert len(found) >= min(4, len(WILDCARDS.look().values(name)))
    for text in found:
        assert text.strip()
        assert not re.search(r"__|[{}]|::", text), text
        assert parse(text).parts[0].timeline.is_constant
        assert bool(re.search(r"[\u4e00-\u9fff]", text)) == name.startswith("zh/")

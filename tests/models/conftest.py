"""What the tests of all recipes share."""

from __future__ import annotations

import pytest


class CountedClock:
    """A clock that counts looks at it instead of seconds: what is trained does not depend on how busy a machine is."""

    def __init__(self, minutes: float, spent_seconds: float = 0.0) -> None:
        self.total_seconds = minutes * 60
        self.spent_seconds = spent_seconds

    @property
    def progress(self) -> float:
        """A second has gone by at every look."""
        self.spent_seconds += 1
        return min(self.spent_seconds / self.total_seconds, 1.0)


@pytest.fixture
def counted_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings count looks at their clock as seconds: three for each step, the last of which may save."""
    from models.starter.recipe import text, training  # load torch

    for recipe in (text, training):
        monkeypatch.setattr(recipe, "Clock", CountedClock)

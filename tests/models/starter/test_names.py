"""English plurals and articles."""

from __future__ import annotations

import pytest

from models.starter.recipe.names import article, plural


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("cat", "cats"),
        ("butterfly", "butterflies"),
        ("monkey", "monkeys"),
        ("wolf", "wolves"),
        ("grey wolf", "grey wolves"),
        ("bus", "buses"),
        ("fox", "foxes"),
        ("torch", "torches"),
        ("snowman", "snowmen"),
        ("bunch of flowers", "bunches of flowers"),
        ("police car", "police cars"),
        ("glasses", "glasses"),
    ],
)
def test_plurals(one: str, several: str) -> None:
    assert plural(one) == several


@pytest.mark.parametrize(
    ("phrase", "said"), [("owl", "an owl"), ("unicorn", "a unicorn"), ("ufo", "a ufo"), ("red owl", "a red owl")]
)
def test_articles(phrase: str, said: str) -> None:
    assert article(phrase) == said

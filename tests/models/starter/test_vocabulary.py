"""The words that the checkpoint's card lists: those of its own weights, and what goes with what."""

from __future__ import annotations

import json
from pathlib import Path

from models.starter.recipe.judge import load_judge
from models.starter.recipe.values import VALUES
from models.starter.recipe.vocabulary import as_text, vocabulary_of
from webui.checkpoints.notes import Notes


def test_the_card_lists_the_words_of_its_weights(starter: Path) -> None:
    card = json.loads((starter / "darkroom.json").read_text("utf-8"))
    assert card["vocabulary"] == vocabulary_of(load_judge().values)


def test_all_words_of_the_recipe_make_a_card_that_can_be_read() -> None:
    found = vocabulary_of(VALUES)
    notes = Notes.model_validate_json(as_text({"name": "all", "vocabulary": found}))
    assert [word.en for word in notes.vocabulary["number"]] == ["a", "two", "three", "four"]
    assert len(notes.vocabulary["thing"]) >= 150
    things = {word.en: word for word in notes.vocabulary["thing"]}
    assert things["fruit"].goes_with["number"] == ()
    assert things["cat"].plural == "cats"
    assert things["cat"].measure_zh == "只"
    assert things["cat"].goes_with["hour"] == ("day", "sunset")  # a cat at night is kept for the examination
    assert "outer space" in things["spaceship"].goes_with["place"]
    assert "red" in things["car"].goes_with["colour"]
    places = {word.en: word for word in notes.vocabulary["place"]}
    assert places["room"].goes_with["weather"] == ()
    assert places["meadow"].goes_with == {}

"""Finding pictures by their words, in every script that people write prompts in."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.owners import ANN, BOB
from tests.storage.conftest import raw
from webui.requests import to_dict
from webui.requests.diffusion import ResolvedPrompt, TextToImage, WalkEnd
from webui.storage import Storage
from webui.storage.database import MIGRATIONS, Database
from webui.storage.listing import Wanted
from webui.storage.search import MAX_TERMS, match_of, words_of

PROMPTS = {
    "fox": "a red fox in the snow, café at dusk",
    "lake": "秋树环绕的宁静湖泊",
    "mixed": "赛博朋克城市 cyberpunk city, 8k",
    "kana": "東京タワー 夜",
    "hangul": "서울의 밤",
    "odd": 'say "no" <b>\' OR 1=1 -- NEAR(',
}


@pytest.fixture
def gallery(storage: Storage) -> Storage:
    for name, prompt in PROMPTS.items():
        storage.pictures.save(ANN, name, TextToImage(prompt=prompt, negative_prompt="blurry", seed=1), raw())
    storage.pictures.save(BOB, "bobs", TextToImage(prompt="a red fox of bob's", seed=1), raw())
    return storage


def found(storage: Storage, query: str, **wanted: object) -> set[str]:
    conditions = Wanted(query=query, **wanted)  # type: ignore[arg-type]
    pictures = storage.pictures.list(ANN, wanted=conditions)
    assert storage.pictures.count(ANN, conditions) == len(pictures)
    return {picture.job_id for picture in pictures}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("fox", {"fox"}),
        ("FO", {"fox"}),  # by its beginning
        ("ox", set()),
        ("snow red", {"fox"}),  # all of them, in any order
        ("snow lake", set()),
        ('"red fox"', {"fox"}),
        ('"fox red"', set()),
        ('"red fo"', set()),  # in quotes as it stands
        ("cafe", {"fox"}),  # without its accent
        ("湖", {"lake"}),
        ("湖泊", {"lake"}),
        ("泊湖", set()),
        ("宁静 秋树", {"lake"}),
        ("朋克城", {"mixed"}),
        ("城市 cyber", {"mixed"}),
        ("ｃｙｂｅｒ", {"mixed"}),  # full width
        ("タワ", {"kana"}),
        ("夜", {"kana"}),
        ("서울", {"hangul"}),
        ("밤", {"hangul"}),
        ("blurry", set(PROMPTS)),  # of the negative prompt
        ("   ", set(PROMPTS)),
    ],
)
def test_words_are_found(gallery: Storage, query: str, names: set[str]) -> None:
    assert found(gallery, query) == names


EMOJI = {
    "sea": "a lighthouse🌊🌙, stars ⭐️",
    "wave": "👋🏽 hello",
    "yellow wave": "👋 hello",
    "astronaut": "👩🏽‍🚀 on the moon",
    "rocket": "🚀 launch at 45°, ♥︎",
    "heart": "❤️‍🔥 and €5 → 1️⃣",
    "flags": "🇦🇩🇪🇺 flags",
    "german": "湖🇩🇪泊",
    "england": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "scotland": "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "runner": "🏃🏾‍♂️",
}


@pytest.fixture
def emoji(storage: Storage) -> Storage:
    for name, prompt in EMOJI.items():
        storage.pictures.save(ANN, name, TextToImage(prompt=prompt, seed=1), raw())
    return storage


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("🌊", {"sea"}),
        ("🌙🌊", {"sea"}),  # one beside the other, in any order
        ("🌊 lighthouse", {"sea"}),
        ("light🌙", {"sea"}),
        ('"🌊🌙"', {"sea"}),
        ('"🌙🌊"', set()),
        ("⭐", {"sea"}),  # typed without the sign for colour
        ("🏔️", set()),
        ("👋", {"wave", "yellow wave"}),  # of any tone
        ("👋🏽", {"wave"}),
        ("👋🏿", set()),
        ("👩‍🚀", {"astronaut"}),
        ("👩🏽‍🚀", {"astronaut"}),
        ("👩🏿‍🚀", set()),
        ("👨‍🚀", set()),
        ("🚀", {"astronaut", "rocket"}),
        ("❤", {"heart"}),
        ("❤️‍🔥", {"heart"}),
        ("♥️", {"rocket"}),
        ("45°", {"rocket"}),
        ("45", {"rocket"}),
        ("€5", {"heart"}),
        ("→", {"heart"}),
        ("1️⃣", {"heart"}),
        ("🇩🇪", {"german"}),
        ("🇦🇩", {"flags"}),
        ("🇪🇺 🇦🇩", {"flags"}),
        ("湖", {"german"}),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", {"england"}),
        ("🏴", {"england", "scotland"}),
        ("🏃", {"runner"}),
        ("🏃‍♂️", {"runner"}),
        ("hello ‍", {"wave", "yellow wave"}),  # a joiner that joins nothing
        ("️", set()),
    ],
)
def test_emoji_and_other_symbols_are_found(emoji: Storage, query: str, names: set[str]) -> None:
    assert found(emoji, query) == names


@given(st.text(st.characters(categories=("So", "Sm", "Sc", "Lo", "Mn", "Cf", "Sk")), min_size=1, max_size=12))
def test_what_is_in_a_prompt_is_found_by_all_of_it(text: str) -> None:
    """Whatever stands around it; FTS5 itself is asked."""
    match = match_of(text)
    assume(match)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE prompts USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2')"
        )
        words = words_of(json.dumps({"prompt": f"a lake, {text}, 湖"}), 0)
        connection.execute("INSERT INTO prompts VALUES (?)", (words,))
        assert connection.execute("SELECT rowid FROM prompts WHERE prompts MATCH ?", (match,)).fetchall() == [(1,)]


@pytest.mark.parametrize(
    "query",
    ["%", "*", '"', '""', "'", "!!!", "-fox", "fox*", "fox OR lake", "NEAR(fox", "words:fox", "(fox", "{fox", "^fox",
     "fox\0", "\ud800", "fox\ud800", '" OR 1=1 --', "'; DROP TABLE pictures", "a" * 5000, '"' * 500, "湖" * 3000],
)  # fmt: skip
def test_what_is_typed_is_never_syntax(gallery: Storage, query: str) -> None:
    assert found(gallery, query) <= {"fox", "odd"}
    assert len(gallery.pictures.list(ANN)) == len(PROMPTS)


def test_odd_signs_are_found_by_their_words(gallery: Storage) -> None:
    assert found(gallery, "say no near") == {"odd"}
    assert found(gallery, "fox -") == {"fox"}


def test_a_question_is_bounded() -> None:
    match = match_of(" ".join(f"word{n}" for n in range(200)))
    assert match is not None
    assert match.count('"*') == MAX_TERMS
    start = time.perf_counter()
    match_of("湖" * 10**6 + '"' * 10**6)
    assert time.perf_counter() - start < 1


def test_what_wildcards_became_and_the_checkpoint_are_words(storage: Storage) -> None:
    request = TextToImage(
        prompt="a __colour__ house",
        checkpoint="folder/dreamy_v8",
        resolved_prompts=(ResolvedPrompt(prompt="a crimson house"), ResolvedPrompt(prompt="a teal house")),
        walk_to=WalkEnd(prompt="a castle", seed=2),
        num_images=2,
        seed=1,
    )
    for position in range(2):
        storage.pictures.save(ANN, "job", request, raw(position), position)
    for query, seeds in (
        ("crimson", {0}),
        ("teal", {1}),
        ("dreamy", {0, 1}),
        ("castle", {0, 1}),
        ("folder/dreamy", {0, 1}),
    ):
        assert {picture.seed for picture in storage.pictures.list(ANN, wanted=Wanted(query=query))} == seeds, query


@pytest.mark.parametrize(
    "request_", ["", "nonsense", "[]", "null", '{"prompt": 3}', '{"resolved_prompts": 7}', "[" * 9999]
)
def test_a_row_that_cannot_be_read_has_no_words(request_: str) -> None:
    assert words_of(request_, 0) == ""


@pytest.mark.parametrize("version", [4, 5])
def test_pictures_of_before_are_found(tmp_path: Path, version: int) -> None:
    old = Database(tmp_path / "darkroom.sqlite3", MIGRATIONS[:version])
    with old.transaction() as connection:
        for number, request in enumerate((json.dumps(to_dict(TextToImage(prompt="秋树 and a fox 🦊"))), "nonsense")):
            connection.execute(
                "INSERT INTO pictures (id, owner, job_id, position, path, task, request, schema_version, seed, width,"
                " height, sha256, created) VALUES (?, 'ann', 'job', ?, 'a.png', '', ?, 1, 7, 3, 2, '', 1)",
                (f"old{number}", number, request),
            )
    old.close()
    storage = Storage(tmp_path)
    (storage.pictures.folder / "a.png").write_bytes(b"")
    for query in ("秋", "fox", "🦊"):
        (picture,) = storage.pictures.list(ANN, wanted=Wanted(query=query))
        assert (picture.id, picture.starred) == ("old0", False)
    storage.close()


def test_deleted_and_replaced_pictures_leave_no_words(gallery: Storage) -> None:
    id = gallery.pictures.list(ANN, wanted=Wanted(query="fox"))[0].id
    gallery.pictures.star(ANN, [id])
    gallery.pictures.save(ANN, "fox", TextToImage(prompt="a badger", seed=2), raw(2))
    assert found(gallery, "fox") == set()
    assert found(gallery, "badger", starred=True) == {"fox"}, "in the same place, and still a favourite"
    gallery.pictures.delete(ANN, id)
    assert found(gallery, "badger") == set()
    gallery.pictures.restore(ANN, id)
    assert found(gallery, "badger") == {"fox"}
    gallery.pictures.delete(ANN, id)
    gallery.pictures.purge(older_than_seconds=-1)
    assert gallery.database.rows("SELECT 1 FROM picture_words WHERE picture_words MATCH 'badger'") == []


def test_pages_of_what_was_found(storage: Storage) -> None:
    request = TextToImage(prompt="a lake", seed=1)
    ids = [storage.pictures.save(ANN, f"j{n}", request, raw(n)).id for n in range(5)]
    storage.pictures.save(ANN, "other", dataclasses.replace(request, prompt="a hill"), raw())
    wanted = Wanted(query="lake")
    first = storage.pictures.list(ANN, None, 3, wanted)
    second = storage.pictures.list(ANN, first[-1].id, 3, wanted)
    assert [picture.id for picture in (*first, *second)] == ids[::-1]


def test_of_a_day(storage: Storage) -> None:
    ids = [storage.pictures.save(ANN, f"j{n}", TextToImage(prompt="a lake", seed=1), raw(n)).id for n in range(4)]
    with storage.database.transaction() as connection:
        for n, id in enumerate(ids):
            connection.execute("UPDATE pictures SET created = ? WHERE id = ?", (100.0 * n, id))
    for wanted in (Wanted(since=100, until=300), Wanted(since=100, until=300, query="lake")):
        assert [picture.id for picture in storage.pictures.list(ANN, wanted=wanted)] == [ids[2], ids[1]]
        assert storage.pictures.count(ANN, wanted) == 2
    assert [picture.id for picture in storage.pictures.list(ANN, wanted=Wanted(until=100))] == [ids[0]]

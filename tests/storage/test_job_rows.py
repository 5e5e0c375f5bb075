"""The journal keeps what it is given, oddities included."""

from __future__ import annotations

import sqlite3

import pytest

from tests.owners import ANN, BOB
from webui.storage import Storage
from webui.storage.job_rows import Once
from webui.storage.owners import Owner

REQUEST = {"task": "text_to_image", "schema_version": 1, "prompt": "a lake"}


def test_a_job_from_its_beginning_to_its_end(storage: Storage) -> None:
    row = storage.jobs.insert("one", ANN, REQUEST, "waiting")
    assert storage.jobs.get("one") == row
    storage.jobs.start("one", "running")
    started = storage.jobs.get("one")
    assert started is not None
    assert (started.state, started.attempts) == ("running", 1)
    assert started.started is not None
    storage.jobs.wait_again("one", "waiting")
    storage.jobs.start("one", "running")
    events = [(1, "queued", {"position": 1}), (2, "cancelled", {})]
    storage.jobs.end("one", "cancelled", events, {"waited_seconds": 1.5})
    ended = storage.jobs.get("one")
    assert ended is not None
    assert (ended.state, ended.attempts, ended.timings) == ("cancelled", 2, {"waited_seconds": 1.5})
    assert ended.outcome == (2, "cancelled", {})
    assert storage.jobs.events("one") == events


def test_an_owner_has_each_key_once(storage: Storage) -> None:
    storage.jobs.insert("one", ANN, REQUEST, "waiting", Once(key="k", digest="d"))
    with pytest.raises(sqlite3.IntegrityError):
        storage.jobs.insert("two", ANN, REQUEST, "waiting", Once(key="k", digest="e"))
    storage.jobs.insert("three", BOB, REQUEST, "waiting", Once(key="k", digest="f"))
    found = storage.jobs.submitted(ANN, "k")
    assert found is not None
    assert (found[0].id, found[1]) == ("one", "d")
    assert storage.jobs.submitted(ANN, "other") is None
    for id in ("four", "five"):  # most have no key, and as many as they like
        storage.jobs.insert(id, ANN, REQUEST, "waiting")


def test_an_attempt_can_be_forgiven_but_never_below_none(storage: Storage) -> None:
    storage.jobs.insert("one", ANN, REQUEST, "waiting")
    storage.jobs.start("one", "running")
    for _ in range(2):
        storage.jobs.wait_again("one", "waiting", forgive=True)
    row = storage.jobs.get("one")
    assert row is not None
    assert row.attempts == 0


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE jobs; --", "%", "_", 'a"b', "a\0b", "李秀英", "🧑‍🎨" * 50, "\u202egnp", ""]
)
def test_any_owner_and_any_text(storage: Storage, text: str) -> None:
    storage.jobs.insert("one", Owner(text), {**REQUEST, "prompt": text}, "waiting")
    storage.jobs.insert("two", Owner(text + "x"), REQUEST, "waiting")
    rows = storage.jobs.of_owner(Owner(text), 10)
    assert [row.id for row in rows] == ["one"]
    assert rows[0].request["prompt"] == text
    assert storage.jobs.get(text) is None


def test_lists_newest_first_and_by_state(storage: Storage) -> None:
    for id in ("one", "two", "three"):
        storage.jobs.insert(id, ANN, REQUEST, "waiting")
    storage.jobs.start("two", "running")
    assert [row.id for row in storage.jobs.of_owner(ANN, 2)] == ["three", "two"]
    assert [row.id for row in storage.jobs.in_states(("waiting",))] == ["one", "three"]
    assert [row.id for row in storage.jobs.in_states(("waiting", "running"))] == ["one", "two", "three"]


def test_what_json_cannot_say_is_refused_before_it_is_stored(storage: Storage) -> None:
    with pytest.raises(ValueError, match="JSON"):
        storage.jobs.insert("one", ANN, {**REQUEST, "guidance_scale": float("nan")}, "waiting")
    assert storage.jobs.get("one") is None


def test_the_largest_seed(storage: Storage) -> None:
    storage.jobs.insert("one", ANN, {**REQUEST, "seed": 2**32 - 1}, "waiting")
    row = storage.jobs.get("one")
    assert row is not None
    assert row.request["seed"] == 2**32 - 1

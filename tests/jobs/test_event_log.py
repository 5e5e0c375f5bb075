"""One job's events: ids, places in the line, previews within bounds."""

from __future__ import annotations

import pytest

from tests.owners import ANN
from webui.events import Cancelled, Queued, Started, Step, from_dict
from webui.jobs.event_log import EPOCH_IDS, PREVIEW_BUDGET_BYTES, EventLog


def step(index: int, preview: bytes | None = b"jpeg") -> Step:
    return Step(index=index, total=100, phase="denoise", preview=preview)


def everything(log: EventLog) -> list[tuple[int, object]]:
    found, id = [], 0
    while (pair := log.after(id)) is not None:
        found.append(pair)
        id = pair[0]
    return found


def test_ids_rise_from_one() -> None:
    log = EventLog("job", ANN)
    assert [log.append(event) for event in (Queued(position=1), Started(), step(1))] == [1, 2, 3]
    assert log.last_id == 3
    assert log.after(1) == (2, Started())
    assert log.after(3) is None


def test_after_a_restart_they_are_higher_than_any_before() -> None:
    assert EventLog("job", ANN, epoch=2).append(Started()) == 2 * EPOCH_IDS + 1


def test_only_the_newest_place_in_the_line_is_kept() -> None:
    log = EventLog("job", ANN)
    for position in (3, 2, 1):
        log.append(Queued(position=position))
    log.append(Started())
    log.append(Queued(position=1))
    assert everything(log) == [(3, Queued(position=1)), (4, Started()), (5, Queued(position=1))]


def test_nothing_follows_the_last_event() -> None:
    log = EventLog("job", ANN)
    log.append(Cancelled())
    with pytest.raises(ValueError, match="ended"):
        log.append(step(1))


def test_previews_stay_within_their_budget_and_steps_all_stay() -> None:
    log = EventLog("job", ANN)
    size = PREVIEW_BUDGET_BYTES // 10
    for index in range(1, 101):
        log.append(step(index, bytes(size)))
    steps = [event for _, event in everything(log) if isinstance(event, Step)]
    assert [event.index for event in steps] == list(range(1, 101))
    assert [event.index for event in steps if event.preview] == list(range(91, 101))
    assert log.previews_after(95) == 5
    log.drop_previews()
    assert [event.index for _, event in everything(log) if isinstance(event, Step) and event.preview] == [100]


def test_what_is_kept_for_good_reads_back_without_previews() -> None:
    log = EventLog("job", ANN)
    log.append(Queued(position=1, eta_seconds=2.5))
    log.append(step(1))
    stored = log.stored(Cancelled())
    assert [(id, from_dict(name, values)) for id, name, values in stored] == [
        (1, Queued(position=1, eta_seconds=2.5)),
        (2, step(1, None)),
        (3, Cancelled()),
    ]

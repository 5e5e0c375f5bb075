"""Positions in the queue are told when they change, with a guess that adds up what is measured."""

from __future__ import annotations

from webui.events import Queued
from webui.jobs.estimates import Estimates
from webui.jobs.queue_positions import QueuePositions
from webui.requests.diffusion import TextToImage

REQUEST = TextToImage(checkpoint="starter", steps=10, width=64, height=64)


def test_only_news_is_told() -> None:
    told: list[tuple[str, Queued]] = []
    asked: list[None] = []

    def eta() -> float | None:
        asked.append(None)
        return 2.0

    estimates = Estimates()
    estimates.learn(REQUEST, {"running_seconds": 5.0})
    places = QueuePositions(estimates, lambda job_id, event: told.append((job_id, event)))
    places.announce([("a", REQUEST), ("b", REQUEST)], eta)
    assert told == [("a", Queued(position=1, eta_seconds=2.0)), ("b", Queued(position=2, eta_seconds=7.0))]
    places.announce([("a", REQUEST), ("b", REQUEST)], eta)
    assert (len(told), len(asked)) == (2, 1)
    places.announce([("b", REQUEST), ("c", REQUEST)], eta)
    assert [(job_id, event.position) for job_id, event in told[2:]] == [("b", 1), ("c", 2)]
    assert [places.of(job_id) for job_id in "abc"] == [0, 1, 2]
    places.clear()
    assert places.of("b") == 0


def test_what_nobody_measured_is_not_guessed() -> None:
    told: list[Queued] = []
    places = QueuePositions(Estimates(), lambda job_id, event: told.append(event))
    places.announce([("a", REQUEST), ("b", REQUEST)], lambda: 1.0)
    assert [event.eta_seconds for event in told] == [1.0, None]

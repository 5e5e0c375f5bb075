"""How long it will take, from how long it took."""

from __future__ import annotations

import pytest

from webui.jobs.estimates import Estimates
from webui.requests.diffusion import TextToImage

REQUEST = TextToImage(checkpoint="starter", steps=10, width=64, height=64)
TWICE = TextToImage(checkpoint="starter", steps=20, width=64, height=64)
OTHER = TextToImage(checkpoint="other", steps=10, width=64, height=64)


def test_nothing_is_guessed_from_nothing() -> None:
    assert Estimates().seconds(REQUEST) is None
    assert Estimates().remaining(REQUEST, {}) is None


def test_twice_the_work_takes_twice_as_long() -> None:
    estimates = Estimates()
    estimates.learn(REQUEST, {"loading_seconds": 5.0, "running_seconds": 7.0})
    assert estimates.seconds(TWICE) == pytest.approx(4.0)
    assert estimates.seconds(OTHER) is None
    assert estimates.remaining(TWICE, {"loading_seconds": 5.0, "running_seconds": 6.0}) == pytest.approx(3.0)
    assert estimates.remaining(TWICE, {"running_seconds": 60.0}) == 0.0


def test_the_newest_counts_but_does_not_decide() -> None:
    estimates = Estimates()
    estimates.learn(REQUEST, {"running_seconds": 1.0})
    estimates.learn(REQUEST, {"running_seconds": 2.0})
    seconds = estimates.seconds(REQUEST)
    assert seconds is not None
    assert 1.0 < seconds < 2.0


def test_a_job_that_did_nothing_teaches_nothing() -> None:
    estimates = Estimates()
    estimates.learn(REQUEST, {})
    assert estimates.seconds(REQUEST) is None

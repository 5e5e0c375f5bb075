"""Wrong passwords: how long an address waits, and who does not."""

from __future__ import annotations

import pytest

from webui.api.access.attempts import FREE_ATTEMPTS, LONGEST_WAIT_SECONDS, MAX_ADDRESSES, Attempts
from webui.api.http_errors import TooManyAttempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait_of(attempts: Attempts, address: str) -> int:
    try:
        attempts.check(address)
    except TooManyAttempts as error:
        return int(error.details["retry_after_seconds"])
    return 0


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    waits = []
    for _ in range(FREE_ATTEMPTS + 10):
        attempts.failed("a")
        waits.append(wait_of(attempts, "a"))
        clock.now += waits[-1]
    assert waits[: FREE_ATTEMPTS - 1] == [0] * (FREE_ATTEMPTS - 1)
    assert waits[FREE_ATTEMPTS - 1 :][:4] == [15, 30, 60, 120]
    assert waits[-1] == LONGEST_WAIT_SECONDS
    assert wait_of(attempts, "b") == 0


def test_the_right_password_or_an_hour_forgives() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for address in ("a", "b"):
        for _ in range(FREE_ATTEMPTS - 1):
            attempts.failed(address)
    attempts.succeeded("a")
    attempts.failed("a")
    assert wait_of(attempts, "a") == 0
    clock.now += 3601
    attempts.failed("b")
    assert wait_of(attempts, "b") == 0


def test_a_flood_of_addresses_takes_no_more_than_its_share() -> None:
    attempts = Attempts(Clock())
    for _ in range(FREE_ATTEMPTS):
        attempts.failed("the oldest")
    for number in range(MAX_ADDRESSES - 1):
        attempts.failed(f"address {number}")
    assert wait_of(attempts, "the oldest") > 0
    attempts.failed("one more")
    assert wait_of(attempts, "the oldest") == 0


def test_many_at_once_are_locked_out_like_one_after_the_other() -> None:
    attempts = Attempts(Clock())
    for _ in range(FREE_ATTEMPTS):
        attempts.check("a")
        attempts.failed("a")
    with pytest.raises(TooManyAttempts):
        attempts.check("a")

"""Wrong passwords where all call from one address: how long an answer takes, and that a right one comes through."""

from __future__ import annotations

import asyncio

import pytest

from webui.api.access.attempts import FREE_ATTEMPTS, Attempts
from webui.api.access.logins import Logins
from webui.api.access.origins import Caller
from webui.api.access.passwords import FAILURE_DELAY_SECONDS, Passwords
from webui.api.access.slowing import LONGEST_PAUSE_SECONDS, MAX_LOGINS, Slowing
from webui.api.http_errors import LoginWrong, TooManyAttempts

SHARED = Caller(None, is_forwarded=True)
TOLD = Caller("203.0.113.7", is_forwarded=True)
NEXT_DOOR = Caller("192.168.1.7", is_forwarded=False)


class Door:
    """Passwords on a clock that stands still, but for what they wait."""

    def __init__(self) -> None:
        self.now = 1000.0
        logins = Logins({"guest": "right", "operator": "other"}, b"secret", "cookie")
        self._passwords = Passwords(logins, Attempts(self.clock), Slowing(self.clock), self._sleep)

    def clock(self) -> float:
        return self.now

    def waits(self, caller: Caller, user: str = "guest", password: str = "wrong") -> float:
        """Seconds until the answer, which is what the password deserves."""
        before = self.now
        if password == "wrong":
            with pytest.raises(LoginWrong):
                asyncio.run(self._passwords.check(caller, user, password))
        else:
            asyncio.run(self._passwords.check(caller, user, password))
        return self.now - before

    def many_at_once(self, caller: Caller, count: int) -> int:
        """How many of so many wrong passwords are told that they are wrong, while nobody has waited yet."""

        async def run() -> list[BaseException | None]:
            return await asyncio.gather(
                *(self._passwords.check(caller, "guest", "wrong") for _ in range(count)), return_exceptions=True
            )

        return sum(isinstance(answer, LoginWrong) for answer in asyncio.run(run()))

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds


def test_each_wrong_one_takes_longer_and_the_right_one_as_long_as_the_next() -> None:
    door = Door()
    assert [door.waits(SHARED) for _ in range(FREE_ATTEMPTS)] == [FAILURE_DELAY_SECONDS] * FREE_ATTEMPTS
    paused = [door.waits(SHARED) for _ in range(40)]
    assert paused == sorted(paused)
    assert (paused[0], paused[-1]) == (FAILURE_DELAY_SECONDS, LONGEST_PAUSE_SECONDS)
    assert door.waits(SHARED, password="right") == LONGEST_PAUSE_SECONDS
    assert door.waits(SHARED, "operator", "other") == 0, "another login"


def test_a_minute_later_nobody_waits() -> None:
    door = Door()
    door.many_at_once(SHARED, 500)
    assert door.waits(SHARED, password="right") == LONGEST_PAUSE_SECONDS
    door.now += 75
    assert door.waits(SHARED, password="right") == 0


def test_many_at_once_gain_nothing_and_lock_nobody_out() -> None:
    door = Door()
    assert door.many_at_once(SHARED, 500) == 500
    assert door.waits(SHARED) == door.waits(SHARED, password="right") == LONGEST_PAUSE_SECONDS


def test_names_that_do_not_exist_are_slowed_alike() -> None:
    door = Door()
    existing, made_up = ([door.waits(SHARED, user) for _ in range(9)] for user in ("guest", "nobody\ud800" * 9999))
    assert existing == made_up


def test_an_address_that_a_proxy_tells_waits_alone_and_cannot_be_changed_for_free_guesses() -> None:
    door = Door()
    for _ in range(FREE_ATTEMPTS):
        door.waits(TOLD)
    with pytest.raises(TooManyAttempts):
        door.waits(TOLD, password="right")
    for last in range(9):
        door.waits(Caller(f"198.51.100.{last}", is_forwarded=True))
    assert door.waits(SHARED, password="right") == LONGEST_PAUSE_SECONDS
    assert door.waits(NEXT_DOOR, password="right") == 0, "who is here without a proxy"


def test_a_flood_of_names_takes_no_more_than_its_share() -> None:
    slowing = Slowing(lambda: 0.0)
    for _ in range(FREE_ATTEMPTS):
        slowing.failed("the oldest")
    for number in range(MAX_LOGINS - 1):
        slowing.failed(f"name {number}")
    assert slowing.pause_seconds("the oldest") > 0
    slowing.failed("one more")
    assert slowing.pause_seconds("the oldest") == 0

"""Checks a password: who has to wait, how long the answer takes, and whether the password is right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from webui.api import http_errors
from webui.api.access.attempts import Attempts
from webui.api.access.logins import Logins
from webui.api.access.origins import Caller
from webui.api.access.slowing import Slowing

FAILURE_DELAY_SECONDS = 0.5  # a person hardly notices it; a program that guesses does


class Passwords:
    """Used by HTTP Basic and the login form alike."""

    def __init__(
        self,
        logins: Logins,
        attempts: Attempts,
        slowing: Slowing,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._logins = logins
        self._attempts = attempts
        self._slowing = slowing
        self._sleep = sleep

    async def check(self, caller: Caller, user: str, password: str) -> None:
        """Raises TooManyAttempts before looking at the password, LoginWrong after a moment.

        Callers who share an address with everybody never have to wait for the mistakes of others. Those who came
        through a tunnel or proxy are also slowed down by login, since some of them write the forwarded address
        themselves.
        """
        if caller.address is not None:
            self._attempts.check(caller.address)
        pause = self._slowing.pause_seconds(user) if caller.is_forwarded else 0.0
        is_right = self._logins.is_right(user, password)
        if not is_right:  # counted before the wait, so that many at once gain nothing
            if caller.address is not None:
                self._attempts.failed(caller.address)
            if caller.is_forwarded:
                self._slowing.failed(user)
            pause = max(pause, FAILURE_DELAY_SECONDS)
        if pause:
            await self._sleep(pause)
        if not is_right:
            raise http_errors.LoginWrong()
        if caller.address is not None:
            self._attempts.succeeded(caller.address)

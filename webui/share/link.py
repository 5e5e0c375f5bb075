"""The public link as the page sees it: off, being opened, open or failed; and its login.

Knows no tunnel (`webui/share/tunnel.py` opens it), no HTTP, no page.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Literal

from webui.errors import DarkroomError
from webui.settings import Settings

OPERATOR, GUEST = "operator", "guest"  # the logins that are made up
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that people mix up when they read aloud: no 0/o, 1/l/i


@dataclass(frozen=True, kw_only=True)
class Share:
    """The link at one moment. `url` is set if it is `open`, `error` if it has `failed`."""

    state: Literal["off", "opening", "open", "failed"] = "off"
    url: str = ""
    error: DarkroomError | None = None


class ShareState:
    """The link's current state: written by the tunnel's thread, read by page and guard."""

    def __init__(self, share: Share | None = None) -> None:
        self._lock = threading.Lock()
        self._share = share or Share()

    @property
    def now(self) -> Share:
        """The link as it is at this moment."""
        with self._lock:
            return self._share

    def set(self, share: Share) -> None:
        """Replaces the state."""
        with self._lock:
            self._share = share


def settings_with_login(settings: Settings) -> tuple[Settings, bool]:
    """Settings in which whatever others can reach has logins, and whether they were made up for that: one for the
    operator, who is the first, and one for guests.

    A made-up password is three groups of five of 31 signs, 74 bits, drawn from the system's own source.
    """
    if not settings.is_public or settings.auth:
        return settings, False
    made_up = (f"{user}:{_password()}" for user in (OPERATOR, GUEST))
    return settings.model_copy(update={"auth": tuple(made_up)}), True


def _password() -> str:
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(5)) for _ in range(3))

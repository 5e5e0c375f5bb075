"""Whose something is: a user's name, "local" where there are no logins, or one of these in private mode.

While somebody is in private mode they are an owner of their own, whose things lie in memory alone.
"""

from __future__ import annotations

from pathlib import Path

_MARK = "\0private:"  # which no user's name holds: no command line can
_PASSING = "passing:"  # which no session's name holds


def private_owner(owner: str, session: str) -> str:
    """Who somebody is as long as they are in private mode."""
    return f"{owner}{_MARK}{session}"


def passing_owner(owner: str, token: str) -> str:
    """Who asks for something that nobody keeps: private, and gone with the answer."""
    return private_owner(owner, f"{_PASSING}{token}")


def is_passing(owner: str) -> bool:
    """Whether that is one of these."""
    return f"{_MARK}{_PASSING}" in owner


def is_private(owner: str) -> bool:
    """Whether nothing of this owner's may touch the disk."""
    return _MARK in owner


def person_of(owner: str) -> str:
    """Who that is, in private mode or not."""
    return owner.partition(_MARK)[0]


def check_place(owner: str, folder: object) -> None:
    """Raises RuntimeError where something private is about to go to the disk: a bug that nobody may notice too late."""
    if is_private(owner) and isinstance(folder, Path):
        raise RuntimeError("somebody in private mode was about to leave something on the disk")

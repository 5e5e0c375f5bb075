"""Whose something is: a user's name, "local" where there are no logins, or one of these in private mode.

While somebody is in private mode they are an owner of their own, whose things lie in memory alone.
"""

from __future__ import annotations

from pathlib import Path

_MARK = "\0private:"  # which no user's name holds: no command line can


def private_owner(owner: str, session: str) -> str:
    """Who somebody is as long as they are in private mode."""
    return f"{owner}{_MARK}{session}"


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

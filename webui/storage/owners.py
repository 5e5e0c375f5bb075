"""Who owns something: a person, or a person's private session, whose data exists only in memory."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

_MARK = "\0private:"  # which no user's name holds: no command line can
_PASSING = "passing:"  # which no session's name holds


@dataclass(frozen=True)
class Owner:
    """A person, by their user name. Their data is kept on the disk, and logs may name it."""

    name: str
    is_private: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """The owner's name in database columns and folder names; `owner_of_key` reads it back."""
        return self.name

    def __conform__(self, protocol: type[sqlite3.PrepareProtocol]) -> str:
        return self.key


@dataclass(frozen=True)
class PrivateOwner(Owner):
    """A person in private mode, who is a separate owner while the session lasts: nothing of theirs may touch the disk.

    `is_passing`: the session lasts for a single answer, and its data goes with it.
    """

    session: str
    is_passing: bool = False
    is_private: ClassVar[bool] = True

    @property
    def key(self) -> str:
        """As in Owner, and never the same as a person's."""
        return f"{self.name}{_MARK}{_PASSING if self.is_passing else ''}{self.session}"


LOCAL = Owner("local")  # whose everything is where there are no logins


def owner_of_key(key: str) -> Owner:
    """The owner with this key."""
    name, mark, session = key.partition(_MARK)
    if not mark:
        return Owner(name)
    return PrivateOwner(name, session.removeprefix(_PASSING), session.startswith(_PASSING))


def check_place(owner: Owner, folder: object) -> None:
    """Raises RuntimeError if something private is about to be written to the disk, which would be a bug."""
    if owner.is_private and isinstance(folder, Path):
        raise RuntimeError("somebody in private mode was about to leave something on the disk")

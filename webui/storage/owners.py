"""Who owns something: a person, or a person's private session, whose things exist in memory only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

_MARK = "\0private:"  # which no user's name holds: no command line can
_PASSING = "passing:"  # which no session's name holds


@dataclass(frozen=True)
class Owner:
    """A person by their user name. What is theirs is kept on the disk and may be named in logs."""

    name: str
    is_private: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """What stands for this owner in a database's columns and in the names of folders; `owner_of_key` reads it."""
        return self.name

    def __conform__(self, protocol: type[sqlite3.PrepareProtocol]) -> str:
        return self.key


@dataclass(frozen=True)
class PrivateOwner(Owner):
    """A person in private mode, an owner of their own as long as the session lasts: nothing of it may touch the disk.

    `is_passing`: the session is one answer, and its things go with it.
    """

    session: str
    is_passing: bool = False
    is_private: ClassVar[bool] = True

    @property
    def key(self) -> str:
        """As Owner's, and never the same as a person's."""
        return f"{self.name}{_MARK}{_PASSING if self.is_passing else ''}{self.session}"


LOCAL = Owner("local")  # whose everything is where there are no logins


def owner_of_key(key: str) -> Owner:
    """Whose key that is."""
    name, mark, session = key.partition(_MARK)
    if not mark:
        return Owner(name)
    return PrivateOwner(name, session.removeprefix(_PASSING), session.startswith(_PASSING))


def check_place(owner: Owner, folder: object) -> None:
    """Raises RuntimeError where something private is about to go to the disk: a bug that nobody may notice too late."""
    if owner.is_private and isinstance(folder, Path):
        raise RuntimeError("somebody in private mode was about to leave something on the disk")

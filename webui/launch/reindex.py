"""`python launch.py reindex`: rebuilds the database from the pictures, and reports the result on the console.

Like `serve.py` and `docs.py`, and unlike the rest of the launcher, it needs the packages.
"""

from __future__ import annotations

import logging

from webui.errors import DarkroomError
from webui.launch.console import Console
from webui.launch.launch_error import LaunchError
from webui.launch.serve import read_settings
from webui.settings import Settings
from webui.storage.adoption import Rebuilt
from webui.storage.owners import LOCAL, Owner
from webui.storage.reindexing import Reindexed
from webui.storage.reindexing import reindex as rebuild
from webui.texts import Texts

_SAY_EVERY = 1000  # files
_NAMED = 5  # files and folders that are called by name


def reindex(arguments: list[str], console: Console) -> int:
    """Exit code 0, even if some files could not be read. Raises LaunchError."""
    settings = read_settings(arguments)
    logging.basicConfig(level=logging.ERROR)
    told = 0

    def say(looked: int) -> None:
        nonlocal told
        if looked - told >= _SAY_EVERY:
            told = looked
            console.line("reindex_looked", count=looked)

    console.line("reindex_begins", folder=str(settings.data_dir))
    try:
        done = rebuild(settings.data_dir, _owners(settings), say)
    except DarkroomError as error:
        message, hint = Texts().word(error.kind, error.details, console.language)
        raise LaunchError("app", message=message, hint=hint) from error
    _tell(done, console)
    return 0


def _owners(settings: Settings) -> list[Owner]:
    return [LOCAL, *map(Owner, settings.logins)]


def _tell(done: Reindexed, console: Console) -> None:
    rebuilt: Rebuilt = done.rebuilt
    console.line("reindex_found", pictures=rebuilt.pictures, owners=rebuilt.owners)
    console.line("reindex_marks", starred=rebuilt.starred, boards=rebuilt.boards)
    console.line("reindex_lost")
    if rebuilt.foreign:
        console.line("reindex_foreign", count=rebuilt.foreign)
    if rebuilt.unreadable:
        console.line("reindex_unreadable", count=len(rebuilt.unreadable), names=_names(rebuilt.unreadable))
    if rebuilt.ownerless:
        console.line("reindex_ownerless", names=_names(rebuilt.ownerless))
    if done.kept is not None:
        console.line("reindex_kept", file=done.kept.name)


def _names(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")

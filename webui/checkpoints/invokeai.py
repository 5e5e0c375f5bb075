"""What InvokeAI's database says of the files below its folder `models/`: the names that people gave them, their kinds.

Newer versions keep every model in a folder that is called after its key, so that no name of a folder tells its kind.
The database is read and never written or waited for; where it cannot be read, files have the names that they have.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

DATABASE = Path("databases", "invokeai.db")  # below the program's folder
_MAX_MODELS = 20_000
_MAX_CONFIG_BYTES = 2**20  # what Civitai answered is among it
_MAX_SECONDS = 2.0
_MAX_NAME_CHARACTERS = 200
_WAL = 2  # the format of writing, bytes 18 and 19 of the file
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Records:
    """`names` by path below `models/`; `types` in InvokeAI's words, by the folder of a model that is called after its
    key."""

    names: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def read_records(program: Path) -> Records:
    """What the database in the program's folder says; nothing where there is none, or none that can be read."""
    file = program / DATABASE
    if not file.is_file():
        return Records()
    import sqlite3  # late: few have such a folder, and the engine loads no database otherwise

    records = Records()
    try:
        with closing(sqlite3.connect(_address(file), uri=True, timeout=0.2)) as database:
            for config in _configs(database):
                _take(records, config, program / "models")
    except (sqlite3.Error, OSError) as error:
        _log.warning("cannot read the names in %s: %s", file, error)
        return Records()
    return records


def _address(file: Path) -> str:
    """Such that nothing is written beside it: a database with a write-ahead log would get two more files, unless the
    program that is running has made them.
    """
    with open(file, "rb") as opened:
        is_wal = _WAL in opened.read(20)[18:]
    has_files = all(file.with_name(file.name + ending).exists() for ending in ("-wal", "-shm"))
    return f"{file.absolute().as_uri()}?mode=ro{'&immutable=1' if is_wal and not has_files else ''}"


def _configs(database: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """Raises sqlite3.Error, also where it takes too long."""
    end = time.monotonic() + _MAX_SECONDS
    database.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    database.execute("PRAGMA trusted_schema = OFF")
    asked = "SELECT config FROM models WHERE length(config) <= ? LIMIT ?"
    for (text,) in database.execute(asked, (_MAX_CONFIG_BYTES, _MAX_MODELS)):
        try:
            config = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(config, dict):
            yield config


def _take(records: Records, config: dict[str, Any], models: Path) -> None:
    path, name = config.get("path"), config.get("name")
    if not (isinstance(path, str) and isinstance(name, str) and "\0" not in path):
        return
    below = PurePosixPath(path.replace("\\", "/"))
    if below.is_absolute():
        try:
            below = PurePosixPath(Path(path).relative_to(models).as_posix())
        except ValueError:  # it lies elsewhere
            return
    if not below.parts or ".." in below.parts:
        return
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())[:_MAX_NAME_CHARACTERS]
    if plain:
        records.names[below.as_posix()] = plain
    kind = config.get("type")
    if below.parts[0] == config.get("key") and isinstance(kind, str):
        records.types[below.parts[0]] = kind

"""The rows of jobs: one for each, written before anybody hears of the job.

Knows columns, not the life of a job; `webui/jobs/` decides that. The events of an ended job are stored with it, without
their previews, compressed (a style transfer has two thousand steps).
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

from webui.storage.database import Database
from webui.storage.owners import Owner, check_place, owner_of_key

StoredEvent = tuple[int, str, dict[str, Any]]  # id, name on the wire, fields


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One job as it is stored. Times are seconds since 1970; `epoch` counts the restarts that it has survived.

    If the row is damaged, `request` and `timings` are empty and `outcome` is None.
    """

    number: int
    id: str
    owner: Owner
    task: str
    request: dict[str, Any]
    state: str
    attempts: int
    epoch: int
    created: float
    started: float | None
    finished: float | None
    timings: dict[str, float] = field(default_factory=dict)
    outcome: StoredEvent | None = None


@dataclass(frozen=True, kw_only=True)
class Once:
    """What identifies a repeated submission: a key chosen by the caller, and a digest of what came with it."""

    key: str
    digest: str


class JobRows:
    """Every method that changes something returns once it is on the disk. All raise DiskFull and FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, id: str, owner: Owner, request: dict[str, Any], state: str, once: Once | None = None) -> JobRow:
        """Adds a new job, with `once` if given. An owner can use each key once (sqlite3.IntegrityError)."""
        check_place(owner, self._database.path if self._database.is_on_disk else None)
        created = time.time()
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO jobs (id, owner, task, request, schema_version, state, created, once_key, once_digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    id,
                    owner,
                    request["task"],
                    _json(request),
                    request["schema_version"],
                    state,
                    created,
                    once and once.key,
                    once and once.digest,
                ),
            )
        return JobRow(
            number=cursor.lastrowid or 0,
            id=id,
            owner=owner,
            task=request["task"],
            request=request,
            state=state,
            attempts=0,
            epoch=0,
            created=created,
            started=None,
            finished=None,
        )

    def start(self, id: str, state: str) -> None:
        """Begins another attempt."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, attempts = attempts + 1, started = ? WHERE id = ?", (state, time.time(), id)
            )

    def wait_again(self, id: str, state: str, *, forgive: bool = False) -> None:
        """Puts the job back into the queue; with `forgive`, the attempt does not count, since the
        job was not to blame.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, started = NULL, attempts = MAX(0, attempts - ?) WHERE id = ?",
                (state, int(forgive), id),
            )

    def new_epoch(self, ids: list[str]) -> None:
        """Counts one more restart of the program for these jobs."""
        with self._database.transaction() as connection:
            connection.executemany("UPDATE jobs SET epoch = epoch + 1 WHERE id = ?", [(id,) for id in ids])

    def end(self, id: str, state: str, events: list[StoredEvent], timings: dict[str, float]) -> None:
        """Ends the job; the last of `events` is its outcome."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, finished = ?, outcome = ?, events = ?, timings = ? WHERE id = ?",
                (
                    state,
                    time.time(),
                    _json(events[-1]),
                    zlib.compress(_json(events).encode()),
                    _json(timings),
                    id,
                ),
            )

    def get(self, id: str) -> JobRow | None:
        """One job, whoever owns it; None if it does not exist."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (id,))
        return _job_row(row) if row else None

    def submitted(self, owner: Owner, key: str) -> tuple[JobRow, str] | None:
        """The job that this owner submitted with this key, and the digest that came with it; None if there is none."""
        row = self._database.row(
            f"SELECT {_COLUMNS}, once_digest FROM jobs WHERE owner = ? AND once_key = ?", (owner, key)
        )
        return (_job_row(row), row["once_digest"]) if row else None

    def of_owner(self, owner: Owner, limit: int) -> list[JobRow]:
        """The owner's newest jobs, newest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE owner = ? ORDER BY number DESC LIMIT ?", (owner, limit)
        )
        return [_job_row(row) for row in rows]

    def in_states(self, states: tuple[str, ...]) -> list[JobRow]:
        """All jobs in one of these states, oldest first."""
        marks = ", ".join("?" for _ in states)
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM jobs WHERE state IN ({marks}) ORDER BY number", states)
        return [_job_row(row) for row in rows]

    def events(self, id: str) -> list[StoredEvent]:
        """The events of an ended job; empty for one that has not ended."""
        row = self._database.row("SELECT events FROM jobs WHERE id = ?", (id,))
        if row is None or row["events"] is None:
            return []
        return [(number, name, values) for number, name, values in json.loads(zlib.decompress(row["events"]))]

    def last_finished(self, state: str, limit: int) -> list[JobRow]:
        """The newest ended jobs in this state, the oldest of them first; their timings show how long jobs take here."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE state = ? ORDER BY number DESC LIMIT ?", (state, limit)
        )
        return [_job_row(row) for row in reversed(rows)]


_COLUMNS = "number, id, owner, task, request, state, attempts, epoch, created, started, finished, timings, outcome"


def _job_row(row: sqlite3.Row) -> JobRow:
    values = {name: row[name] for name in _COLUMNS.split(", ")}
    values["owner"] = owner_of_key(row["owner"])
    try:
        read = {name: json.loads(values[name]) for name in ("request", "timings")}
        read["outcome"] = tuple(json.loads(values["outcome"])) if values["outcome"] else None
    except (TypeError, ValueError, RecursionError):
        read = {"request": {}, "timings": {}, "outcome": None}
    return JobRow(**values | read)


def _json(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, allow_nan=False)

"""The one SQLite file: how it is opened, kept intact, brought up to date and written to.

Knows its schema, but nothing about what a job or a picture means; those who do (`job_rows`, `pictures`, `boards`,
`uploads`) write their own SQL. WAL with synchronous=FULL: a commit that has returned is on the disk, even after a power
cut.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from webui.errors import DatabaseTooNew
from webui.storage.files import naming_refusals
from webui.storage.search import words_of

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5000
IN_MEMORY = ":memory:"  # SQLite's name for a database without a file

_BEYOND_ASCII = "(length(CAST(request AS BLOB)) > length(request) OR instr(request, '\\u') > 0)"

CHECKPOINT_OF = "CASE WHEN json_valid(request) THEN json_extract(request, '$.checkpoint') END"

# One entry a version; an entry is never changed once a release had it. PRAGMA user_version counts those applied.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            task TEXT NOT NULL,
            request TEXT NOT NULL,
            schema_version INTEGER NOT NULL,
            state TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            epoch INTEGER NOT NULL DEFAULT 0,
            created REAL NOT NULL,
            started REAL,
            finished REAL,
            timings TEXT NOT NULL DEFAULT '{}',
            outcome TEXT,
            events BLOB
        ) STRICT""",
        "CREATE INDEX jobs_by_owner ON jobs (owner, number)",
        "CREATE INDEX jobs_by_state ON jobs (state, number)",
        """CREATE TABLE pictures (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            job_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            path TEXT NOT NULL,
            task TEXT NOT NULL,
            request TEXT NOT NULL,
            schema_version INTEGER NOT NULL,
            seed INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            created REAL NOT NULL,
            deleted REAL,
            UNIQUE (job_id, position)
        ) STRICT""",
        "CREATE INDEX pictures_by_owner ON pictures (owner, number)",
        "CREATE INDEX pictures_deleted ON pictures (deleted) WHERE deleted IS NOT NULL",
        """CREATE TABLE uploads (
            owner TEXT NOT NULL,
            hex TEXT NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            created REAL NOT NULL,
            PRIMARY KEY (owner, hex)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX uploads_by_hex ON uploads (hex)",
    ),
    (
        "ALTER TABLE jobs ADD COLUMN once_key TEXT",
        "ALTER TABLE jobs ADD COLUMN once_digest TEXT",
        "CREATE UNIQUE INDEX jobs_once ON jobs (owner, once_key) WHERE once_key IS NOT NULL",
    ),
    (  # uploads of before count from now on, and as nothing towards their owner's limit
        "ALTER TABLE uploads ADD COLUMN used REAL NOT NULL DEFAULT 0",
        "ALTER TABLE uploads ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0",
        "UPDATE uploads SET used = strftime('%s', 'now')",
        "CREATE INDEX uploads_by_use ON uploads (used)",
    ),
    (  # best of several: pictures of before were not judged, and all kept
        "ALTER TABLE pictures ADD COLUMN score REAL",
        "ALTER TABLE pictures ADD COLUMN rank INTEGER",
        "ALTER TABLE pictures ADD COLUMN critic TEXT",
        "ALTER TABLE pictures ADD COLUMN kept INTEGER NOT NULL DEFAULT 1",
    ),
    (  # stars, boards, and the words of what is there already
        "ALTER TABLE pictures ADD COLUMN starred INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX pictures_starred ON pictures (owner, number) WHERE starred = 1",
        "CREATE INDEX pictures_shown ON pictures (owner, number) WHERE deleted IS NULL",  # counted without the rows
        "CREATE INDEX pictures_by_day ON pictures (owner, created)",
        "CREATE INDEX pictures_by_path ON pictures (path)",
        """CREATE TABLE boards (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            created REAL NOT NULL,
            deleted REAL
        ) STRICT""",
        "CREATE UNIQUE INDEX boards_by_owner ON boards (owner, name) WHERE deleted IS NULL",
        """CREATE TABLE board_pictures (
            board INTEGER NOT NULL REFERENCES boards (number) ON DELETE CASCADE,
            picture INTEGER NOT NULL REFERENCES pictures (number) ON DELETE CASCADE,
            PRIMARY KEY (board, picture)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX board_pictures_by_picture ON board_pictures (picture)",
        "CREATE VIRTUAL TABLE picture_words USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2')",
        "INSERT INTO picture_words (rowid, words) SELECT number, words_of(request, position) FROM pictures",
    ),
    (  # emoji and other symbols are words, too; requests in ASCII have none, but perhaps escaped
        f"DELETE FROM picture_words WHERE rowid IN (SELECT number FROM pictures WHERE {_BEYOND_ASCII})",
        "INSERT INTO picture_words (rowid, words)"
        f" SELECT number, words_of(request, position) FROM pictures WHERE {_BEYOND_ASCII}",
    ),
    (  # whose first picture with a checkpoint it is
        f"CREATE INDEX pictures_by_checkpoint ON pictures (owner, {CHECKPOINT_OF}, number) WHERE deleted IS NULL",
    ),
)


class Database:
    """One connection behind one lock: SQLite has a single writer anyway, and so no thread ever waits for a busy file.

    `is_new`: the file did not exist, or it was damaged and had to be set aside (`set_aside` is then its new path).
    """

    def __init__(self, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        """Raises DatabaseTooNew, DatabaseLocked, FolderNotWritable, DiskFull."""
        self.path = path
        self.is_on_disk = str(path) != IN_MEMORY
        self.set_aside: Path | None = None
        self._lock = threading.RLock()
        self._depth = 0
        with naming_refusals(path.parent):
            self.is_new = not path.exists()
            try:
                self._connection = _open_sound(path)
            except _Damaged as error:
                self.set_aside = _set_aside(path)
                log.error("the database was damaged (%s); kept it as %s", error, self.set_aside)
                self.is_new = True
                self._connection = _open_sound(path)
            try:
                self._migrate(migrations)
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Does all of the block or none of it; it is on the disk once the block is left. Blocks of one thread may be
        nested.
        """
        with self._lock, naming_refusals(self.path.parent):
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._roll_back()
                raise
            self._depth -= 1
            if self._depth == 0:
                try:
                    self._connection.execute("COMMIT")
                except BaseException:
                    self._roll_back()
                    raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query. Values are always bound, never inserted into the SQL."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def close(self) -> None:
        """Writes the log back into the file and closes it."""
        with self._lock:
            self._connection.close()

    def close_connection(self) -> Callable[[], None]:
        """A function that closes the connection, for when this object is gone."""
        return self._connection.close

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself, when the disk was full for one
            self._connection.execute("ROLLBACK")

    def _migrate(self, migrations: Sequence[Sequence[str]]) -> None:
        found: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if found > len(migrations):
            raise DatabaseTooNew(found=found, known=len(migrations))
        for version in range(found, len(migrations)):
            with self.transaction() as connection:
                for statement in migrations[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1:d}")


class _Damaged(Exception):
    """The file is not a database, or is a corrupt one."""


def _open_sound(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000)
    connection.row_factory = sqlite3.Row
    connection.create_function("words_of", 2, words_of, deterministic=True)
    try:
        if str(path) == IN_MEMORY:
            connection.execute("PRAGMA temp_store = MEMORY")  # sorting writes nothing to the disk either
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS' fsync ends at the disk's own cache; elsewhere nothing
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS:d}")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _Damaged(verdict)
    except sqlite3.OperationalError:  # locked, read-only, no room: nothing is wrong with the file itself
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _Damaged(str(error)) from error
    except _Damaged:
        connection.close()
        raise
    return connection


def _set_aside(path: Path) -> Path:
    suffix = time.strftime(".corrupt-%Y%m%d-%H%M%S")
    kept = path.with_name(path.name + suffix)
    while kept.exists():
        kept = kept.with_name(kept.name + "-again")
    for part in ("-wal", "-shm", ""):
        piece = path.with_name(path.name + part)
        if piece.exists():
            piece.replace(kept.with_name(kept.name + part))
    return kept

"""The database file: versions, damage, locks, a full disk."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.owners import ANN
from tests.storage.conftest import raw
from webui.errors import DatabaseLocked, DatabaseTooNew, DiskFull, FolderInUse
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.database import MIGRATIONS, Database
from webui.storage.job_rows import Once
from webui.storage.owners import Owner

HOLD = """
import sys
from pathlib import Path
from webui.storage import Storage
storage = Storage(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_commits_reach_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite3")
    assert database.is_new
    (mode,) = database.rows("PRAGMA journal_mode")[0]
    (synchronous,) = database.rows("PRAGMA synchronous")[0]
    (version,) = database.rows("PRAGMA user_version")[0]
    database.close()
    assert (mode, synchronous, version) == ("wal", 2, len(MIGRATIONS))  # 2 is FULL


def test_a_block_is_all_or_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite3", [["CREATE TABLE t (x INTEGER) STRICT"]])

    def change_and_fail() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            with database.transaction() as inner:
                inner.execute("INSERT INTO t VALUES (2)")
            raise RuntimeError("out")

    with pytest.raises(RuntimeError, match="out"):
        change_and_fail()
    assert database.rows("SELECT * FROM t") == []
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (3)")
    assert [tuple(row) for row in database.rows("SELECT * FROM t")] == [(3,)]
    database.close()


def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    first = ["CREATE TABLE t (x INTEGER) STRICT", "INSERT INTO t VALUES (1)"]
    Database(path, [first]).close()
    database = Database(path, [first, ["ALTER TABLE t ADD COLUMN y TEXT", "UPDATE t SET y = 'two'"]])
    assert not database.is_new
    assert [tuple(row) for row in database.rows("SELECT * FROM t")] == [(1, "two")]
    database.close()


def test_what_the_first_version_wrote_is_all_there(tmp_path: Path) -> None:
    path = tmp_path / "data" / "darkroom.sqlite3"
    path.parent.mkdir()
    old = Database(path, MIGRATIONS[:1])
    with old.transaction() as connection:
        connection.execute(
            "INSERT INTO jobs (id, owner, task, request, schema_version, state, created)"
            " VALUES ('old', 'ann', 'text_to_image', ?, 1, 'waiting', 1)",
            ('{"task": "text_to_image", "prompt": "a lake"}',),
        )
        connection.execute(
            "INSERT INTO uploads (owner, hex, width, height, created) VALUES ('ann', ?, 3, 2, 1.5)", ("a" * 64,)
        )
    old.close()
    storage = Storage(path.parent)
    row = storage.jobs.get("old")
    assert row is not None
    assert (row.owner, row.state, row.created, row.request["prompt"]) == (ANN, "waiting", 1.0, "a lake")
    assert storage.uploads.size("sha256:" + "a" * 64) == (3, 2)
    assert storage.jobs.submitted(ANN, "") is None
    storage.jobs.insert("new", ANN, row.request | {"schema_version": 1}, "waiting", Once(key="k", digest="d"))
    assert [job.id for job in storage.jobs.of_owner(ANN, 9)] == ["new", "old"]
    storage.close()
    assert not list(path.parent.glob("*.corrupt-*"))


def test_a_failed_migration_leaves_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    Database(path, [["CREATE TABLE t (x INTEGER) STRICT"]]).close()
    broken = [["CREATE TABLE t (x INTEGER) STRICT"], ["CREATE TABLE u (x INTEGER)", "CREATE TABLE t (again INTEGER)"]]
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Database(path, broken)
    database = Database(path, broken[:1])
    assert database.rows("SELECT name FROM sqlite_master WHERE name = 'u'") == []
    database.close()


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    Database(path, [*MIGRATIONS, ["SELECT 1"]]).close()
    with pytest.raises(DatabaseTooNew) as caught:
        Database(path)
    assert caught.value.details == {"found": len(MIGRATIONS) + 1, "known": len(MIGRATIONS)}


@pytest.mark.parametrize("damage", ["text", "middle", "truncated"])
def test_a_damaged_database_is_set_aside_and_made_again_from_the_pictures(
    tmp_path: Path, request_: TextToImage, damage: str
) -> None:
    storage = Storage(tmp_path)
    infos = [storage.pictures.save(ANN, f"job{n}", request_, raw(n)) for n in range(30)]
    storage.pictures.save(Owner("李"), "other", request_, raw(99))
    storage.close()
    path = tmp_path / "darkroom.sqlite3"
    content = path.read_bytes()
    path.write_bytes(
        {
            "text": b"this is no database at all" * 100,
            "middle": content[:4096] + b"\xff" * 8192 + content[12288:],
            "truncated": content[: len(content) // 2],
        }[damage]
    )

    storage = Storage(tmp_path)
    assert storage.database.set_aside is not None
    assert storage.database.set_aside.exists()
    found = storage.pictures.list(ANN, limit=100)
    assert {picture.seed for picture in found} == {info.seed for info in infos}
    assert found[0].request["prompt"] == request_.prompt
    assert [picture.seed for picture in storage.pictures.list(Owner("李"))] == [99]
    storage.close()


def test_damage_twice_in_a_second_keeps_both(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    kept = set()
    for _ in range(2):
        path.write_bytes(b"no database" * 100)
        database = Database(path)
        kept.add(database.set_aside)
        database.close()
    assert len(kept) == 2
    assert all(file is not None and file.exists() for file in kept)


def test_a_database_that_another_program_holds_has_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.storage.database.BUSY_TIMEOUT_MS", 50)
    storage = Storage(tmp_path)
    other = sqlite3.connect(tmp_path / "darkroom.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked):
        storage.jobs.insert("one", ANN, {"task": "t", "schema_version": 1}, "waiting")
    other.execute("ROLLBACK")
    storage.jobs.insert("one", ANN, {"task": "t", "schema_version": 1}, "waiting")
    storage.close()
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseLocked) as caught:
        Storage(tmp_path)
    assert caught.value.details == {"folder": str(tmp_path)}
    other.close()
    storage = Storage(tmp_path)
    assert storage.database.set_aside is None
    assert storage.jobs.get("one") is not None
    storage.close()


def test_one_darkroom_a_folder(tmp_path: Path) -> None:
    first = Storage(tmp_path)
    with pytest.raises(FolderInUse):
        Storage(tmp_path)
    closing = threading.Thread(target=first.close)  # any thread may
    closing.start()
    closing.join()
    Storage(tmp_path).close()


def test_the_lock_holds_between_processes_and_ends_with_them(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(FolderInUse):
        Storage(tmp_path)
    other.kill()
    other.communicate()
    Storage(tmp_path).close()


def test_a_full_disk_has_a_name_and_loses_nothing(storage: Storage) -> None:
    storage.jobs.insert("before", ANN, {"task": "t", "schema_version": 1}, "waiting")
    (pages,) = storage.database.rows("PRAGMA page_count")[0]
    storage.database.rows(f"PRAGMA max_page_count = {pages}")
    large = {"task": "t", "schema_version": 1, "prompt": "x" * 100_000}
    with pytest.raises(DiskFull):
        storage.jobs.insert("too much", ANN, large, "waiting")
    assert storage.jobs.get("too much") is None
    assert storage.jobs.get("before") is not None
    storage.database.rows("PRAGMA max_page_count = 1000000")
    storage.jobs.insert("after", ANN, {"task": "t", "schema_version": 1}, "waiting")
    assert storage.jobs.get("after") is not None

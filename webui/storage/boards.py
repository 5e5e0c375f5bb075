"""Boards: pictures of the gallery put together under a name. A picture may be on any number of boards.

Deleting a board deletes no picture, and can be undone for an hour. Knows no HTTP and no file.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webui.errors import BoardExists, BoardNotFound, InvalidRequest, TooManyBoards
from webui.requests.field_types import clean_text
from webui.storage.database import Database
from webui.storage.marks import Marks
from webui.storage.owners import Owner

MAX_BOARDS = 500  # of one person
MAX_NAME_CHARACTERS = 80
KEPT_DELETED_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board with `count` pictures; `cover` is the id of the newest one. `created` is in seconds since 1970."""

    id: str
    name: str
    created: float
    count: int = 0
    cover: str | None = None


class Boards:
    """Everybody's boards. Somebody else's board is treated like one that does not exist."""

    def __init__(self, database: Database, marks: Marks) -> None:
        self._database = database
        self._marks = marks

    def list(self, owner: Owner) -> list[Board]:
        """The owner's boards, by name, ignoring case."""
        rows = self._database.rows(
            "SELECT found.id, name, found.created, count, cover.id AS cover FROM"
            " (SELECT b.id, b.name, b.created, COUNT(p.number) AS count, MAX(p.number) AS newest"
            " FROM boards AS b LEFT JOIN board_pictures AS l ON l.board = b.number"
            " LEFT JOIN pictures AS p ON p.number = l.picture AND p.deleted IS NULL"
            " WHERE b.owner = ? AND b.deleted IS NULL GROUP BY b.number) AS found"
            " LEFT JOIN pictures AS cover ON cover.number = newest",
            (owner,),
        )
        return sorted((Board(**dict(row)) for row in rows), key=lambda board: (board.name.casefold(), board.created))

    def get(self, owner: Owner, id: str) -> Board:
        """One board. Raises BoardNotFound."""
        found = next((board for board in self.list(owner) if board.id == id), None)
        if found is None:
            raise BoardNotFound(board=id[:80])
        return found

    def create(self, owner: Owner, name: str) -> Board:
        """The board of that name, which is made if it does not exist. Raises InvalidRequest, TooManyBoards."""
        name = board_name(name)
        with self._database.transaction() as connection:
            known = connection.execute(
                "SELECT id FROM boards WHERE owner = ? AND name = ? AND deleted IS NULL", (owner, name)
            ).fetchone()
            if known is not None:
                return self.get(owner, known["id"])
            count = connection.execute("SELECT COUNT(*) FROM boards WHERE owner = ?", (owner,)).fetchone()[0]
            if count >= MAX_BOARDS:
                raise TooManyBoards(limit=MAX_BOARDS)
            board = Board(id=secrets.token_urlsafe(16), name=name, created=time.time())
            self._insert(connection, owner, board)
        self._marks.name_board(owner, board.id, name)
        return board

    def bring_back(self, owner: Owner, board: Board, paths: Sequence[str]) -> None:
        """Restores a board with the pictures at these paths, after the database was lost."""
        with self._database.transaction() as connection:
            self._insert(connection, owner, board)
            connection.executemany(
                "INSERT OR IGNORE INTO board_pictures (board, picture) SELECT b.number, p.number"
                " FROM boards AS b JOIN pictures AS p ON p.owner = b.owner"
                " WHERE b.id = ? AND b.owner = ? AND p.path = ?",
                [(board.id, owner, path) for path in paths],
            )

    def rename(self, owner: Owner, id: str, name: str) -> Board:
        """Renames a board. Raises BoardNotFound, InvalidRequest, and BoardExists if another board of theirs has that
        name.
        """
        name = board_name(name)
        try:
            with self._database.transaction() as connection:
                changed = connection.execute(
                    "UPDATE boards SET name = ? WHERE id = ? AND owner = ? AND deleted IS NULL", (name, id, owner)
                )
        except sqlite3.IntegrityError as error:
            raise BoardExists(name=name) from error
        if not changed.rowcount:
            raise BoardNotFound(board=id[:80])
        self._marks.name_board(owner, id, name)
        return self.get(owner, id)

    def delete(self, owner: Owner, id: str) -> None:
        """Deletes a board, but not its pictures; may be called again. Raises BoardNotFound."""
        with self._database.transaction() as connection:
            self._touch(connection, owner, id)
            connection.execute(
                "UPDATE boards SET deleted = ? WHERE id = ? AND owner = ? AND deleted IS NULL", (time.time(), id, owner)
            )
            connection.execute("DELETE FROM boards WHERE deleted < ?", (time.time() - KEPT_DELETED_SECONDS,))
        self._marks.delete_board(owner, id)

    def restore(self, owner: Owner, id: str) -> Board:
        """Undoes `delete`. Raises BoardNotFound once the board is gone, and BoardExists if its name is taken by now."""
        try:
            with self._database.transaction() as connection:
                self._touch(connection, owner, id)
                connection.execute("UPDATE boards SET deleted = NULL WHERE id = ? AND owner = ?", (id, owner))
        except sqlite3.IntegrityError as error:
            row = self._database.row("SELECT name FROM boards WHERE id = ?", (id,))
            raise BoardExists(name=row["name"] if row else "") from error
        self._marks.restore_board(owner, id)
        return self.get(owner, id)

    def change(self, owner: Owner, id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Board:
        """Puts pictures on a board and takes others off; those already on it, or not on it, are ignored.

        Ids of pictures that are not theirs are ignored, too. Raises BoardNotFound.
        """
        changes = [(picture, True) for picture in add] + [(picture, False) for picture in remove]
        done: dict[str, bool] = {}
        with self._database.transaction() as connection:
            number = connection.execute(
                "SELECT number FROM boards WHERE id = ? AND owner = ? AND deleted IS NULL", (id, owner)
            ).fetchone()
            if number is None:
                raise BoardNotFound(board=id[:80])
            for picture, is_on in changes:
                row = connection.execute(
                    "SELECT number, path FROM pictures WHERE id = ? AND owner = ?", (picture, owner)
                ).fetchone()
                if row is None:
                    continue
                statement = (
                    "INSERT OR IGNORE INTO board_pictures (board, picture) VALUES (?, ?)"
                    if is_on
                    else "DELETE FROM board_pictures WHERE board = ? AND picture = ?"
                )
                connection.execute(statement, (number["number"], row["number"]))
                done[row["path"]] = is_on
        self._marks.put_on_board(owner, id, done)
        return self.get(owner, id)

    def of(self, owner: Owner, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The ids of the boards that each of these pictures is on; pictures on none are left out."""
        marks = ", ".join("?" for _ in ids)
        rows = self._database.rows(
            "SELECT p.id AS picture, b.id AS board FROM pictures AS p"
            " JOIN board_pictures AS l ON l.picture = p.number JOIN boards AS b ON b.number = l.board"
            f" WHERE p.id IN ({marks}) AND b.owner = ? AND b.deleted IS NULL ORDER BY b.number",
            (*ids, owner),
        )
        found: dict[str, tuple[str, ...]] = {}
        for row in rows:
            found[row["picture"]] = (*found.get(row["picture"], ()), row["board"])
        return found

    def _insert(self, connection: sqlite3.Connection, owner: Owner, board: Board) -> None:
        connection.execute(
            "INSERT OR IGNORE INTO boards (id, owner, name, created) VALUES (?, ?, ?, ?)",
            (board.id, owner, board.name, board.created),
        )

    def _touch(self, connection: sqlite3.Connection, owner: Owner, id: str) -> None:
        if connection.execute("SELECT 1 FROM boards WHERE id = ? AND owner = ?", (id, owner)).fetchone() is None:
            raise BoardNotFound(board=id[:80])


def board_name(name: str) -> str:
    """The name in one line, without characters that break files and pages. Raises InvalidRequest if it is empty or
    longer than MAX_NAME_CHARACTERS.
    """
    cleaned = " ".join(clean_text(name[: 10 * MAX_NAME_CHARACTERS]).split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
        raise InvalidRequest(field="name", reason="board_name")
    return cleaned

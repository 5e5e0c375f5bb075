"""Finds the pictures of the gallery that are wanted, and their rows page by page, newest first.

A page begins after the number of the last row of the page before, so that a deep page takes no longer than the first
one, and a new picture moves no page. Every query is led by one index: that of the words, of the board, of the
favourites, of the day, or of the owner.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webui.storage.database import CHECKPOINT_OF, Database
from webui.storage.owners import Owner
from webui.storage.search import match_of


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Conditions that must all hold. `query`: words of the prompts and the checkpoint; `board`: a board's id; created
    in [`since`, `until`), seconds since 1970.
    """

    query: str = ""
    starred: bool = False
    board: str | None = None
    since: float | None = None
    until: float | None = None


EVERYTHING = Wanted()
_BOARD = "(SELECT number FROM boards WHERE id = ? AND owner = ? AND deleted IS NULL)"


def rows_before(database: Database, owner: Owner, number: int, page: int, wanted: Wanted) -> Iterator[sqlite3.Row]:
    """Rows of `pictures` with lower numbers, read `page` at a time as they are needed."""
    found = _query(owner, wanted)
    if found is None:
        return
    source, key, conditions, values = found
    statement = f"SELECT p.* FROM {source} WHERE {conditions} AND {key} < ? ORDER BY {key} DESC LIMIT ?"
    while True:
        rows = database.rows(statement, (*values, number, page))
        yield from rows
        if len(rows) < page:
            return
        number = rows[-1]["number"]


def count(database: Database, owner: Owner, wanted: Wanted) -> int:
    """The total number of rows."""
    found = _query(owner, wanted)
    if found is None:
        return 0
    source, _, conditions, values = found
    row = database.row(f"SELECT COUNT(*) AS found FROM {source} WHERE {conditions}", values)
    return int(row["found"]) if row else 0


def first_by_checkpoint(database: Database, owner: Owner) -> Mapping[str, str]:
    """The id of the owner's oldest picture with each checkpoint; an index knows them all."""
    firsts = (
        f"SELECT MIN(number) FROM pictures WHERE owner = ? AND deleted IS NULL AND {CHECKPOINT_OF} IS NOT NULL"
        f" GROUP BY {CHECKPOINT_OF}"
    )
    rows = database.rows(f"SELECT id, {CHECKPOINT_OF} AS checkpoint FROM pictures WHERE number IN ({firsts})", (owner,))
    return {row["checkpoint"]: row["id"] for row in rows}


def _query(owner: Owner, wanted: Wanted) -> tuple[str, str, str, tuple[object, ...]] | None:
    """Tables, the column that orders them, conditions and their values; None if nothing can match.

    CROSS JOIN makes SQLite start from the left table. Each of them comes in the order of the pictures' numbers.
    """
    conditions: list[tuple[str, tuple[object, ...]]] = [("p.owner = ?", (owner,)), ("p.deleted IS NULL", ())]
    source, key = "pictures AS p", "p.number"
    if wanted.query.strip():
        match = match_of(wanted.query)
        if match is None:
            return None
        source, key = "picture_words AS w CROSS JOIN pictures AS p ON p.number = w.rowid", "w.rowid"
        conditions.append(("w.picture_words MATCH ?", (match,)))
    elif wanted.board is not None:
        source, key = "board_pictures AS b CROSS JOIN pictures AS p ON p.number = b.picture", "b.picture"
        conditions.append((f"b.board = {_BOARD}", (wanted.board, owner)))
    elif wanted.since is not None and not wanted.starred:
        source = "pictures AS p INDEXED BY pictures_by_day"
    if wanted.board is not None and key != "b.picture":
        on_board = f"p.number IN (SELECT picture FROM board_pictures WHERE board = {_BOARD})"
        conditions.append((on_board, (wanted.board, owner)))
    if wanted.starred:
        conditions.append(("p.starred = 1", ()))
    if wanted.since is not None:
        conditions.append(("p.created >= ?", (wanted.since,)))
    if wanted.until is not None:
        conditions.append(("p.created < ?", (wanted.until,)))
    values = tuple(value for _, some in conditions for value in some)
    return source, key, " AND ".join(condition for condition, _ in conditions), values

"""The tables of the manual that follow from declarations: finds them in a page by their marks, and rewrites them.

A table is between `<!-- table: flags -->` and `<!-- end of table -->`. If its last column is prose, people write that
in the page, and it is kept; a new row begins with an empty cell there, which a test refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n)(?P<rows>.*?)(<!-- end of table -->)", re.DOTALL)
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Headings and rows. `has_prose`: the last cell of each row is written by hand. `keeps_order`: rows stay in the
    page's order, and new ones come last.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    has_prose: bool = False
    keeps_order: bool = False


def refreshed(page: str, table_named: Callable[[str], Table]) -> str:
    """A page with all its tables brought up to date; `table_named` raises KeyError for an unknown table."""

    def rewritten(found: re.Match[str]) -> str:
        lines = _lines(table_named(found["name"]), _cells(found["rows"]))
        return "\n".join([found[1].rstrip(), *lines, found[4]])

    return _TABLE.sub(rewritten, page)


def rows_of(page: str, name: str) -> list[list[str]]:
    """The cells of a table as they are in a page, without its headings."""
    return next(_cells(found["rows"]) for found in _TABLE.finditer(page) if found["name"] == name)


def _cells(rows: str) -> list[list[str]]:
    return [[cell.strip() for cell in _BETWEEN_CELLS.split(row)[1:-1]] for row in rows.splitlines()[2:]]


def _lines(table: Table, before: list[list[str]]) -> list[str]:
    rows = list(table.rows)
    if table.keeps_order:
        places = {row[0]: place for place, row in enumerate(before)}
        rows.sort(key=lambda row: places.get(row[0], len(places)))
    if table.has_prose:
        prose = {row[0]: row[-1] for row in before}
        rows = [(*row, prose.get(row[0], "")) for row in rows]
    rule = ("---",) * len(table.columns)
    return [f"| {' | '.join(row)} |" for row in (table.columns, rule, *rows)]


def plain(text: str) -> str:
    """A sentence as a cell that shows it unchanged."""
    return re.sub(r"([\\`*_|<\[])", r"\\\1", text)


def code(text: str) -> str:
    """A word for programs, as a cell."""
    return f"`{text}`"

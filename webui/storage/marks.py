"""What people did with their pictures, stored beside them: favourites, boards, what was kept after all or deleted.

The database is where all of this is looked up. This file restores it if the database is lost. There is one for each
owner, in the folder of their pictures, with a line of JSON for each change; lines are only added until the whole file
is rewritten. Knows lines, but neither pictures nor the database.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webui.storage.files import append_durably, write_atomically
from webui.storage.owners import Owner

log = logging.getLogger(__name__)

MARKS_FILE = ".marks.jsonl"
Line = dict[str, Any]


@dataclass
class MarksSaid:
    """The result of all lines of one owner.

    Pictures are given by their path below the gallery's folder. `boards` has names by id, without deleted boards;
    `on_boards` the pictures of each board, in the order in which they were added.
    """

    pictures: dict[str, dict[str, bool]] = field(default_factory=dict)
    boards: dict[str, str] = field(default_factory=dict)
    on_boards: dict[str, dict[str, None]] = field(default_factory=dict)


class Marks:
    """Adds lines. A line that cannot be written is only logged, since the database has it."""

    def __init__(self, owner_folder: Callable[[Owner], Path] | None) -> None:
        """`owner_folder` gives the folder of an owner's pictures; with None, nothing is kept."""
        self._owner_folder = owner_folder

    def mark(self, owner: Owner, paths: Iterable[str], name: str, value: bool) -> None:
        """Notes a value for pictures; `name` is `starred`, `kept` or `deleted`."""
        self._add(owner, [{"picture": path, name: value} for path in paths])

    def name_board(self, owner: Owner, id: str, name: str) -> None:
        """Notes that a board exists under this name."""
        self._add(owner, [{"board": id, "name": name}])

    def delete_board(self, owner: Owner, id: str) -> None:
        """Notes that a board was deleted."""
        self._add(owner, [{"board": id, "deleted": True}])

    def restore_board(self, owner: Owner, id: str) -> None:
        """Notes that a board is back, with the pictures on it."""
        self._add(owner, [{"board": id, "deleted": False}])

    def put_on_board(self, owner: Owner, id: str, pictures: Mapping[str, bool]) -> None:
        """Notes which pictures, by path, are now on a board (true) or no longer (false)."""
        self._add(owner, [{"board": id, "picture": path, "on": is_on} for path, is_on in pictures.items()])

    def write(self, owner: Owner, said: MarksSaid) -> None:
        """Rewrites an owner's file with as few lines as possible. Raises DiskFull, FolderNotWritable."""
        if self._owner_folder is not None:
            content = "".join(_line(line) for line in _lines(said))
            write_atomically(self._owner_folder(owner) / MARKS_FILE, content.encode())

    def read(self, owner: Owner) -> MarksSaid:
        """The result of an owner's lines; a line that cannot be read is skipped."""
        if self._owner_folder is None:
            return MarksSaid()
        return read_marks(self._owner_folder(owner) / MARKS_FILE)

    def _add(self, owner: Owner, lines: list[Line]) -> None:
        if self._owner_folder is None or not lines:
            return
        path = self._owner_folder(owner) / MARKS_FILE
        try:
            append_durably(path, "".join(map(_line, lines)).encode())
        except Exception:  # whatever the disk says: the database has it already
            log.exception("could not write favourites and boards to %s", path.name)


def read_marks(path: Path) -> MarksSaid:
    """The result of the lines in a file."""
    said = MarksSaid()
    deleted: dict[str, bool] = {}
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return said
    for written in text.splitlines():
        try:
            line = json.loads(written)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            _take(said, deleted, line)
    for board in (id for id, is_gone in deleted.items() if is_gone):
        said.boards.pop(board, None)
        said.on_boards.pop(board, None)
    return said


def _take(said: MarksSaid, deleted: dict[str, bool], line: Line) -> None:
    match line:
        case {"board": str(board), "picture": str(picture), "on": bool(is_on)}:
            on_board = said.on_boards.setdefault(board, {})
            on_board.pop(picture, None)
            if is_on:
                on_board[picture] = None
        case {"board": str(board), "name": str(name)}:
            said.boards[board] = name
        case {"board": str(board), "deleted": bool(is_deleted)}:
            deleted[board] = is_deleted
        case {"picture": str(picture)}:
            known = {name: line[name] for name in ("starred", "kept", "deleted") if isinstance(line.get(name), bool)}
            said.pictures.setdefault(picture, {}).update(known)


def _lines(said: MarksSaid) -> Iterable[Line]:
    for picture, values in said.pictures.items():
        if values:
            yield {"picture": picture, **values}
    for board, name in said.boards.items():
        yield {"board": board, "name": name}
        for picture in said.on_boards.get(board, ()):
            yield {"board": board, "picture": picture, "on": True}


def _line(values: Line) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"

"""Deleted models: moved aside on the same volume, so that nothing is copied and deleting can be undone.

They lie in a hidden folder `.trash`, each with a small file that says what it was and where it belongs: in the models
folder, or where a link leads to another disk, at the end of that link. Nothing leaves the trash by itself. Knows no
torch.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from webui.checkpoints.model import Model
from webui.checkpoints.model_files import files_of
from webui.errors import ModelExists, ModelNotFound

FOLDER = ".trash"
_RECORD = "deleted.json"
_MAX_RECORD_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """A model in the trash. `files` are names in `folder`, which lay in `home` before; `deleted` in seconds since
    1970."""

    id: str
    kind: str
    name: str
    size_bytes: int
    deleted: float
    home: str
    folder: str
    files: tuple[str, ...]


class Trash:
    """The trash of one models folder."""

    def __init__(self, models_dir: Path) -> None:
        self._records = models_dir / FOLDER

    def list(self) -> tuple[Deleted, ...]:
        """What was deleted last comes first."""
        found = [record for path in self._folders() if (record := self._read(path)) is not None]
        return tuple(sorted(found, key=lambda record: -record.deleted))

    def delete(self, model: Model) -> Deleted:
        """Moves the model and what lies beside it aside. Raises OSError; then all of it is where it was."""
        token = secrets.token_hex(8)
        files = tuple(files_of(model))
        record = self._records / token
        folder = record if _are_on_one_volume(model.path, self._records) else model.path.parent / FOLDER / token
        for place in {record, folder}:
            place.mkdir(parents=True)
        deleted = Deleted(
            id=model.id,
            kind=model.kind,
            name=model.name,
            size_bytes=model.size_bytes,
            deleted=time.time(),
            home=str(model.path.parent),
            folder=str(folder),
            files=tuple(path.name for path in files),
        )
        (record / _RECORD).write_text(json.dumps(asdict(deleted), indent=1, ensure_ascii=False), encoding="utf-8")
        try:
            move_all([(path, folder / path.name) for path in files])
        except OSError:
            for place in {record, folder}:
                shutil.rmtree(place, ignore_errors=True)
            raise
        return deleted

    def restore(self, id: str) -> Deleted:
        """Puts back what was last deleted under this id. Raises ModelNotFound, ModelExists, OSError."""
        found = next((one for one in self.list() if one.id == id), None)
        if found is None:
            raise ModelNotFound(model=id)
        home, folder = Path(found.home), Path(found.folder)
        if any((home / name).exists() for name in found.files):
            raise ModelExists(model=id)
        home.mkdir(parents=True, exist_ok=True)
        move_all([(folder / name, home / name) for name in found.files])
        self._forget(found)
        return found

    def empty(self) -> int:
        """Deletes what lies in it for good; how many models that were."""
        found = self.list()
        for one in found:
            shutil.rmtree(one.folder, ignore_errors=True)
            self._forget(one)
        return len(found)

    def _folders(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from (entry for entry in self._records.iterdir() if entry.is_dir())

    def _read(self, place: Path) -> Deleted | None:
        """None for what nobody can read, and for what names files that no deleting of ours puts there."""
        try:
            if (place / _RECORD).stat().st_size > _MAX_RECORD_BYTES:
                return None
            found = json.loads((place / _RECORD).read_text(encoding="utf-8"))
            deleted = Deleted(**(found | {"files": tuple(found["files"])}))
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return None
        home, folder = Path(deleted.home), Path(deleted.folder)
        is_here = folder == place and home.is_relative_to(self._records.parent)
        is_there = folder == home / FOLDER / place.name
        is_plain = ".." not in home.parts and all(Path(name).name == name for name in deleted.files)
        return deleted if (is_here or is_there) and is_plain else None

    def _forget(self, deleted: Deleted) -> None:
        for path in {Path(deleted.folder), self._records / Path(deleted.folder).name}:
            shutil.rmtree(path, ignore_errors=True)


def move_all(moves: list[tuple[Path, Path]]) -> None:
    """All of the moves or none of them. Raises OSError."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            os.rename(source, target)
            done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            os.rename(target, source)
        raise


def _are_on_one_volume(path: Path, folder: Path) -> bool:
    """Whether a link to, or the file itself, can be moved there without copying."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return path.parent.stat().st_dev == there.stat().st_dev

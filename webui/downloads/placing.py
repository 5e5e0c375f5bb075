"""Puts whole, checked files where the catalogue looks: a folder or a file appears at once, complete, under a new name.

A folder is put together in the hidden folder and renamed. Nothing that is there already is replaced. Files are linked
to their place, so that a crash in between loses none; where there are no links, they are moved.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from webui.checkpoints.diffusers_folder import read_json
from webui.checkpoints.kinds import kind_in
from webui.checkpoints.refusals import Broken, Refusal
from webui.checkpoints.safetensors_header import Header, read_header
from webui.downloads.files import WEIGHTS_SUFFIX, RemoteFile
from webui.downloads.plan import FOLDERS, Item, Kind, PlannedFile
from webui.errors import DownloadDamaged
from webui.storage.files import make_folder, naming_refusals, sync_folder, write_atomically

_NOTE = "darkroom.json"
_MOST_NAMES = 20
Whole = Callable[[RemoteFile], Path]
Chosen = Callable[[str], None]


class Placing:
    """Places the items of one download. `whole` says where a checked file lies; `files` names those of all items, as
    often as each is used."""

    def __init__(self, models_dir: Path, staging: Path, whole: Whole, files: Iterable[RemoteFile]) -> None:
        self._models_dir = models_dir
        self._staging = staging
        self._whole = whole
        self._uses_left = Counter(file.key for file in files)

    def place(self, item: Item, chosen: Chosen) -> dict[RemoteFile, Path]:
        """Where each of its files lies now. `chosen` hears the path below models/ before anything appears there.

        Raises DownloadDamaged for weights that are none, DiskFull, FolderNotWritable.
        """
        headers = {planned.file: self._header(planned.file) for planned in item.files}
        with naming_refusals(self._models_dir):
            return self._place_folder(item, chosen) if item.is_folder else self._place_file(item, headers, chosen)

    def found(self, item: Item) -> str | None:
        """Where the same item of the same revision lies already, with all its files."""
        source = item.note.get("source")
        suffix = "" if item.is_folder else WEIGHTS_SUFFIX
        kinds: list[Kind] = ["checkpoint"] if item.is_folder else list(FOLDERS)
        for place in (place for kind in kinds for place in _places(FOLDERS[kind], item.name, suffix)):
            target = self._models_dir / place
            if not target.exists():
                continue
            note = _read_note(target / _NOTE if item.is_folder else target.with_suffix(".json"))
            if source and note.get("source") == source and all(_is_there(target, one) for one in item.files):
                return place
        return None

    def sweep(self) -> None:
        """Removes what was put together and never came to be."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def _header(self, file: RemoteFile) -> Header | None:
        if not file.name.endswith(WEIGHTS_SUFFIX):
            return None
        try:
            return read_header(self._whole(file))
        except Broken as error:
            raise DownloadDamaged(file=file.name, reason=error.reason) from error

    def _place_folder(self, item: Item, chosen: Chosen) -> dict[RemoteFile, Path]:
        self.sweep()
        for planned in item.files:
            target = self._staging / planned.path
            make_folder(target.parent)
            self._put(planned.file, target)
        note = {"name": item.name} | item.note
        write_atomically(self._staging / _NOTE, _as_bytes(note))
        place = free_place(self._models_dir, FOLDERS[item.kind or "checkpoint"], item.name, "")
        chosen(place)
        target = self._models_dir / place
        make_folder(target.parent)
        os.rename(self._staging, target)
        sync_folder(target.parent)
        return {planned.file: target / planned.path for planned in item.files}

    def _place_file(
        self, item: Item, headers: dict[RemoteFile, Header | None], chosen: Chosen
    ) -> dict[RemoteFile, Path]:
        (planned,) = item.files
        kind = kind_of(headers[planned.file], item.kind)
        place = free_place(self._models_dir, FOLDERS[kind], item.name, WEIGHTS_SUFFIX)
        chosen(place)
        target = self._models_dir / place
        if item.note:
            write_atomically(target.with_suffix(".json"), _as_bytes(item.note))
        make_folder(target.parent)
        self._put(planned.file, target)
        sync_folder(target.parent)
        return {planned.file: target}

    def _put(self, file: RemoteFile, target: Path) -> None:
        """A second name for the file, or where there are no links its only one; a symbolic link is one again."""
        whole = self._whole(file)
        self._uses_left[file.key] -= 1
        if whole.is_symlink():
            os.symlink(os.readlink(whole), target)
            return
        try:
            os.link(whole, target)
        except OSError:
            if os.path.lexists(target):
                raise
            if self._uses_left[file.key] > 0:
                shutil.copyfile(whole, target)
            else:
                os.replace(whole, target)


def kind_of(header: Header | None, said: Kind | None) -> Kind:
    """What a file is by its tensors; by what its source `said` only where they do not tell. What nobody recognises goes
    where checkpoints are refused with a reason."""
    if header is not None:
        with suppress(Refusal):
            found = kind_in(header, Path()).kind
            return next(kind for kind in FOLDERS if kind == found)
    return said or "checkpoint"


def free_place(models_dir: Path, folder: str, name: str, suffix: str, endings: Iterable[str] = ()) -> str:
    """A path below models/ at which there is nothing yet; nor beside it, where a name would end like one of these."""
    return next(
        place for place in _places(folder, name, suffix, sys.maxsize) if not _is_taken(models_dir / place, endings)
    )


def _places(folder: str, name: str, suffix: str, most: int = _MOST_NAMES) -> Iterator[str]:
    names = chain([name], (f"{name}-{number}" for number in range(2, most)))
    return (f"{folder}/{one}{suffix}" if folder else f"{one}{suffix}" for one in names)


def _is_there(target: Path, planned: PlannedFile) -> bool:
    try:
        return (target / planned.path).stat().st_size == planned.file.size_bytes
    except OSError:
        return False


def _read_note(path: Path) -> dict[str, Any]:
    """What the small file beside a model says; nothing where there is none that can be read."""
    try:
        note = read_json(path)
    except Broken:
        return {}
    return note


def _is_taken(target: Path, endings: Iterable[str] = ()) -> bool:
    """Whether the catalogue would give it an id that is another's: a folder and a file may have the same name."""
    stem = target.with_suffix("") if target.suffix == WEIGHTS_SUFFIX else target
    beside = (Path(f"{stem}{ending}") for ending in (WEIGHTS_SUFFIX, ".json", *endings))
    return any(os.path.lexists(path) for path in (target, stem, *beside))


def remove(models_dir: Path, place: str) -> None:
    """Takes away what `place` put there, with the small file beside it."""
    target = models_dir / place
    with suppress(OSError):
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
            target.with_suffix(".json").unlink(missing_ok=True)


def _as_bytes(note: dict[str, Any]) -> bytes:
    return json.dumps(note, indent=1, ensure_ascii=False).encode()

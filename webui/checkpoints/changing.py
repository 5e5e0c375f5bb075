"""Renames models of our own folder and changes what their small files say. Knows no jobs and no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from webui.checkpoints.hashes import HashBook
from webui.checkpoints.library import Library
from webui.checkpoints.model import Model
from webui.checkpoints.model_files import files_of, notes_of, renamed_path
from webui.checkpoints.notes import MAX_NOTES_BYTES, Notes, apply_notes, read_notes
from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Broken
from webui.checkpoints.replacing import replace_text
from webui.checkpoints.trash import move_all
from webui.errors import InvalidRequest, ModelExists, ModelReadOnly


def check_is_ours(model: Model) -> None:
    """Raises ModelReadOnly for what lies in another program's folder."""
    if model.place:
        raise ModelReadOnly(model=model.id, folder=model.place)


def rename(library: Library, book: HashBook, model: Model, name: str) -> str:
    """Gives the model another name, and what lies beside it; its id from now on. Requests with the old one find it.

    Raises ModelReadOnly, ModelExists, InvalidRequest, OSError.
    """
    check_is_ours(model)
    models_dir = library.catalogue.models_dir
    target = renamed_path(model, name, models_dir)
    moves = [(path, _beside(path, model.path, target)) for path in files_of(model)]
    if target == model.path:
        return model.id
    if any(new.exists() and not _is_same(old, new) for old, new in moves):
        raise ModelExists(model=name)
    named = _notes(notes_of(model)) if model.kind == "checkpoint" else {}
    target.parent.mkdir(parents=True, exist_ok=True)
    move_all(moves)
    now = _at(library, model.kind, target)
    if now is None:  # nothing is looked for there
        move_all([(new, old) for old, new in moves])
        raise InvalidRequest(field="name", reason="model_folder")
    if named.get("name"):
        notes = notes_of(replace(model, path=target))
        _write(notes, named | {"name": target.name.removesuffix(model.path.suffix)})
        now = library.get(now.id)  # whose version is another since
    library.catalogue.renamed.note(model.id, now.id)
    book.move(model.id, model.version, now.id, now.version)
    return now.id


def _at(library: Library, kind: Kind, path: Path) -> Model | None:
    return next((found for found in library.look((kind,)) if found.path == path), None)


def set_defaults(library: Library, book: HashBook, model: Model, changes: Mapping[str, Any]) -> None:
    """Writes defaults of a checkpoint into the file beside it; null gives one back to the checkpoint's own.

    Raises ModelReadOnly, OSError, and InvalidRequest for a value that cannot be one.
    """
    check_is_ours(model)
    if model.own_defaults is None:
        raise InvalidRequest(field="defaults", reason="no_defaults")
    found = _notes(notes_of(model))
    said: dict[str, Any] = found.get("defaults") or {}
    defaults = {name: value for name, value in {**said, **changes}.items() if value is not None}
    try:
        apply_notes(Notes.model_validate(found | {"defaults": defaults}), model.own_defaults)
    except ValidationError as error:
        raise InvalidRequest(field=_field(error), reason="notes") from error
    except Broken as error:
        raise InvalidRequest(field="sigmas", reason="scheduler_without_sigmas") from error
    _write(notes_of(model), found | {"defaults": defaults})
    book.move(model.id, model.version, model.id, library.get(model.id).version)  # whose weights are the same


def _field(error: ValidationError) -> str:
    return str(error.errors()[0]["loc"][-1])


def _beside(path: Path, old: Path, new: Path) -> Path:
    """Where a file that lies beside the model goes with it."""
    if path == old or not old.suffix:
        return new if path == old else path
    return new.with_name(new.stem + path.name.removeprefix(old.stem))


def _is_same(old: Path, new: Path) -> bool:
    """Whether both names mean one file, where capitals do not count."""
    try:
        return old.samefile(new)
    except OSError:
        return False


def _notes(path: Path) -> dict[str, Any]:
    """All that the file says, what we do not read too. Raises InvalidRequest for a file that is none of ours."""
    try:
        read_notes(path)
        text = path.read_text(encoding="utf-8") if path.is_file() else "{}"
    except (Broken, OSError, ValueError) as error:
        raise InvalidRequest(field="defaults", reason="notes") from error
    found: dict[str, Any] = json.loads(text)
    return found


def _write(path: Path, notes: Mapping[str, Any]) -> None:
    text = json.dumps(notes, indent=2, ensure_ascii=False) + "\n"
    if len(text.encode()) > MAX_NOTES_BYTES:
        raise InvalidRequest(field="defaults", reason="notes")
    replace_text(path, text)

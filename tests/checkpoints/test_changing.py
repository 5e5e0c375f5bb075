"""Models renamed, found again, deleted and brought back, with all that lies beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.model_files import ANY, LORA_SD15, save, with_starter
from webui.checkpoints import changing
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.hashes import HashBook
from webui.checkpoints.hashing import hash_model
from webui.checkpoints.library import Library
from webui.checkpoints.other_folders import OtherFolders
from webui.checkpoints.trash import Trash
from webui.errors import CheckpointNotFound, InvalidRequest, ModelExists, ModelNotFound, ModelReadOnly


class Room:
    """A models folder with a starter, and what works on it."""

    def __init__(self, folder: Path) -> None:
        self.models = with_starter(folder / "models")
        self.book = HashBook(folder / "data" / "hashes.json")
        others = OtherFolders([folder / "theirs"])
        self.library = Library(Catalogue(self.models, others, self.book.known))
        self.trash = Trash(self.models)

    def rename(self, id: str, name: str) -> str:
        return changing.rename(self.library, self.book, self.library.get(id), name)

    def set_defaults(self, id: str, changes: dict[str, object]) -> None:
        changing.set_defaults(self.library, self.book, self.library.get(id), changes)

    def files(self) -> list[str]:
        found = (path for path in self.models.rglob("*") if path.is_file() and "starter" not in path.parts)
        return sorted(path.relative_to(self.models).as_posix() for path in found)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_renamed_checkpoint_is_found_under_every_former_name(room: Room) -> None:
    hash_model(room.library, room.book, "starter")
    hash = room.book.known()["starter"][1]
    assert room.rename("starter", "mine/first") == "mine/first"
    assert room.rename("mine/first", "second") == "mine/second"  # it stays in its folder
    for name in ("starter", "mine/first", "mine/second"):
        assert room.library.catalogue.get(name).id == "mine/second"
    assert room.library.catalogue.get("starter").name == "second"  # its note had a name of its own
    known = room.book.known()["mine/second"]
    assert known[1] == hash
    assert room.book.get(room.library.catalogue.get("mine/second")) is not None


def test_something_else_may_take_the_old_name(room: Room) -> None:
    room.rename("starter", "old")
    with_starter(room.models)
    assert room.library.catalogue.get("starter").id == "starter"
    assert room.rename("starter", "new") == "new"
    assert room.library.catalogue.get("starter").id == "new"


def test_one_renamed_on_the_disk_is_found_by_its_hash(room: Room) -> None:
    hash_model(room.library, room.book, "starter")
    os.rename(room.models / "starter", room.models / "elsewhere")
    with pytest.raises(CheckpointNotFound):
        room.library.catalogue.get("starter")
    hash_model(room.library, room.book, "elsewhere")
    assert room.library.catalogue.get("starter").id == "elsewhere"


def test_a_loras_old_name_in_a_prompt_means_the_new_one(room: Room) -> None:
    save(room.models / "loras" / "people" / "ink.safetensors", LORA_SD15)
    (room.models / "loras" / "people" / "ink.preview.png").write_bytes(b"x")
    assert room.rename("loras/people/ink", "pen") == "loras/people/pen"
    assert room.files() == [".renamed.json", "loras/people/pen.preview.png", "loras/people/pen.safetensors"]
    loras = Addons(room.models).loras()
    assert {loras[name].path.name for name in ("ink", "people/ink", "pen", "people/pen")} == {"pen.safetensors"}
    save(room.models / "loras" / "ink.safetensors", LORA_SD15)
    assert Addons(room.models).loras()["ink"].path.name == "ink.safetensors"


@pytest.mark.parametrize("name", ["", "a:b", ".hidden", "a/../b", "a//b", "x" * 201, "a\nb", "loras/x", "a.components",
                                  "vae", "Style"])  # fmt: skip
def test_what_cannot_be_a_name(room: Room, name: str) -> None:
    with pytest.raises(InvalidRequest):
        room.rename("starter", name)
    assert (room.models / "starter").is_dir()


def test_a_place_where_nothing_is_looked_for(room: Room) -> None:
    """Within another checkpoint, which is one model whatever lies in it."""
    room.rename("starter", "other")
    with_starter(room.models)
    with pytest.raises(InvalidRequest):
        room.rename("starter", "other/inside")
    assert {one.id for one in room.library.look(("checkpoint",))} == {"other", "starter"}


def test_a_name_that_is_taken(room: Room) -> None:
    for name in "ab":
        save(room.models / "loras" / f"{name}.safetensors", LORA_SD15)
    with pytest.raises(ModelExists):
        room.rename("loras/a", "b")
    assert room.files() == ["loras/a.safetensors", "loras/b.safetensors"]


def test_other_programs_models_are_left_alone(room: Room, tmp_path: Path) -> None:
    save(tmp_path / "theirs" / "loras" / "ink.safetensors", LORA_SD15)
    with pytest.raises(ModelReadOnly):
        room.rename("theirs:loras/ink", "pen")
    with pytest.raises(ModelReadOnly):
        room.set_defaults("theirs:loras/ink", {"steps": 3})


def test_defaults_are_kept_beside_the_checkpoint(room: Room) -> None:
    notes = room.models / "starter" / "darkroom.json"
    before = json.loads(notes.read_text("utf-8"))
    hash_model(room.library, room.book, "starter")
    room.set_defaults("starter", {"steps": 7, "scheduler": "ddim", "guidance_scale": None})
    found = room.library.catalogue.get("starter").defaults
    assert (found.steps, found.scheduler, found.guidance_scale) == (7, "ddim", 7.0)  # the last is the family's own
    after = json.loads(notes.read_text("utf-8"))
    assert {**after, "defaults": before["defaults"]} == before
    assert room.book.get(room.library.catalogue.get("starter")) is not None  # the same weights, the same hash
    with pytest.raises(InvalidRequest):
        room.set_defaults("starter", {"steps": 1000})
    assert json.loads(notes.read_text("utf-8")) == after


def test_deleting_and_undoing(room: Room) -> None:
    save(room.models / "loras" / "ink.safetensors", LORA_SD15)
    (room.models / "loras" / "ink.json").write_text("{}")
    before = room.files()
    room.trash.delete(room.library.get("loras/ink"))
    assert [model.id for model in room.library.look()] == ["starter"]
    (deleted,) = room.trash.list()
    assert (deleted.id, deleted.kind, deleted.files) == ("loras/ink", "lora", ("ink.safetensors", "ink.json"))
    room.trash.restore("loras/ink")
    assert room.files() == before
    assert room.trash.list() == ()
    with pytest.raises(ModelNotFound):
        room.trash.restore("loras/ink")


def test_of_two_deleted_under_one_name_the_last_comes_back(room: Room) -> None:
    for size in (2, 3):
        save(room.models / "loras" / "ink.safetensors", {**LORA_SD15, "lora_unet_b.lora_up.weight": (size,)})
        room.trash.delete(room.library.get("loras/ink"))
    larger, smaller = (one.size_bytes for one in room.trash.list())
    assert larger > smaller
    room.trash.restore("loras/ink")
    assert room.library.get("loras/ink").size_bytes == larger
    with pytest.raises(ModelExists):
        room.trash.restore("loras/ink")


def test_the_trash_empties_itself_of_nothing_else(room: Room, tmp_path: Path) -> None:
    save(room.models / "upscalers" / "4x.safetensors", ANY)
    room.trash.delete(room.library.get("upscalers/4x"))
    precious = tmp_path / "precious"
    precious.mkdir()
    forged = room.models / ".trash" / "00"
    forged.mkdir()
    (record,) = (path for path in (room.models / ".trash").rglob("deleted.json"))
    said = json.loads(record.read_text("utf-8")) | {"folder": str(precious)}
    (forged / "deleted.json").write_text(json.dumps(said))
    assert room.trash.empty() == 1
    assert precious.is_dir()
    assert room.files() == [".trash/00/deleted.json"]

"""Folders of other programs: read in place, each with a name of its own, and never written."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.checkpoints.test_addons import KOHYA, save
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.library import Library
from webui.checkpoints.other_folders import OtherFolders
from webui.checkpoints.places import usual_folders
from webui.errors import FolderGone

VAE = {"decoder.conv_in.weight": (8, 4, 3, 3)}
A1111 = {
    "models/Stable-diffusion/photo/real.safetensors": "checkpoint",
    "models/Lora/ink.safetensors": "lora",
    "embeddings/bad.safetensors": "embedding",
    "models/VAE/sharp.safetensors": "vae",
    "models/ESRGAN/4x.safetensors": "upscaler",
    "models/ControlNet/canny.safetensors": "control",
}
COMFY = {
    "models/checkpoints/real.safetensors": "checkpoint",
    "models/loras/ink.safetensors": "lora",
    "models/embeddings/bad.safetensors": "embedding",
    "models/vae/sharp.safetensors": "vae",
    "models/upscale_models/4x.safetensors": "upscaler",
    "models/controlnet/canny.safetensors": "control",
    "models/clip_vision/seer.safetensors": "clip",
}
INVOKE = {
    "models/sdxl/main/real.safetensors": "checkpoint",
    "models/sdxl/lora/ink.safetensors": "lora",
    "models/sd-1/embedding/bad.safetensors": "embedding",
    "models/any/clip_vision/seer.safetensors": "clip",
}
SHAPES = {"lora": {KOHYA: (4, 768)}, "embedding": {"emb_params": (2, 768)}, "vae": VAE}


def lay_out(folder: Path, files: dict[str, str]) -> Path:
    for name, kind in files.items():
        save(folder / name, SHAPES.get(kind, {"x.weight": (2,)}))
    return folder


def library(tmp_path: Path, *folders: Path) -> Library:
    return Library(Catalogue(tmp_path / "own", OtherFolders(folders)))


@pytest.mark.parametrize("files", [A1111, COMFY, INVOKE], ids=["a1111", "comfy", "invoke"])
def test_every_kind_is_found_where_the_program_keeps_it(tmp_path: Path, files: dict[str, str]) -> None:
    folder = lay_out(tmp_path / "their app", files)
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    found = {model.path.relative_to(folder).as_posix(): model for model in library(tmp_path, folder).look()}
    assert {name: model.kind for name, model in found.items()} == files
    assert {model.place for model in found.values()} == {"their-app"}
    below = {name: name.removeprefix("models/").removesuffix(".safetensors") for name in files}
    assert {name: model.id for name, model in found.items()} == {
        name: f"their-app:{path}" for name, path in below.items()
    }
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


def test_the_models_folder_itself_will_do(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "webui", A1111)
    whole, models = library(tmp_path, folder), library(tmp_path, folder / "models")
    assert [model.id for model in whole.look()] == [model.id for model in models.look()]


def test_comfys_own_list_of_folders_is_followed(tmp_path: Path) -> None:
    lay_out(tmp_path / "big", {"sd/real.safetensors": "checkpoint", "l1/ink.safetensors": "lora"})
    lay_out(tmp_path / "big", {"l2/pen.safetensors": "lora"})
    file = lay_out(tmp_path / "ComfyUI", COMFY) / "extra_model_paths.yaml"
    file.write_text(f"mine:\n  base_path: {tmp_path}/big\n  checkpoints: sd\n  loras: |\n    l1\n    l2\n")
    ids = {model.id for model in library(tmp_path, file.parent).look()}
    assert {"mine:checkpoints/real", "mine:loras/l1/ink", "mine:loras/l2/pen", "ComfyUI:loras/ink"} <= ids
    assert {model.id for model in library(tmp_path, file).look()} == {one for one in ids if one.startswith("mine:")}
    file.write_text("mine: [")
    assert {model.place for model in library(tmp_path, file.parent).look()} == {"ComfyUI"}


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    folders = [lay_out(tmp_path / one / "ComfyUI", COMFY) for one in "ab"]
    assert {model.place for model in library(tmp_path, *folders).look()} == {"ComfyUI", "ComfyUI-2"}


def test_prompts_find_their_loras_and_ours_come_first(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "webui", A1111)
    ours = save(tmp_path / "own" / "loras" / "ink.safetensors", {KOHYA: (4, 768)})
    addons = Addons(tmp_path / "own", OtherFolders([folder]))
    assert addons.loras()["ink"].path == ours
    assert addons.embeddings()["bad"].path == folder / "embeddings" / "bad.safetensors"
    names = {model.path: model.prompt_name for model in library(tmp_path, folder).look(("lora",))}
    assert names[ours] == "ink"


def test_a_folder_that_went_is_said(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "stick", {"real.safetensors": "checkpoint"})
    catalogue = Catalogue(tmp_path / "own", OtherFolders([folder]))
    assert [one.id for one in catalogue.refused()] == ["stick:real"]
    os.rename(folder, tmp_path / "unplugged")
    assert catalogue.everything() == ()
    with pytest.raises(FolderGone) as raised:
        catalogue.get("stick:real")
    assert raised.value.details == {"checkpoint": "stick:real", "folder": "stick"}


def test_folders_that_were_added_are_kept_and_seen_by_others(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "webui", A1111)
    file = tmp_path / "data" / "folders.json"
    one, other = OtherFolders(file=file), OtherFolders(file=file)
    assert other.places() == ()
    one.add(folder)
    assert [place.name for place in other.places()] == ["webui"]
    one.remove(folder)
    assert other.places() == ()
    file.write_text("{")
    assert other.places() == ()


# As newer versions of InvokeAI keep them: a folder for each model, called after its key.
# (key, path below models/, type, name)
KEYED = (
    ("k1", "k1/real.safetensors", "main", "My photographs"),
    ("k2", "k2/ink.safetensors", "lora", "Ink & wash"),
    ("k3", "k3/ink.safetensors", "lora", "Another ink"),
    ("k4", "k4", "vae", "Sharp decoder"),
    ("k5", "k5/4x.safetensors", "spandrel_image_to_image", "Four times"),
    ("k6", "k6/llava.safetensors", "llava_onevision", "Talks"),
)
KIND_OF_KEYED = {"k1": "checkpoint", "k2": "lora", "k3": "lora", "k4": "vae", "k5": "upscaler"}


def invoke(folder: Path, records: list[dict[str, Any]], journal: str = "delete") -> Path:
    """A database as InvokeAI's, as far as it matters here."""
    file = folder / "databases" / "invokeai.db"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"PRAGMA journal_mode = {journal}")
        database.execute("CREATE TABLE models (id TEXT NOT NULL PRIMARY KEY, config TEXT NOT NULL)")
        rows = [(str(at), json.dumps(record)) for at, record in enumerate(records)]
        database.executemany("INSERT INTO models VALUES (?, ?)", rows)
    return file


@pytest.fixture
def keyed(tmp_path: Path) -> Path:
    folder = tmp_path / "invokeai"
    lay_out(folder / "models", {path: kind for _, path, kind, _ in KEYED if path.endswith(".safetensors")})
    save(folder / "models" / "k4" / "diffusion_pytorch_model.safetensors", VAE)
    (folder / "models" / "k4" / "config.json").write_text("{}")
    invoke(folder, [{"key": key, "path": path, "type": kind, "name": name} for key, path, kind, name in KEYED])
    return folder


def files_below(folder: Path) -> list[tuple[Path, int]]:
    return sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_invokes_database_says_names_and_kinds(tmp_path: Path, keyed: Path, journal: str) -> None:
    records = [{"key": key, "path": path, "type": kind, "name": name} for key, path, kind, name in KEYED]
    invoke(keyed, records, journal)
    before = files_below(keyed)
    found = {model.path.relative_to(keyed / "models").parts[0]: model for model in library(tmp_path, keyed).look()}
    assert {key: model.kind for key, model in found.items()} == KIND_OF_KEYED
    assert {key: model.name for key, model in found.items()} == {key: name for key, _, _, name in KEYED if key != "k6"}
    assert found["k2"].id == "invokeai:k2/ink"
    assert files_below(keyed) == before
    addons = Addons(tmp_path / "own", OtherFolders([keyed]))
    for key in ("k2", "k3"):
        assert addons.loras()[found[key].prompt_name or ""].path == found[key].path


def test_a_new_name_in_invoke_is_seen(tmp_path: Path, keyed: Path) -> None:
    models = library(tmp_path, keyed)
    assert models.get("invokeai:k1/real").name == "My photographs"
    records = [{"key": key, "path": path, "type": kind, "name": "new " + name} for key, path, kind, name in KEYED]
    os.utime(invoke(keyed, records), ns=(1, 10**18))
    assert {model.name for model in models.look()} == {"new " + name for key, _, _, name in KEYED if key != "k6"}


def test_a_name_that_is_gone_from_invoke_falls_back_to_the_files(tmp_path: Path, keyed: Path) -> None:
    models = library(tmp_path, keyed)
    assert {model.name for model in models.look()} == {name for key, _, _, name in KEYED if key != "k6"}
    assert {one.name for one in models.catalogue.everything()} == {"My photographs"}
    records = [{"key": key, "path": path, "type": kind, "name": ""} for key, path, kind, _ in KEYED]
    os.utime(invoke(keyed, records), ns=(1, 10**18))
    assert sorted(model.name for model in models.look()) == ["4x", "ink", "ink", "k4", "real"]
    assert {one.name for one in models.catalogue.everything()} == {"real.safetensors"}


def test_without_its_database_invokes_models_have_their_files_names(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "invokeai", INVOKE)
    record = {"key": "a", "path": "sdxl/main/real.safetensors", "type": "main", "name": "My photographs"}
    file = invoke(folder, [record])
    models = library(tmp_path, folder)
    assert models.get("invokeai:sdxl/main/real").name == "My photographs"
    file.write_bytes(b"no database")
    assert models.get("invokeai:sdxl/main/real").name == "real"
    file.unlink()
    assert models.get("invokeai:sdxl/main/real").name == "real"


def test_in_its_older_folders_only_names_come_from_the_database(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "invokeai", INVOKE)
    elsewhere = str(tmp_path / "elsewhere.safetensors")
    absolute = str(folder / "models" / "sd-1" / "embedding" / "bad.safetensors")
    invoke(folder, [
        {"key": "a", "path": "sdxl/main/real.safetensors", "type": "main", "name": "My\n photographs"},
        {"key": "b", "path": "sdxl/lora/ink.safetensors", "type": "lora", "name": "Ink"},
        {"key": "c", "path": absolute, "type": "embedding", "name": "Never that"},
        {"key": "d", "path": elsewhere, "type": "main", "name": "Elsewhere"},
        {"key": "..", "path": "../own/x.safetensors", "type": "main", "name": "Outside"},
        {"key": 5, "path": None, "type": [], "name": {}},
    ])  # fmt: skip
    found = {model.path.relative_to(folder).as_posix(): model for model in library(tmp_path, folder).look()}
    assert {path: model.kind for path, model in found.items()} == INVOKE
    assert {model.name for model in found.values()} == {"My photographs", "Ink", "Never that", "seer"}


def broken(file: Path) -> Iterator[None]:
    """One way after the other in which a database cannot be read."""
    for content in (b"", b"not a database" * 100, file.read_bytes()[:5000]):
        file.write_bytes(content)
        yield
    file.unlink()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE models (id TEXT, colour TEXT)")
    yield
    file.unlink()
    yield


def test_without_a_database_that_can_be_read_files_have_their_own_names(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "invokeai", INVOKE)
    said = [{"key": "a", "path": "sdxl/lora/ink.safetensors", "type": "lora", "name": "Ink & wash"}]
    file = invoke(folder, said)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert "ink" in {model.name for model in library(tmp_path, folder).look()}
        database.execute("ROLLBACK")
    assert "Ink & wash" in {model.name for model in library(tmp_path, folder).look()}
    for _ in broken(file):
        found = library(tmp_path, folder).look()
        assert ({model.name for model in found}, len(found)) == ({"real", "ink", "bad", "seer"}, 4)


def test_the_usual_places_are_noticed(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "home" / "ComfyUI", COMFY)
    (tmp_path / "home" / "invokeai").mkdir()  # without models
    assert usual_folders([], tmp_path / "home") == (folder,)
    assert usual_folders([folder], tmp_path / "home") == ()

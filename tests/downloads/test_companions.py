"""What lies beside a file of this computer comes along when the file becomes a model, and replaces nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.downloads.conftest import ROOMY, lora
from tests.model_files import VAE, save
from webui.checkpoints.converting import Converter
from webui.checkpoints.other_folders import OtherFolders
from webui.downloads import companions as module
from webui.downloads.companions import Way
from webui.downloads.local_files import LocalFiles
from webui.downloads.space import Space
from webui.errors import DiskFull

BESIDE = (".json", ".civitai.info", ".txt", ".preview.png", ".jpeg")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def files(models: Path) -> LocalFiles:
    return LocalFiles(models, OtherFolders(), Space(models, lambda _: ROOMY), Converter().convert)


def with_companions(folder: Path) -> Path:
    """A file with all that may lie beside it."""
    path = folder / "ink.safetensors"
    path.write_bytes(lora())
    for ending in BESIDE:
        (folder / f"ink{ending}").write_text(ending)
    (folder / "ink.components" / "vae").mkdir(parents=True)
    (folder / "ink.components" / "vae" / "config.json").write_text("{}")
    (folder / "ink.tokenizer").mkdir()
    (folder / "ink.tokenizer" / "vocab.json").write_text("{}")
    save(folder / "ink.vae.safetensors", VAE)
    (folder / "inkwell.json").write_text("of another")
    return path


def names_below(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file() or one.is_symlink()}


@pytest.mark.parametrize("has_links", [True, False], ids=["one disk", "another disk"])
@pytest.mark.parametrize("way", ["link", "move"])
def test_what_lies_beside_it_comes_along(
    tmp_path: Path, models: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch, way: Way, has_links: bool
) -> None:
    folder = tmp_path / "from"
    folder.mkdir()
    path = with_companions(folder)
    before = {name: (folder / name).read_bytes() for name in names_below(folder)}
    if not has_links:

        def other_disk(*_: object, **__: object) -> None:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", other_disk)
    assert files.take(str(path), way).place == "loras/ink.safetensors"
    after = {name: (models / "loras" / name).read_bytes() for name in names_below(models / "loras")}
    assert after == {name: content for name, content in before.items() if name != "inkwell.json"}
    assert names_below(folder) == (set(before) if way == "link" else {"inkwell.json"})
    assert (models / "loras" / "ink.vae.safetensors").is_symlink() is (way == "link" and not has_links)
    assert list((models / ".downloads").iterdir()) == []
    if way == "link":
        (models / "loras" / "ink.json").write_text("changed here")
        assert (folder / "ink.json").read_text() == ".json"


def test_what_lies_beside_it_replaces_nothing(tmp_path: Path, models: Path, files: LocalFiles) -> None:
    (models / "loras" / "ink.tokenizer").mkdir(parents=True)
    (models / "loras" / "ink-2.preview.png").write_text("mine")
    assert files.take(str(with_companions(tmp_path)), "move").place == "loras/ink-3.safetensors"
    assert (models / "loras" / "ink-2.preview.png").read_text() == "mine"
    assert list((models / "loras" / "ink.tokenizer").iterdir()) == []
    assert (models / "loras" / "ink-3.preview.png").read_text() == ".preview.png"
    assert (models / "loras" / "ink-3.tokenizer" / "vocab.json").is_file()


def test_links_beside_it_lead_to_the_same_and_pipes_are_left(tmp_path: Path, models: Path, files: LocalFiles) -> None:
    shared, notes = save(tmp_path / "shared.safetensors", VAE), tmp_path / "notes"
    notes.write_text("{}")
    folder = tmp_path / "from"
    folder.mkdir()
    path = folder / "ink.safetensors"
    path.write_bytes(lora())
    (folder / "ink.vae.safetensors").symlink_to("../shared.safetensors")
    (folder / "ink.json").symlink_to("../notes")
    os.mkfifo(folder / "ink.txt")
    (folder / "ink.components").mkdir()
    (folder / "ink.components" / "round").symlink_to("../ink.components")
    assert files.take(str(path), "move").how == "moved"
    assert (models / "loras" / "ink.vae.safetensors").resolve() == shared
    assert (models / "loras" / "ink.json").read_text() == "{}"
    assert not (models / "loras" / "ink.json").is_symlink()
    assert {one.name for one in folder.iterdir()} == {"ink.txt", "ink.components"}, "what did not come as a whole stays"
    assert notes.exists()


def test_what_cannot_all_come_does_not_come(
    tmp_path: Path, models: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_companions(tmp_path)
    link = module.hard_link

    def until_the_vae(staged: Path, target: Path) -> bool:
        if target.name == "ink.vae.safetensors":
            raise OSError(28, "No space left on device")
        return link(staged, target)

    monkeypatch.setattr(module, "hard_link", until_the_vae)
    before = names_below(tmp_path)
    with pytest.raises(DiskFull):
        files.take(str(path), "move")
    assert names_below(tmp_path) == before

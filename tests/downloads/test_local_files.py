"""A file of this computer as a model: told by its header, put in the folder of its kind, and nothing else touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.downloads.conftest import ROOMY, lora, weights
from tests.model_files import EMBEDDING, VAE, save
from webui.checkpoints.other_folders import OtherFolders
from webui.downloads import local_files as module
from webui.downloads.companions import Way
from webui.downloads.local_files import LocalFiles
from webui.downloads.space import Space
from webui.errors import DiskFull, DiskSpaceShort, FileRefused

UPSCALER = {"conv_first.weight": (4, 3, 3, 3), "body.0.rdb1.conv1.weight": (2, 4, 3, 3)}
CONTROL = {"controlnet_cond_embedding.conv_in.weight": (2, 3, 3, 3)}
DIFFUSERS_VAE = {"encoder.down_blocks.0.x": (1,), "decoder.conv_in.weight": (8, 4, 3, 3)}


def never(source: object, target: Path) -> object:
    raise AssertionError("nothing is to be converted")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def files(models: Path) -> LocalFiles:
    return LocalFiles(models, OtherFolders(), Space(models, lambda _: ROOMY), never)  # type: ignore[arg-type]


def told(run: Callable[[], object]) -> str:
    """The reason of a refusal."""
    with pytest.raises(FileRefused) as raised:
        run()
    return str(raised.value.details["reason"])


@pytest.mark.parametrize(
    ("shapes", "kind", "family", "place"),
    [
        (EMBEDDING, "embedding", None, "embeddings/one.safetensors"),
        ({"<cat>": (768,)}, "embedding", None, "embeddings/one.safetensors"),
        (VAE, "vae", None, "vae/one.safetensors"),
        (DIFFUSERS_VAE, "vae", None, "vae/one.safetensors"),
        (CONTROL, "control", None, "controlnet/one.safetensors"),
        (UPSCALER, "upscaler", "ESRGAN", "upscale_models/one.safetensors"),
    ],
)
def test_each_kind_has_its_folder(
    tmp_path: Path,
    models: Path,
    files: LocalFiles,
    shapes: dict[str, tuple[int, ...]],
    kind: str,
    family: str | None,
    place: str,
) -> None:
    path = save(tmp_path / "one.safetensors", shapes)
    looked = files.look(str(path))
    assert (looked.name, looked.kind, looked.family, looked.converts) == ("one.safetensors", kind, family, False)
    assert looked.size_bytes == path.stat().st_size
    assert list(models.iterdir()) == []
    taken = files.take(str(path), "link")
    assert (taken.place, taken.kind, taken.how) == (place, kind, "hard_link")
    assert (models / place).samefile(path)


@pytest.mark.parametrize("way", ["link", "move"])
def test_nothing_is_ever_replaced(tmp_path: Path, models: Path, files: LocalFiles, way: Way) -> None:
    (models / "loras").mkdir()
    (models / "loras" / "ink.safetensors").write_bytes(b"mine")
    path = tmp_path / "ink.safetensors"
    path.write_bytes(lora(1))
    assert files.take(str(path), way).place == "loras/ink-2.safetensors"
    assert (models / "loras" / "ink.safetensors").read_bytes() == b"mine"
    assert (models / "loras" / "ink-2.safetensors").read_bytes() == lora(1)
    assert path.exists() is (way == "link")


def test_there_is_always_one_more_name(tmp_path: Path, models: Path, files: LocalFiles) -> None:
    folder = models / "loras"
    folder.mkdir(exist_ok=True)
    for name in ("ink", *(f"ink-{number}" for number in range(2, 40))):
        (folder / f"{name}.safetensors").write_bytes(b"another")
    path = tmp_path / "ink.safetensors"
    path.write_bytes(lora())
    assert files.take(str(path), "link").place == "loras/ink-40.safetensors"


def test_moving_leaves_nothing_and_linking_all(tmp_path: Path, models: Path, files: LocalFiles) -> None:
    path = tmp_path / "ink.safetensors"
    path.write_bytes(lora())
    assert files.take(str(path), "move").how == "moved"
    assert not path.exists()
    assert (models / "loras" / "ink.safetensors").read_bytes() == lora()


def test_without_hard_links_it_is_linked_by_name_or_copied(
    tmp_path: Path, models: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    for name in ("one", "two"):
        (tmp_path / f"{name}.safetensors").write_bytes(lora())
    assert files.take(f"{tmp_path}/one.safetensors", "link").how == "symbolic_link"
    assert (models / "loras" / "one.safetensors").resolve() == tmp_path / "one.safetensors"
    assert files.take(f"{tmp_path}/two.safetensors", "move").how == "moved"
    assert not (models / "loras" / "two.safetensors").is_symlink()
    assert not (tmp_path / "two.safetensors").exists()
    assert list((models / ".downloads").iterdir()) == []


def test_the_original_goes_last_and_not_where_it_changed(
    tmp_path: Path, models: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "hard_link", lambda path, target: False)
    path = tmp_path / "ink.safetensors"
    path.write_bytes(lora())
    (tmp_path / "ink.json").write_text("{}")
    synced: list[bool] = []

    def sync(folder: Path) -> None:
        synced.append(path.exists())
        os.utime(path, ns=(1, 1))  # somebody writes it

    monkeypatch.setattr(module, "sync_folder", sync)
    assert files.take(str(path), "move").how == "copied"
    assert synced == [True]
    assert path.read_bytes() == (models / "loras" / "ink.safetensors").read_bytes() == lora()
    assert (tmp_path / "ink.json").exists()


def test_what_is_still_written_is_not_taken(
    tmp_path: Path, models: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "hard_link", lambda path, target: False)
    path = tmp_path / "ink.safetensors"
    path.write_bytes(lora())
    copy = shutil.copyfileobj

    def meanwhile(source: BinaryIO, target: BinaryIO, length: int) -> None:
        copy(source, target, length)
        os.utime(path, ns=(1, 1))

    monkeypatch.setattr(shutil, "copyfileobj", meanwhile)
    assert told(lambda: files.take(str(path), "move")) == "changed"
    assert path.read_bytes() == lora()
    assert list(models.rglob("*.safetensors")) == []


def test_looking_at_a_pickled_one_needs_room(tmp_path: Path, models: Path) -> None:
    def full(source: object, target: Path) -> str:
        raise OSError(28, "No space left on device")

    path = tmp_path / "style.pt"
    path.write_bytes(b"pickle")
    small = LocalFiles(models, OtherFolders(), Space(models, lambda _: (10**12, 0)), never)  # type: ignore[arg-type]
    filled = LocalFiles(models, OtherFolders(), Space(models, lambda _: ROOMY), full)  # type: ignore[arg-type]
    with pytest.raises(DiskSpaceShort):
        small.look(str(path))
    with pytest.raises(DiskFull):
        filled.look(str(path))
    assert list((models / ".downloads").iterdir()) == []


def test_another_disk_needs_room(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = LocalFiles(models, OtherFolders(), Space(models, lambda _: (10**12, 0)), never)  # type: ignore[arg-type]
    path = tmp_path / "one.safetensors"
    path.write_bytes(lora())
    monkeypatch.setattr(module, "hard_link", lambda path, target: False)
    with pytest.raises(DiskSpaceShort):
        files.take(str(path), "move")
    assert path.read_bytes() == lora()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("one.safetensors", b"", "truncated"),
        ("one.safetensors", b"\x80\x04K\x01.", "not_safetensors"),
        ("one.safetensors", lora()[:-1], "truncated"),
        ("one.safetensors", weights(), "foreign"),
        ("one.ckpt", b"pickle", "not_weights"),
        ("one.txt", b"text", "not_weights"),
        ("safetensors", b"text", "not_weights"),
    ],
)
def test_what_is_broken_or_something_else(
    tmp_path: Path, models: Path, files: LocalFiles, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert told(lambda: files.look(str(path))) == reason
    assert told(lambda: files.take(str(path), "move")) == reason
    assert path.read_bytes() == content
    assert list(models.rglob("*.safetensors")) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("one.safetensors", "path_whole"),
        ("", "path_whole"),
        ("/a/../etc/one.safetensors", "path_whole"),
        ("/a\0b.safetensors", "path_whole"),
        ("~nobody-here/one.safetensors", "no_such_file"),
        ("/nowhere/one.safetensors", "no_such_file"),
        ("/" + "a" * 4000, "no_such_file"),
        ("/dev/zero", "special_file"),
        ("/dev", "is_folder"),
    ],
)
def test_paths_that_lead_to_no_file(files: LocalFiles, text: str, reason: str) -> None:
    assert told(lambda: files.look(text)) == reason


def test_links_pipes_and_what_is_listed_already(tmp_path: Path, models: Path, files: LocalFiles) -> None:
    real = tmp_path / "real.safetensors"
    real.write_bytes(lora())
    link, pipe = tmp_path / "link.safetensors", tmp_path / "pipe.safetensors"
    link.symlink_to(real)
    os.mkfifo(pipe)
    own = save(models / "vae" / "mine.safetensors", VAE)
    inside = tmp_path / "way" / "mine.safetensors"
    inside.parent.symlink_to(models / "vae")
    other = save(tmp_path / "ComfyUI" / "models" / "vae" / "theirs.safetensors", VAE)
    others = LocalFiles(models, OtherFolders([tmp_path / "ComfyUI"]), Space(models, lambda _: ROOMY), never)  # type: ignore[arg-type]
    assert told(lambda: files.take(str(link), "move")) == "is_link"
    assert told(lambda: files.take(str(pipe), "link")) == "special_file"
    for path in (own, inside, models / ".trash" / "x"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
        assert told(lambda path=path: files.take(str(path), "move")) in ("here_already", "not_weights")  # type: ignore[misc]
    assert told(lambda: others.take(str(other), "move")) == "read_already"
    assert real.exists()
    assert other.exists()


def test_quotes_and_a_home_are_understood(tmp_path: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my ink.safetensors").write_bytes(lora())
    assert files.look(f' "{tmp_path}/my ink.safetensors" ').kind == "lora"
    assert files.look("~/my ink.safetensors").kind == "lora"


def test_a_file_that_is_exchanged_meanwhile_is_not_taken(
    tmp_path: Path, models: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ink.safetensors"
    path.write_bytes(lora())
    known = module.known_file

    def exchange(*arguments: object) -> object:
        found = known(*arguments)  # type: ignore[arg-type]
        path.unlink()
        path.write_bytes(b"something else")
        return found

    monkeypatch.setattr(module, "known_file", exchange)
    for way in ("link", "move"):
        path.unlink()
        path.write_bytes(lora())
        assert told(lambda way=way: files.take(str(path), way)) == "changed"  # type: ignore[misc]
        assert path.read_bytes() == b"something else"
    assert list(models.rglob("*.safetensors")) == []


def test_a_pickled_one_is_converted_and_stays(tmp_path: Path, models: Path) -> None:
    def convert(source: object, target: Path) -> str:
        save(target, EMBEDDING)
        return "embedding"

    files = LocalFiles(models, OtherFolders(), Space(models, lambda _: ROOMY), convert)  # type: ignore[arg-type]
    path = tmp_path / "style.pt"
    path.write_bytes(b"pickle")
    looked = files.look(str(path))
    assert (looked.kind, looked.converts, looked.size_bytes) == ("embedding", True, 6)
    taken = files.take(str(path), "move")
    assert (taken.place, taken.how) == ("embeddings/style.safetensors", "converted")
    assert path.read_bytes() == b"pickle"
    assert list((models / ".downloads").iterdir()) == []

"""What weights hash to, and the book that keeps it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.hashes import HashBook, Hashes, hashes_of


def digests_of(checkpoint: Checkpoint) -> dict[Path, str]:
    files = [checkpoint.path] if checkpoint.folder is None else checkpoint.path.rglob("*.safetensors")
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_file_hashes_as_a1111_says(toy_models: Path) -> None:
    checkpoint = Catalogue(toy_models).get("files/toy-sd15-file")
    content = checkpoint.path.read_bytes()
    expected = Hashes(checkpoint=hashlib.sha256(content).hexdigest(), vae=None)
    assert hashes_of(checkpoint, digests_of(checkpoint)) == expected


def test_a_folder_hashes_by_all_its_weights(toy_models: Path) -> None:
    checkpoint = Catalogue(toy_models).get("toy-sd15")
    digests = digests_of(checkpoint)
    found = hashes_of(checkpoint, digests)
    vae = next(file for file in digests if file.parent.name == "vae")
    assert found.vae == digests[vae], "as the same VAE in a file of its own"
    for file in digests:
        if file.parent.name in ("unet", "vae", "text_encoder"):
            assert hashes_of(checkpoint, digests | {file: "0" * 64}).checkpoint != found.checkpoint
    del digests[vae]
    with pytest.raises(KeyError):
        hashes_of(checkpoint, digests)


def test_the_book_keeps_what_is_still_true(toy_models: Path, tmp_path: Path) -> None:
    checkpoint = Catalogue(toy_models).get("toy-sd15")
    file = tmp_path / "data" / "hashes.json"
    book, hashes = HashBook(file), Hashes(checkpoint="a" * 64, vae="b" * 64)
    assert book.get(checkpoint) is None
    book.put(checkpoint, hashes)
    book.put(replace(checkpoint, id="other"), Hashes(checkpoint="c" * 64))
    assert HashBook(file).get(checkpoint) == hashes
    assert HashBook(file).get(replace(checkpoint, version="later")) is None
    assert [path.name for path in file.parent.iterdir()] == ["hashes.json"]


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"toy-sd15": 3}', '{"toy-sd15": {"version": "v"}}'])
def test_a_book_that_somebody_else_wrote_is_empty(toy_models: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "hashes.json"
    file.write_text(text)
    checkpoint = replace(Catalogue(toy_models).get("toy-sd15"), version="v")
    assert HashBook(file).get(checkpoint) is None


def test_a_book_that_cannot_be_written_stops_nothing(
    toy_models: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    HashBook(tmp_path / "file" / "hashes.json").put(Catalogue(toy_models).get("toy-sd15"), Hashes(checkpoint="a"))
    assert "cannot save the hashes" in caplog.text

"""Which checkpoint a hash or a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.hashes import HashBook, Hashes
from webui.metadata.finding import CheckpointFinder


@pytest.fixture
def finder(toy_models: Path, tmp_path: Path) -> CheckpointFinder:
    catalogue = Catalogue(toy_models)
    book = HashBook(tmp_path / "book.json")
    book.put(catalogue.get("files/toy-sd15-file"), Hashes(checkpoint="0123456789abcdef" * 4))
    return CheckpointFinder(catalogue, book)


@pytest.mark.parametrize(
    ("hash", "name", "expected"),
    [
        ("0123456789", "another name", ("files/toy-sd15-file", True)),
        ("0123456789ABCDEF" * 4, None, ("files/toy-sd15-file", True)),
        ("ffffffffff", "toy-sd15-file", ("files/toy-sd15-file", False)),
        ("01234567", "TOY-SD15-FILE.safetensors", ("files/toy-sd15-file", None)),
        (None, "files\\toy-sd15-file.ckpt", ("files/toy-sd15-file", None)),
        ("ffffffffff", "toy-sdxl", ("toy-sdxl", None)),
        (None, "toy", None),
        ("", "", None),
        ("f" * 64, "../toy-sd15-file/..", None),
    ],
)
def test_by_hash_else_by_name(
    finder: CheckpointFinder, hash: str | None, name: str | None, expected: tuple[str, bool | None] | None
) -> None:
    assert finder(hash, name) == expected

"""Pictures that people brought are theirs alone, and stored once."""

from __future__ import annotations

import hashlib

import pytest

from tests.owners import ANN, BOB
from webui.errors import PictureNotFound
from webui.storage import Storage

PNG = b"\x89PNG of some picture"


def test_the_reference_is_the_content(storage: Storage) -> None:
    reference = storage.uploads.add(ANN, PNG, 30, 20)
    digest = hashlib.sha256(PNG).hexdigest()
    assert reference == f"sha256:{digest}"
    assert (storage.data_dir / "uploads" / digest[:2] / f"{digest}.png").read_bytes() == PNG
    assert storage.uploads.add(ANN, PNG, 30, 20) == reference
    assert storage.uploads.read(ANN, reference) == PNG
    assert storage.uploads.size(reference) == (30, 20)


def test_anothers_reference_is_as_good_as_none(storage: Storage) -> None:
    reference = storage.uploads.add(ANN, PNG, 30, 20)
    assert not storage.uploads.has(BOB, reference)
    with pytest.raises(PictureNotFound):
        storage.uploads.read(BOB, reference)
    storage.uploads.add(BOB, PNG, 30, 20)
    assert storage.uploads.has(BOB, reference)


@pytest.mark.parametrize("reference", ["", "sha256:", "sha256:" + "g" * 64, "sha256:../../../etc/passwd", "x" * 1000])
def test_what_is_no_reference_is_not_found(storage: Storage, reference: str) -> None:
    assert not storage.uploads.has(ANN, reference)
    with pytest.raises(PictureNotFound):
        storage.uploads.size(reference)
    with pytest.raises(PictureNotFound):
        storage.uploads.path(ANN, reference)


def test_a_lost_or_cut_file_is_written_again(storage: Storage) -> None:
    reference = storage.uploads.add(ANN, PNG, 30, 20)
    path = storage.uploads.path(ANN, reference)
    path.unlink()
    assert not storage.uploads.has(ANN, reference)
    storage.uploads.add(ANN, PNG, 30, 20)
    assert storage.uploads.has(ANN, reference)
    path.write_bytes(PNG[:3])
    storage.uploads.add(ANN, PNG, 30, 20)
    assert path.read_bytes() == PNG

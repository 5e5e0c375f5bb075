"""Old pickled embeddings and upscalers: read by a confined process, once, and then like any other."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.jobs.conftest import eventually
from tests.model_files import EMBEDDING, save
from webui.checkpoints import converting as module
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.converted import ConvertedFiles
from webui.checkpoints.converting import Converter
from webui.checkpoints.library import Library
from webui.checkpoints.other_folders import OtherFolders
from webui.checkpoints.refusals import Refusal

VECTORS = torch.arange(1536, dtype=torch.float32).reshape(2, 768)
ESRGAN = {"conv_first.weight": torch.ones(4, 3, 3, 3), "body.0.rdb1.conv1.weight": torch.zeros(2, 4, 3, 3)}


class Hostile:
    """Runs a program where it is unpickled without care."""

    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._witness),)


def pickled(value: object, **options: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


def converted(tmp_path: Path, content: bytes) -> tuple[str, dict[str, torch.Tensor]]:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    with source.open("rb") as file:
        kind = Converter().convert(file, target)
    assert source.read_bytes() == content
    return kind, load_file(target)


def refused(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(Refusal) as raised:
        converted(tmp_path, content)
    assert not (tmp_path / "target").exists()
    return raised.value.reason


@pytest.mark.parametrize("is_new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ({"string_to_token": {"*": 265}, "string_to_param": {"*": VECTORS}, "name": "x"}, "embedding", VECTORS),
        ({"<cat>": VECTORS[0]}, "embedding", VECTORS[0]),
        ({"params": {}, "params_ema": ESRGAN}, "upscaler", ESRGAN["conv_first.weight"]),
        (ESRGAN, "upscaler", ESRGAN["conv_first.weight"]),
    ],
    ids=["A1111", "diffusers", "averaged", "plain"],
)
def test_what_is_read(tmp_path: Path, value: object, kind: str, expected: torch.Tensor, is_new: bool) -> None:
    found, tensors = converted(tmp_path, pickled(value, _use_new_zipfile_serialization=is_new))
    assert found == kind
    name = "emb_params" if kind == "embedding" else "conv_first.weight"
    assert torch.equal(tensors[name], expected)


def test_the_first_ones_have_a_container_of_torch_and_sdxls_two_tensors(tmp_path: Path) -> None:
    first = {"string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(VECTORS)})}
    assert torch.equal(converted(tmp_path, pickled(first))[1]["emb_params"], VECTORS)
    large = {"clip_l": torch.ones(1, 768), "clip_g": torch.ones(1, 1280)}
    assert set(converted(tmp_path, pickled(large))[1]) == {"clip_l", "clip_g"}


def test_hostile_files_run_nothing(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    hostile = {"string_to_param": {"*": Hostile(witness)}}
    for content in (pickled(hostile), pickled(hostile, _use_new_zipfile_serialization=False), pickle.dumps(hostile)):
        assert refused(tmp_path, content) in ("convert_code", "convert_unreadable")
    assert not witness.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "convert_unreadable"),
        (b"not a pickle", "convert_unreadable"),
        (pickled({"string_to_param": {"*": VECTORS}})[:-200], "convert_unreadable"),
        (pickled([1, 2]), "convert_foreign"),
        (pickled({"string_to_param": {}}), "convert_foreign"),
        (pickled({"string_to_param": {"*": torch.ones(1, 768, dtype=torch.complex128)}}), "convert_foreign"),
        (pickled({"a": torch.zeros(2), "b": torch.zeros(3)}), "foreign"),
        (pickled({"string_to_param": {"*": torch.zeros(1).expand(10**10)}}), "convert_memory"),
    ],
    ids=["empty", "text", "truncated", "list", "nothing", "complex", "other", "huge"],
)
def test_what_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    assert refused(tmp_path, content) == reason


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(50_000_000))
    assert refused(tmp_path, stream.getvalue()) == "convert_packed"


def test_a_huge_file_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("it was opened"))
    assert refused(tmp_path, bytes(200)) == "convert_large"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limits")
def test_the_process_opens_nothing_once_it_reads(tmp_path: Path) -> None:
    code = (
        "import runpy, sys\n"
        f"worker = runpy.run_path({str(module.WORKER)!r})\n"
        "worker['_warm_up'](); worker['confine'](1000)\n"
        "import socket\n"
        "for run in (lambda: open(sys.argv[1], 'wb'), socket.socket):\n"
        "    try:\n"
        "        run()\n"
        "    except OSError as error:\n"
        "        sys.stdout.write(f'{error.errno} ')\n"
        "try:\n"
        "    bytearray(2 * 10**9)\n"
        "except MemoryError:\n"
        "    sys.stdout.write('memory')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x")], capture_output=True, text=True, check=True)
    assert done.stdout == "24 24 memory"
    assert not (tmp_path / "x").exists()


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[ConvertedFiles]:
    copies = ConvertedFiles(tmp_path / "data" / "converted")
    copies.start(Converter().convert)
    yield copies
    copies.close()


def test_an_embedding_in_a_foreign_folder_is_converted_once_and_read(tmp_path: Path, copies: ConvertedFiles) -> None:
    theirs = tmp_path / "webui" / "embeddings" / "old.pt"
    theirs.parent.mkdir(parents=True)
    (tmp_path / "webui" / "models").mkdir()
    theirs.write_bytes(pickled({"string_to_param": {"*": VECTORS}}))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "webui").rglob("*")}
    others = OtherFolders([tmp_path / "webui"])
    addons = Addons(tmp_path / "models", others, copies)
    assert addons.pickled_embeddings() == {"old"}
    eventually(lambda: set(addons.embeddings()) == {"old"}, 60)
    assert addons.pickled_embeddings() == frozenset()
    embedding = addons.embeddings()["old"]
    assert (embedding.vectors, embedding.path.parent) == (2, tmp_path / "data" / "converted")
    made = embedding.path.stat().st_mtime_ns
    again = ConvertedFiles(tmp_path / "data" / "converted")  # as another process looks
    found = again.of(theirs, "embedding")
    assert found is not None
    assert found.path == embedding.path
    library = Library(Catalogue(tmp_path / "models", others, converted=copies))
    (model,) = library.look(("embedding",))
    assert (model.problem, model.dtype, model.widths, model.path) == (None, "fp32", (768,), theirs)
    assert embedding.path.stat().st_mtime_ns == made
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "webui").rglob("*")} == before


def test_an_upscaler_is_listed_with_what_it_is(tmp_path: Path, copies: ConvertedFiles) -> None:
    folder = tmp_path / "models" / "upscalers"
    folder.mkdir(parents=True)
    (folder / "sharp.pth").write_bytes(pickled({"params_ema": ESRGAN}))
    (folder / "evil.pth").write_bytes(pickled({"x": Hostile(tmp_path / "witness")}))
    (folder / "word.pt").write_bytes(pickled({"string_to_param": {"*": VECTORS}}))
    library = Library(Catalogue(tmp_path / "models", converted=copies))

    def found() -> dict[str, tuple[str | None, object]]:
        return {
            model.name: (model.family, model.problem and model.problem.details.get("reason", model.problem.kind))
            for model in library.look(("upscaler",))
        }

    assert {reason for _, reason in found().values()} == {"model_converting"}
    eventually(lambda: "model_converting" not in [reason for _, reason in found().values()], 90)
    assert found() == {
        "sharp": ("ESRGAN", None),
        "evil": (None, "convert_code"),
        "word": (None, "convert_is_embedding"),
    }
    assert not (tmp_path / "witness").exists()
    (folder / "evil.pth").write_bytes(pickled(ESRGAN))  # another file: looked at anew
    eventually(lambda: found()["evil"] == ("ESRGAN", None), 60)


def test_all_are_looked_for_at_the_start_and_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    path = tmp_path / "models" / "embeddings" / "old.pt"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickled({"string_to_param": {"*": VECTORS}}))
    left = tmp_path / "converted" / ".tmp-0123"
    left.parent.mkdir()
    left.touch()
    copies = ConvertedFiles(tmp_path / "converted")
    addons = Addons(tmp_path / "models", converted=ConvertedFiles(tmp_path / "converted"))  # looks, and makes none
    copies.start(Converter().convert, Library(Catalogue(tmp_path / "models", converted=copies)).look)
    eventually(lambda: set(addons.embeddings()) == {"old"}, 60)
    copies.close()
    assert not left.exists()


def test_nothing_is_converted_where_nobody_may(tmp_path: Path) -> None:
    path = tmp_path / "embeddings" / "old.pt"
    path.parent.mkdir()
    path.write_bytes(pickled({"string_to_param": {"*": VECTORS}}))
    assert Addons(tmp_path).embeddings() == {}
    looking = ConvertedFiles(tmp_path / "converted")  # the worker's: it makes none
    assert Addons(tmp_path, converted=looking).embeddings() == {}
    assert not (tmp_path / "converted").exists()
    assert looking.of(tmp_path / "one.ckpt", "embedding") is None
    assert looking.of(path, "checkpoint") is None


def test_a_file_of_the_same_name_that_needs_no_conversion_goes_first(tmp_path: Path, copies: ConvertedFiles) -> None:
    own = save(tmp_path / "models" / "embeddings" / "one.safetensors", EMBEDDING)
    own.with_suffix(".pt").write_bytes(pickled({"string_to_param": {"*": VECTORS}}))
    addons = Addons(tmp_path / "models", converted=copies)
    eventually(lambda: addons.embeddings() and not addons.pickled_embeddings(), 60)
    assert addons.embeddings()["one"].path == own


def test_a_header_of_torchs_own_is_no_torch_file(tmp_path: Path) -> None:
    assert refused(tmp_path, struct.pack("<Q", 2**40) + bytes(64)) == "convert_unreadable"

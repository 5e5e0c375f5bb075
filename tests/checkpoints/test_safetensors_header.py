"""The header check, on sound files and on every way in which a file can lie."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.checkpoints import safetensors_header
from webui.checkpoints.refusals import Broken
from webui.checkpoints.safetensors_header import MAX_TENSORS, read_header

SOUND = {"a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}


def packed(header: Any, data_bytes: int = 24, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + bytes(data_bytes)


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    return path


def reason(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(Broken) as caught:
        read_header(written(tmp_path, content))
    return caught.value.reason


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    header = read_header(written(tmp_path, packed({"__metadata__": {"format": "pt"}, **SOUND})))
    assert header.metadata == {"format": "pt"}
    assert list(header.tensors) == ["a.weight"]
    info = header.tensors["a.weight"]
    assert (info.dtype, info.shape, info.start, info.end) == ("F32", (2, 3), 0, 24)


def test_spaces_may_fill_the_header_up(tmp_path: Path) -> None:
    assert read_header(written(tmp_path, packed(json.dumps(SOUND).encode() + b"     "))).tensors


def test_empty_tensors_take_no_room(tmp_path: Path) -> None:
    empty = {"v_pred": {"dtype": "F32", "shape": [0], "data_offsets": [24, 24]}}
    assert len(read_header(written(tmp_path, packed({**SOUND, **empty}))).tensors) == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "truncated"),
        (b"1234567", "not_safetensors"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "not_safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n", "not_safetensors"),
        (b"PK\x03\x04" + bytes(200), "not_safetensors"),
        (b"\x80\x02}q\x00." + bytes(64), "not_safetensors"),
        (b"GGUF\x03\x00\x00\x00" + bytes(64), "not_safetensors"),
        (struct.pack("<Q", 2**63) + b"{}", "header_too_large"),
        (struct.pack("<Q", 0) + b"{}", "header_unreadable"),
        (struct.pack("<Q", 99_000_000) + b"{" + bytes(1000), "header_too_large"),
        (packed(SOUND, length=5_000), "truncated"),
        (packed(b"[]"), "not_safetensors"),
        (packed(b"{" + b'"a":' * 10), "header_unreadable"),
        (packed(b'{"a":' * 100_000), "header_unreadable"),
        (packed(b"{\xff\xfe}"), "header_unreadable"),
        (packed(b'{"a": NaN}'), "header_unreadable"),
        (packed(b'{"a": ' + b"9" * 5_000 + b"}"), "header_unreadable"),
        (packed({}, 0), "no_tensors"),
        (packed({"__metadata__": {"a": "b"}}, 0), "no_tensors"),
        (packed({"__metadata__": {"a": 1}, **SOUND}), "header_unreadable"),
        (packed({"__metadata__": "pt", **SOUND}), "header_unreadable"),
        (packed(SOUND, 23), "truncated"),
        (packed(SOUND, 25), "trailing_bytes"),
    ],
)
def test_foreign_and_cut_off_files_are_told_apart(tmp_path: Path, content: bytes, expected: str) -> None:
    assert reason(tmp_path, content) == expected


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {"dtype": "F32", "shape": [2, 3]},
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24], "more": 1},
        {"dtype": "C32", "shape": [3], "data_offsets": [0, 24]},
        {"dtype": "pickle", "shape": [3], "data_offsets": [0, 24]},
        {"dtype": ["F32"], "shape": [2, 3], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [-2, -3], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [2.0, 3.0], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [True, 6], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": "6", "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [6] + [1] * 9, "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [24, 0]},
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [-24, 0]},
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 12, 24]},
    ],
)
def test_a_tensor_that_contradicts_itself(tmp_path: Path, entry: Any) -> None:
    assert reason(tmp_path, packed({"a": entry})) == "tensor_unsound"


@pytest.mark.parametrize("name", ["", "../../x", "a\0b", "/etc/passwd", "\\\\host\\share", "a\nb", "x" * 300])
def test_names_that_are_no_names(tmp_path: Path, name: str) -> None:
    assert reason(tmp_path, packed({name: SOUND["a.weight"]})) == "tensor_unsound"


@pytest.mark.parametrize(
    ("first", "second", "data_bytes"),
    [((0, 24), (12, 36), 36), ((0, 24), (0, 24), 24), ((0, 24), (28, 52), 52), ((4, 28), (28, 52), 52)],
    ids=["overlap", "twice the same", "hole", "hole at the start"],
)
def test_tensors_fill_the_file_exactly_once(
    tmp_path: Path, first: tuple[int, int], second: tuple[int, int], data_bytes: int
) -> None:
    entries = {
        name: {"dtype": "F32", "shape": [6], "data_offsets": list(offsets)}
        for name, offsets in (("a", first), ("b", second))
    }
    assert reason(tmp_path, packed(entries, data_bytes)) == "tensors_overlap"


def test_a_name_may_come_only_once(tmp_path: Path) -> None:
    entry = json.dumps(SOUND["a.weight"])
    assert reason(tmp_path, packed(f'{{"a": {entry}, "a": {entry}}}'.encode())) == "header_unreadable"


def test_too_many_tensors(tmp_path: Path) -> None:
    entries = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(MAX_TENSORS + 1)}
    assert reason(tmp_path, packed(entries, 0)) == "too_many_tensors"


def test_a_large_header_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safetensors_header, "MAX_HEADER_BYTES", 100)
    assert reason(tmp_path, packed({"__metadata__": {"a": "b" * 200}, **SOUND})) == "header_too_large"


@given(position=st.integers(0, 200), value=st.integers(0, 255))
def test_no_changed_byte_does_anything_but_be_refused(
    position: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(packed({"__metadata__": {"format": "pt"}, **SOUND}))
    content[position % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "changed.safetensors"
    path.write_bytes(content)
    try:
        header = read_header(path)
    except Broken:
        return
    assert sum(info.end - info.start for info in header.tensors.values()) == 24

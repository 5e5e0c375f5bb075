"""Reads the header of a safetensors file with ordinary reads, and checks everything it says.

A file that passes cannot surprise the loader that maps it later: its length matches the header, every tensor is where
it should be, none overlap, and there are no gaps. Values are not checked. It is stricter than the format's own reader
where checkpoints need no more: a small header, few tensors, no name twice. Knows no torch and no architecture.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from webui.checkpoints.refusals import Broken

MAX_HEADER_BYTES = 16 * 2**20  # SDXL's is 0.3 MB; the format's own limit is 100 MB
MAX_TENSORS = 20_000  # SDXL with an EMA copy has about 5,000; 300,000 empty ones take the loader seconds
MAX_NAME_CHARACTERS = 256
MAX_DIMENSIONS = 8
_LENGTH_BYTES = 8  # the header's own length, little-endian

_DTYPE_BITS: Mapping[str, int] = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F8_E4M3": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2": 8,
    "F8_E5M2FNUZ": 8,
    "F8_E8M0": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "C64": 64,
}


@dataclass(frozen=True)
class TensorInfo:
    """What the header says about one tensor; `start` and `end` in bytes from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """A complete and valid header. `metadata` is free text by name."""

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """The header of the file at `path`.

    Raises Broken with one of the reasons `not_safetensors`, `truncated`, `trailing_bytes`, `header_too_large`,
    `header_unreadable`, `too_many_tensors`, `no_tensors`, `tensor_unsound`, `tensors_overlap`; OSError if the file
    cannot be read.
    """
    with path.open("rb") as file:
        return header_in(file)


def header_in(file: BinaryIO) -> Header:
    """The same of a file that is open at its start."""
    size = os.fstat(file.fileno()).st_size
    start = file.read(_LENGTH_BYTES + 1)
    if start[_LENGTH_BYTES:] != b"{":
        raise Broken("not_safetensors" if start else "truncated")
    (length,) = struct.unpack("<Q", start[:_LENGTH_BYTES])
    if length > MAX_HEADER_BYTES:
        raise Broken("header_too_large")
    if length < len("{}"):
        raise Broken("header_unreadable")
    if length > size - _LENGTH_BYTES:
        raise Broken("truncated")
    text = b"{" + file.read(length - 1)
    entries = _parse(text)
    metadata = _check_metadata(entries.pop("__metadata__", {}))
    return Header(_check_tensors(entries, size - _LENGTH_BYTES - length), metadata)


def _parse(text: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Broken("header_unreadable") from error
    if not isinstance(entries, dict):
        raise Broken("header_unreadable")
    return entries


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a name that occurs twice: it would mean one tensor to us and another to the loader."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Broken("header_unreadable")
    return found


def _refuse_constant(name: str) -> None:
    raise Broken("header_unreadable")


def _check_metadata(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Broken("header_unreadable")
    return metadata


def _check_tensors(entries: dict[str, Any], data_bytes: int) -> dict[str, TensorInfo]:
    """Checks that all tensors are valid and together fill the `data_bytes` after the header exactly once."""
    if not entries:
        raise Broken("no_tensors")
    if len(entries) > MAX_TENSORS:
        raise Broken("too_many_tensors")
    tensors = {name: _check_tensor(name, entry) for name, entry in entries.items()}
    reached = 0
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.start, tensor.end)):
        if tensor.start != reached:
            raise Broken("tensors_overlap")
        reached = tensor.end
    if reached > data_bytes:
        raise Broken("truncated")
    if reached < data_bytes:
        raise Broken("trailing_bytes")
    return tensors


def _check_tensor(name: str, entry: Any) -> TensorInfo:
    if not _is_sane(name) or not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise Broken("tensor_unsound")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    bits = _DTYPE_BITS.get(dtype) if isinstance(dtype, str) else None
    if bits is None or not _are_counts(shape) or len(shape) > MAX_DIMENSIONS:
        raise Broken("tensor_unsound")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise Broken("tensor_unsound")
    elements = 1
    for length in shape:  # Python's integers do not overflow
        elements *= length
    start, end = offsets
    if (end - start) * 8 != elements * bits:
        raise Broken("tensor_unsound")
    return TensorInfo(dtype, tuple(shape), start, end)


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _is_sane(name: str) -> bool:
    """Printable, short, and not a path: some tools turn a tensor's name into a file's."""
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        return False
    return ".." not in name and not name.startswith(("/", "\\"))

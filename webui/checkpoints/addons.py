"""What is beside the checkpoints for prompts to name: LoRAs in `models/loras/`, embeddings in `models/embeddings/`.

A file `models/loras/people/ink.safetensors` is `ink`, or `people/ink` if there are two. An embedding (textual
inversion) is a few vectors that stand for a word; their width tells which checkpoints it fits. Reads headers, never
weights. Knows no torch.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from webui.checkpoints.lora_kinds import UNKNOWN, adapter_settings, is_lora, unread_kind
from webui.checkpoints.refusals import Broken, Refusal, Unrecognised
from webui.checkpoints.safetensors_header import Header, TensorInfo, read_header
from webui.checkpoints.scaled_weights import FLOATS

MAX_FILES = 5_000
MAX_VECTORS = 75  # places that a chunk of a prompt has
SINGLE, FIRST, SECOND = "clip", "clip_l", "clip_g"  # which text encoder a tensor is for
_PICKLED = (".pt", ".bin", ".ckpt", ".pth")
_TEXT_WIDTHS = {768: "sd15", 1024: "sd2", 2048: "sdxl"}  # of what cross-attention is told, by family
_CROSS_ATTENTION = re.compile(r"attn2[._]to_k[._].*(lora_down|lora_A|lora\.down)")
_log = logging.getLogger(__name__)
Kind = TypeVar("Kind")


@dataclass(frozen=True, kw_only=True)
class LoraFile:
    """A LoRA. `family` and `text_width`, the width of the text embeddings that its U-Net takes, are None if unknown.

    If there is a `problem`, the code of a reason, the LoRA cannot be used; `kind` names its kind if that is the reason.
    """

    name: str
    path: Path
    stamp: tuple[int, int]
    family: str | None
    text_width: int | None = None
    problem: str | None = None
    kind: str | None = None

    def fits(self, family: str, text_width: int | None = None) -> bool:
        """Whether nothing in its header speaks against a checkpoint of `family` whose U-Net takes embeddings of
        `text_width`.
        """
        is_other_width = None not in (self.text_width, text_width) and self.text_width != text_width
        return self.family in (None, family) and not is_other_width


@dataclass(frozen=True, kw_only=True)
class EmbeddingFile:
    """A textual inversion: `tensors` names its tensor for each text encoder, `widths` gives the width of each."""

    name: str
    path: Path
    stamp: tuple[int, int]
    vectors: int
    tensors: Mapping[str, str]
    widths: Mapping[str, int]

    def fits(self, widths: Sequence[int]) -> bool:
        """Whether it is made for text encoders of these widths, one or SDXL's two."""
        return self.for_encoders(widths) is not None

    def for_encoders(self, widths: Sequence[int]) -> tuple[str, ...] | None:
        """The names of the tensors for text encoders of these widths, in order; None if it does not fit."""
        slots = {1: (SINGLE,), 2: (FIRST, SECOND)}.get(len(widths), ())
        if len(widths) == 1 and SINGLE not in self.tensors:  # SDXL's refiner has only the second
            slots = (SECOND,)
        if not slots or [self.widths.get(slot) for slot in slots] != list(widths):
            return None
        return tuple(self.tensors[slot] for slot in slots)


class Addons:
    """The LoRAs and embeddings below a models folder. Looks again at every call and reads what has changed.
    Thread-safe.
    """

    def __init__(self, models_dir: Path) -> None:
        self._loras = _Folder(models_dir / "loras", _read_lora)
        self._embeddings = _Folder(models_dir / "embeddings", _read_embedding)

    def loras(self) -> dict[str, LoraFile]:
        """The LoRAs, under each of their names."""
        return self._loras.look()

    def embeddings(self) -> dict[str, EmbeddingFile]:
        """The embeddings, under each of their names."""
        return self._embeddings.look()

    def pickled_embeddings(self) -> frozenset[str]:
        """The names of files that are refused, because opening them could run code."""
        return frozenset(_in_prompts(path.stem) for path in self._embeddings.files(_PICKLED))


class _Folder(Generic[Kind]):
    """The files of one kind in a folder and below it."""

    def __init__(self, folder: Path, read: Callable[[str, Path, tuple[int, int]], Kind]) -> None:
        self._folder = folder
        self._read = read
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[tuple[int, int], Kind | None]] = {}

    def look(self) -> dict[str, Kind]:
        """By name, and by path below the folder where that is more; of two with one name the first."""
        found: dict[str, Kind] = {}
        with self._lock:
            for path in self.files((".safetensors",)):
                item = self._item(path)
                if item is not None:
                    found.setdefault(_in_prompts(path.stem), item)
                    found[_in_prompts(path.relative_to(self._folder).with_suffix("").as_posix())] = item
        return found

    def files(self, suffixes: tuple[str, ...]) -> Iterator[Path]:
        """In order; hidden ones are left out, links to folders not followed."""
        count = 0
        for folder, folders, files in os.walk(self._folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if name.startswith(".") or Path(name).suffix.casefold() not in suffixes or not name.isprintable():
                    continue
                count += 1
                if count > MAX_FILES:
                    _log.warning("more than %d files in %s; ignoring the others", MAX_FILES, self._folder.name)
                    return
                yield Path(folder) / name

    def _item(self, path: Path) -> Kind | None:
        try:
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                known = stamp, self._read_safely(path, stamp)
                self._known[path] = known
            return known[1]
        except OSError as error:
            _log.warning("cannot read %s: %s", path.name, error)
            return None

    def _read_safely(self, path: Path, stamp: tuple[int, int]) -> Kind | None:
        try:
            return self._read(path.stem, path, stamp)
        except Refusal as error:
            _log.warning("ignoring %s: %s", path.name, error.reason)
            return None


def _in_prompts(name: str) -> str:
    """A file's name as a prompt gives it: macOS may decompose its accents, which prompts never do."""
    return unicodedata.normalize("NFC", name)


def _read_lora(name: str, path: Path, stamp: tuple[int, int]) -> LoraFile:
    try:
        header = read_header(path)
    except Broken as error:
        _log.warning("%s cannot be used: %s", path.name, error.reason)
        return LoraFile(name=name, path=path, stamp=stamp, family=None, problem="lora_broken")
    if not is_lora(header.tensors):
        raise Unrecognised("foreign")
    kind = unread_kind(header.tensors, header.metadata)
    if kind is None and any(_is_packed(name, info) for name, info in header.tensors.items()):
        kind = UNKNOWN
    is_legible = adapter_settings(header.metadata) is not None
    widths = {info.shape[-1] for name, info in header.tensors.items() if _CROSS_ATTENTION.search(name) and info.shape}
    width = widths.pop() if len(widths) == 1 else None
    return LoraFile(
        name=name,
        path=path,
        stamp=stamp,
        family=_lora_family(header, width),
        text_width=width,
        problem="lora_kind" if kind is not None else None if is_legible else "lora_broken",
        kind=kind,
    )


def _is_packed(name: str, info: TensorInfo) -> bool:
    """Whether something that should be weights is integers, or packed in another way; an alpha may be."""
    return info.dtype not in FLOATS and not name.endswith(".alpha")


def _lora_family(header: Header, text_width: int | None) -> str | None:
    """The family, by the width that cross-attention takes; else by what kohya's trainer and the
    ModelSpec wrote down.
    """
    if family := _TEXT_WIDTHS.get(text_width or 0):
        return family
    said = f"{header.metadata.get('ss_base_model_version', '')} {header.metadata.get('modelspec.architecture', '')}"
    for mark, family in (
        ("sdxl", "sdxl"),
        ("xl-v1", "sdxl"),
        ("sd_v1", "sd15"),
        ("diffusion-v1", "sd15"),
        ("sd_v2", "sd2"),
        ("diffusion-v2", "sd2"),
        ("flux", "FluxPipeline"),
        ("sd3", "StableDiffusion3Pipeline"),
    ):
        if mark in said.casefold():
            return family
    if any("double_blocks" in name or "single_transformer_blocks" in name for name in header.tensors):
        return "FluxPipeline"
    return None


def _read_embedding(name: str, path: Path, stamp: tuple[int, int]) -> EmbeddingFile:
    """In one of the forms that A1111, kohya's trainer and diffusers write. Raises Broken and Unrecognised."""
    header = read_header(path)
    tensors = _embedding_tensors(header)
    infos = {slot: header.tensors[tensor] for slot, tensor in tensors.items()}
    counts = {_vectors(info) for info in infos.values()}
    if len(counts) != 1:
        raise Broken("other_shapes")
    return EmbeddingFile(
        name=name,
        path=path,
        stamp=stamp,
        vectors=counts.pop(),
        tensors=tensors,
        widths={slot: info.shape[-1] for slot, info in infos.items()},
    )


def _embedding_tensors(header: Header) -> dict[str, str]:
    names = set(header.tensors)
    if {FIRST, SECOND} <= names:
        return {FIRST: FIRST, SECOND: SECOND}
    if SECOND in names:
        return {SECOND: SECOND}
    if "emb_params" in names:
        return {SINGLE: "emb_params"}
    if len(names) == 1:
        return {SINGLE: names.pop()}
    raise Unrecognised("foreign")


def _vectors(info: TensorInfo) -> int:
    count = 1 if len(info.shape) == 1 else info.shape[0] if len(info.shape) == 2 else 0
    if not 1 <= count <= MAX_VECTORS or not info.dtype.startswith(("F", "BF")):
        raise Broken("other_shapes")
    return count

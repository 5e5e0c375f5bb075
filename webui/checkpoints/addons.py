"""What lies beside the checkpoints for prompts to name: LoRAs in `models/loras/`, embeddings in `models/embeddings/`,
and both in the folders of other programs.

A file `models/loras/people/ink.safetensors` is `ink`, or `people/ink` if there are two. An embedding (textual
inversion) is a few vectors that stand for a word; their width tells which checkpoints it fits. Reads headers, never
weights. Knows no torch.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from webui.checkpoints.addon_files import FilesOfKind, in_prompts
from webui.checkpoints.converted import WAITING, Converted, ConvertedFiles
from webui.checkpoints.lora_kinds import UNKNOWN, adapter_settings, is_lora, unread_kind
from webui.checkpoints.made_for import MadeFor, of_lora
from webui.checkpoints.other_folders import OtherFolders
from webui.checkpoints.places import FOLDERS, Kind, kind_roots, own_place
from webui.checkpoints.refusals import Broken, Unrecognised
from webui.checkpoints.renamed import Renamed
from webui.checkpoints.safetensors_header import Header, TensorInfo, read_header
from webui.checkpoints.scaled_weights import FLOATS

MAX_VECTORS = 75  # places that a chunk of a prompt has
SINGLE, FIRST, SECOND = "clip", "clip_l", "clip_g"  # which text encoder a tensor is for
_PICKLED = (".pt", ".bin", ".ckpt", ".pth")  # those without a copy: webui/checkpoints/converted.py
_TEXT_WIDTHS = {768: "sd15", 1024: "sd2", 2048: "sdxl"}  # of what cross-attention is told, by family
_CROSS_ATTENTION = re.compile(r"attn2[._]to_k[._].*(lora_down|lora_A|lora\.down)")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LoraFile:
    """A LoRA. `family` and `text_width`, the width of the text embeddings that its U-Net takes, are None if unknown.
    `made_for` is set where it makes checkpoints draw in few steps.

    If there is a `problem`, the code of a reason, the LoRA cannot be used; `kind` names its kind if that is the reason.
    """

    name: str
    path: Path
    stamp: tuple[int, int]
    family: str | None
    text_width: int | None = None
    made_for: MadeFor | None = None
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
    """The LoRAs and embeddings of our folder and of other programs'. Looks again at every call, reads what changed.
    Thread-safe."""

    def __init__(
        self, models_dir: Path, others: OtherFolders | None = None, converted: ConvertedFiles | None = None
    ) -> None:
        """`converted` are copies of embeddings that are pickled."""
        self._models_dir = models_dir
        self._converted = converted or ConvertedFiles()
        self._others = others or OtherFolders()
        self._renamed = Renamed(models_dir)
        self._loras = FilesOfKind(partial(self._folders, "lora"), read_lora)
        self._embeddings = FilesOfKind(partial(self._folders, "embedding"), read_embedding, self._copy)

    def _former(self, kind: Kind) -> dict[str, str]:
        """Paths below our folder of this kind: the present one by a former one."""
        former = {}
        for old, new in self._renamed.names().items():
            folder, _, path = old.partition("/")
            if folder.casefold() in FOLDERS[kind]:
                former[path] = new.partition("/")[2]
        return former

    def _folders(self, kind: Kind) -> Iterator[tuple[Path, Path]]:
        """(root, a folder in it), ours first, so that their names count."""
        for place in (own_place(self._models_dir), *self._others.places()):
            for root in kind_roots(place, kind):
                yield from ((root.folder, folder) for folder in root.folders)

    def loras(self) -> dict[str, LoraFile]:
        """By every name that they go by."""
        return self._loras.look(self._former("lora"))

    def loras_last_seen(self) -> dict[str, LoraFile]:
        """The same as the last look found them; none before the first has ended. Answers at once."""
        return self._loras.last_seen()

    def embeddings(self) -> dict[str, EmbeddingFile]:
        """By every name that they go by."""
        return self._embeddings.look(self._former("embedding"))

    def pickled_embeddings(self) -> frozenset[str]:
        """Names of files that are refused, because opening them could run code, and of which there is no copy (yet)."""
        return frozenset(name for name, found in self._pickled() if found is None or found.path is None)

    def converting_embeddings(self) -> frozenset[str]:
        """Those of them that are still to be converted."""
        return frozenset(name for name, found in self._pickled() if found is not None and found.reason == WAITING)

    def _pickled(self) -> Iterator[tuple[str, Converted | None]]:
        for path in self._embeddings.files(_PICKLED):
            with suppress(OSError):  # it has gone meanwhile
                yield in_prompts(path.stem), self._converted.of(path, "embedding")

    def _copy(self, path: Path) -> Path | None:
        """What is read in the place of a pickled embedding. Raises OSError."""
        found = self._converted.of(path, "embedding")
        return None if found is None else found.path


def read_lora(name: str, path: Path, stamp: tuple[int, int]) -> LoraFile:
    """What a file in a folder of LoRAs is. Raises Unrecognised for something else."""
    try:
        header = read_header(path)
    except Broken as error:
        _log.warning("%s cannot be used: %s", path.name, error.reason)
        return LoraFile(name=name, path=path, stamp=stamp, family=None, problem="lora_broken")
    return lora_in(name, path, stamp, header)


def lora_in(name: str, path: Path, stamp: tuple[int, int], header: Header) -> LoraFile:
    """The same for a header that was read already."""
    if not is_lora(header.tensors):
        raise Unrecognised("foreign")
    kind = unread_kind(header.tensors, header.metadata)
    if kind is None and any(_is_packed(name, info) for name, info in header.tensors.items()):
        kind = UNKNOWN
    is_legible = adapter_settings(header.metadata) is not None
    widths = {info.shape[-1] for name, info in header.tensors.items() if _CROSS_ATTENTION.search(name) and info.shape}
    width = widths.pop() if len(widths) == 1 else None
    family = _lora_family(header, width)
    return LoraFile(
        name=name,
        path=path,
        stamp=stamp,
        family=family,
        text_width=width,
        made_for=of_lora(path, family, header.metadata),
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


def read_embedding(name: str, path: Path, stamp: tuple[int, int]) -> EmbeddingFile:
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

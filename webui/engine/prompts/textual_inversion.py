"""The vectors of embeddings (textual inversions), read from their files when a prompt may name them.

Knows the files' headers from the catalogue of addons, and no prompts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from safetensors import SafetensorError, safe_open
from torch import Tensor

from webui.checkpoints.addons import Addons, EmbeddingFile
from webui.engine.prompts.text_encoders import TextEncoder

MAX_KEPT = 64  # files; a few hundred kB each at most
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vectors:
    """An embedding in memory: (count, width) for each text encoder, float32, on the CPU."""

    by_encoder: tuple[Tensor, ...]
    stamp: tuple[int, int] = (0, 0)

    @property
    def count(self) -> int:
        """How many tokens it takes the place of in a prompt."""
        return int(self.by_encoder[0].shape[0])


class TextualInversions:
    """The embeddings in the models folder."""

    def __init__(self, addons: Addons) -> None:
        self._addons = addons
        self._kept: dict[tuple[str, tuple[int, ...]], Vectors] = {}

    def fitting(self, encoders: list[TextEncoder], text: str) -> dict[str, Vectors]:
        """The embeddings, by name, that fit the encoders and whose name occurs in `text`; damaged ones are left out."""
        widths = tuple(encoder.width for encoder in encoders)
        lowered = text.casefold()
        found = {}
        for name, file in self._addons.embeddings().items():
            tensors = file.for_encoders(widths)
            if tensors is None or name.casefold() not in lowered:
                continue
            vectors = self._read(file, widths, tensors)
            if vectors is not None:
                found[name] = vectors
        return found

    def _read(self, file: EmbeddingFile, widths: tuple[int, ...], tensors: tuple[str, ...]) -> Vectors | None:
        key = (str(file.path), widths)
        kept = self._kept.get(key)
        if kept is not None and kept.stamp == file.stamp:
            return kept
        try:
            with safe_open(file.path, framework="pt") as opened:
                read = [opened.get_tensor(name).float() for name in tensors]
        except (SafetensorError, OSError, RuntimeError) as error:
            _log.warning("the embedding %s cannot be read: %s", file.name, error)
            return None
        if not all(bool(tensor.isfinite().all()) for tensor in read):
            _log.warning("the embedding %s contains values that are not numbers", file.name)
            return None
        vectors = Vectors(tuple(tensor.reshape(-1, tensor.shape[-1]).clone() for tensor in read), file.stamp)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[key] = vectors
        return vectors

"""The training set of the diffusion: latents of pictures and of their mirror images, and the scenes they show.

Each file of the folder belongs to one shard: `latents` (2N, 16, 16, 16) in fp16, of unit deviation, and `scenes`, N
lines of JSON; the second N latents are those of the pictures mirrored left to right, which captions never mention.
"""

import json
import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.starter.recipe.scene import Scene

log = logging.getLogger("latents")


class Latents:
    """All pictures of a folder, addressed by one number; latents stay on the disk until they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._paths = folder, _files(folder)
        saved = [torch.load(path, map_location="cpu", mmap=True, weights_only=True) for path in self._paths]
        self._latents: list[Tensor] = [part["latents"] for part in saved]
        self._scenes: list[list[str]] = [part["scenes"] for part in saved]
        self._starts = np.cumsum([0, *(len(part) for part in self._latents)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, indices: np.ndarray) -> Tensor:
        """The latents of these pictures, (B, 16, 16, 16) in fp16."""
        places = [self._split(int(index)) for index in indices]
        return torch.stack([self._latents[file][row] for file, row in places]).half()

    def scene(self, index: int) -> Scene:
        """What picture `index` shows."""
        file, row = self._split(index)
        return Scene(**json.loads(self._scenes[file][row % len(self._scenes[file])]))

    def is_outdated(self) -> bool:
        """Whether the folder has other files by now."""
        return _files(self._folder) != self._paths

    def _split(self, index: int) -> tuple[int, int]:
        file = int(np.searchsorted(self._starts, index, side="right")) - 1
        return file, index - int(self._starts[file])


def load_latents(folder: Path) -> Latents:
    """The latents that exist by now. Raises FileNotFoundError if there are none."""
    latents = Latents(folder)
    if not len(latents):
        raise FileNotFoundError(folder)
    log.info("%d pictures", len(latents))
    return latents


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.pt"))

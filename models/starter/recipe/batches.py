"""Endless batches for the diffusion: random latents, each with the tokens of a caption for its scene."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import CLIPTokenizer

from models.starter.recipe.captions import UNCONDITIONAL_CHANCE, caption
from models.starter.recipe.latents import load_latents
from models.starter.recipe.scene import Scene
from models.starter.recipe.tokenizer import MAX_TOKENS

RELOAD_BATCHES = 150  # look for new latents this often


class Batches(IterableDataset[tuple[Tensor, Tensor]]):
    """Pairs of latents (B, 16, 16, 16) in fp16 and tokens (B, 77) in int16, every picture once in a round."""

    def __init__(self, folder: Path, tokenizer: CLIPTokenizer, batch: int, seed: tuple[int, ...]) -> None:
        super().__init__()
        self._folder, self._tokenizer, self._batch, self._seed = folder, tokenizer, batch, seed

    def loader(self, workers: int) -> DataLoader[tuple[Tensor, Tensor]]:
        """All batches, made ahead by `workers` processes; with none, each is made when it is asked for."""
        return DataLoader(self, batch_size=None, num_workers=workers, pin_memory=torch.cuda.is_available())

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng((*self._seed, worker.id if worker else 0))
        latents, order = load_latents(self._folder), np.empty(0, int)
        number = 0
        while True:
            if number and number % RELOAD_BATCHES == 0 and latents.is_outdated():
                latents, order = load_latents(self._folder), np.empty(0, int)
            if len(order) < self._batch:
                order = rng.permutation(len(latents))
            chosen, order = order[: self._batch], order[self._batch :]
            yield latents[chosen], told(self._tokenizer, [latents.scene(int(index)) for index in chosen], rng)
            number += 1


def told(tokenizer: CLIPTokenizer, scenes: list[Scene], rng: np.random.Generator) -> Tensor:
    """The tokens (B, 77) in int16 of a fresh caption for each scene, which is sometimes empty."""
    texts = ["" if rng.random() < UNCONDITIONAL_CHANCE else caption(scene, rng) for scene in scenes]
    tokens = tokenizer(texts, padding="max_length", max_length=MAX_TOKENS, truncation=True)
    return torch.tensor(tokens.input_ids, dtype=torch.int16)

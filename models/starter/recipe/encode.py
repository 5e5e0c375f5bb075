"""Draws pictures, encodes them and forgets them: 8 kB of latents stand for 786 kB of pixels.

What the files hold is said in latents.py, which reads them. Needs the renderer's library.
"""

import json
import logging
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from models.starter.recipe.architecture import PICTURE_SIZE
from models.starter.recipe.codec import Codec
from models.starter.recipe.draw import SHARD_PICTURES, draw_one
from models.starter.recipe.training import save_state

GROUP = 20  # pictures drawn before they are encoded together
log = logging.getLogger("encode")


def encode_shard(
    codec: Codec, folder: Path, seed: int, is_halved: bool, shard: int, number: int = SHARD_PICTURES
) -> Path:
    """Draw and encode one shard unless it is there already; it appears whole or not at all.

    Drawn at half the size (`is_halved`), pictures take half the time, and latents differ by 0.03 (flat) to 0.16 (pixel
    art) of their deviation, for the finest strokes fall elsewhere.
    """
    target = folder / f"{shard:05d}.pt"
    if target.exists():
        return target
    plain, mirrored, scenes = [], [], []
    end, size = (shard + 1) * number, PICTURE_SIZE // 2 if is_halved else PICTURE_SIZE
    for first in range(shard * number, end, GROUP):
        drawn = [draw_one(seed, index, size) for index in range(first, min(first + GROUP, end))]
        pictures = np.stack([picture for picture, _ in drawn])
        plain.append(codec.encode(pictures, is_halved))
        mirrored.append(codec.encode(pictures[:, :, ::-1], is_halved))
        scenes += [json.dumps(asdict(scene)) for _, scene in drawn]
    save_state(target, {"latents": torch.cat(plain + mirrored).half(), "scenes": scenes})
    return target


def encode_shards(
    codec: Codec, folder: Path, seed: int, shards: Iterable[int], jobs: int, is_halved: bool = False
) -> None:
    """Draw and encode shards with so many processes."""
    folder.mkdir(parents=True, exist_ok=True)
    make = partial(encode_shard, codec, folder, seed, is_halved)
    with ProcessPoolExecutor(jobs, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        for path in pool.map(make, shards):
            log.info("%s", path.name)

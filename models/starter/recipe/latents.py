"""The training set of the diffusion: latents of all pictures and of their mirror images, and the scenes they show.

Each file of the folder belongs to one shard of pictures: `latents` (2N, 16, 16, 16) in bf16, of unit deviation, and
`scenes`, N lines of JSON; the second N latents are those of the pictures mirrored left to right.
"""

import json
import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.starter.recipe.codec import Codec
from models.starter.recipe.scene import Scene
from models.starter.recipe.training import load_state, save_state

log = logging.getLogger("latents")


def encode_shards(codec: Codec, folder: Path, target: Path) -> None:
    """Encode every shard that has no latents yet."""
    target.mkdir(parents=True, exist_ok=True)
    for shard in sorted(folder.glob("[0-9]*.npz")):
        path = target / f"{shard.stem}.pt"
        if path.exists():
            continue
        data = np.load(shard)
        pictures = data["pictures"]
        latents = torch.cat([codec.encode(pictures), codec.encode(pictures[:, :, ::-1])])
        save_state(path, {"latents": latents.bfloat16(), "scenes": [str(line) for line in data["scenes"]]})
        log.info("%s", path.name)


def load_latents(folder: Path) -> tuple[Tensor, list[Scene]]:
    """All latents there are, (N, 16, 16, 16) in bf16, and the scene of each."""
    latents, scenes = [], []
    for path in sorted(folder.glob("[0-9]*.pt")):
        saved = load_state(path)
        if saved is not None:
            latents.append(saved["latents"])
            scenes += [Scene(**json.loads(line)) for line in saved["scenes"]] * 2
    return torch.cat(latents), scenes

"""`python -m models.starter.recipe.draw`: draw the training pictures in shards, each with its scenes.

A shard `00012.npz` holds `pictures` (N, size, size, 3) in [0, 255] and `scenes`, N lines of JSON. Picture i of shard s
depends on the seed and on s * N + i alone, so shards can be drawn in any order, on any machine, and again; whoever
needs pictures only once calls `draw_one` and keeps none.
"""

import argparse
import json
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from models.starter.recipe.cast import any_backdrop
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.scene import Scene
from models.starter.recipe.values import Values, knows

SHARD_PICTURES = 500
log = logging.getLogger("draw")


def draw_one(seed: int, index: int, size: int = 256) -> tuple[np.ndarray, Scene]:
    """Picture `index` of the endless series that `seed` names, (size, size, 3) in [0, 255], and what it shows."""
    from models.starter.recipe.render import render  # late: its library is needed by those alone who draw

    rng = np.random.default_rng((seed, index))
    scene = sample_scene(rng)
    return render(scene, rng, size), scene


def draw_known(seed: int, values: Values, size: int = 256) -> Iterator[tuple[np.ndarray, Scene]]:
    """The pictures of the series `seed`, from its first on, whose scenes can be described with these values."""
    from models.starter.recipe.render import render  # late, as above

    for index in count():
        rng = np.random.default_rng((seed, index))
        scene = sample_scene(rng)
        if knows(values, scene):
            yield render(scene, rng, size), scene


def draw_backdrop(seed: int, index: int, size: int = 256) -> tuple[np.ndarray, Scene]:
    """A place with nothing in its foreground, in flat colours: what compose.py puts drawings on."""
    from models.starter.recipe.render import render  # late, as above

    rng = np.random.default_rng((seed, index))
    scene = any_backdrop(rng)
    return render(scene, rng, size), scene


def draw_shard(folder: Path, seed: int, size: int, are_backdrops: bool, shard: int) -> Path:
    """Draws one shard unless it exists already; it appears completely or not at all."""
    target = folder / f"{shard:05d}.npz"
    if not target.exists():
        first = shard * SHARD_PICTURES
        draw = draw_backdrop if are_backdrops else draw_one
        drawn = [draw(seed, first + offset, size) for offset in range(SHARD_PICTURES)]
        partial_file = folder / f".{shard:05d}.{os.getpid()}.npz"
        lines = np.array([json.dumps(asdict(scene)) for _, scene in drawn])
        np.savez(partial_file, pictures=np.stack([picture for picture, _ in drawn]), scenes=lines)
        partial_file.replace(target)
    return target


def main() -> None:
    """Draws the first `--shards` shards with `--jobs` processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=48, help=f"of {SHARD_PICTURES} pictures each")
    parser.add_argument("--every", type=int, default=1, help="10 keeps the pictures of shards 0, 10, 20, …")
    parser.add_argument("--size", type=int, default=256, help="of a picture in pixels")
    parser.add_argument("--backdrops", action="store_true", help="places with nothing in the foreground")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        make = partial(draw_shard, arguments.folder, arguments.seed, arguments.size, arguments.backdrops)
        for path in pool.map(make, range(0, arguments.shards, arguments.every)):
            log.info("%s", path.name)


if __name__ == "__main__":
    main()

"""`python -m models.starter.recipe.thumbnails`: small labelled pictures for the judge and the CLIP to learn from.

A file `00012.npz` holds `pictures` (N, 128, 128, 3) in [0, 255] and `scenes`, N lines of JSON. They are drawn for this,
or shrunk from the shards that `draw` left (`--shards`). Some go through the autoencoder first (`--reconstructed`), so
that those who learn from them also know pictures as the checkpoint's decoder draws them, a little soft.
"""

import argparse
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.starter.recipe.draw import draw_one
from models.starter.recipe.scene import Scene
from models.starter.recipe.training import CPU
from webui.engine.device import best_dtype

Pixels = NDArray[np.uint8]
SIZE = 128  # pixels, width and height
FILE_PICTURES = 1000
LEARNED_SEED = 2
LOSSY_PATCH = 8  # pixels of a thumbnail
LOSSY_COMPONENTS = (16, 64)  # of 192; the checkpoint's latents have 16 numbers for as much of a picture
CHECKPOINT = Path(__file__).resolve().parents[1]
log = logging.getLogger("thumbnails")


def shrink(picture: Image.Image) -> Pixels:
    """A picture of any size as the judge and the CLIP see it, (128, 128, 3)."""
    return np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def to_input(pictures: Pixels) -> Tensor:
    """(N, 128, 128, 3) in [0, 255] as (N, 3, 128, 128) in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def load_vae(checkpoint: Path) -> AutoencoderKL:
    """The checkpoint's autoencoder in the number type that the program runs it in on this CPU."""
    return AutoencoderKL.from_pretrained(checkpoint / "vae", torch_dtype=best_dtype(CPU)).eval()


@torch.inference_mode()
def reconstruct(vae: AutoencoderKL, picture: Pixels) -> Pixels:
    """(H, W, 3) through the autoencoder and back."""
    pixels = to_input(picture[None].copy()).to(vae.dtype)
    output = vae.decode(vae.encode(pixels).latent_dist.mode()).sample[0].float()
    return ((output.permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy()


def _drawn(seed: int, first: int) -> Iterator[tuple[Pixels, Scene]]:
    for offset in range(FILE_PICTURES):
        yield draw_one(seed, first + offset)


def _read(shard: Path) -> Iterator[tuple[Pixels, Scene]]:
    data = np.load(shard)
    for picture, line in zip(data["pictures"], data["scenes"], strict=True):
        yield picture, Scene(**json.loads(str(line)))


def write_file(
    path: Path, source: Iterator[tuple[Pixels, Scene]], soften: Callable[[Pixels], Pixels], every: int
) -> None:
    """Shrink the pictures of `source` into one file, every `every`th (0: none) after `soften`; whole or not at all."""
    pictures, lines = [], []
    for index, (picture, scene) in enumerate(source):
        if every and index % every == 0:
            picture = soften(picture)
        pictures.append(shrink(Image.fromarray(picture)))
        lines.append(json.dumps(asdict(scene)))
    partial_file = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez(partial_file, pictures=np.stack(pictures), scenes=np.array(lines))
    partial_file.replace(path)


class Pool:
    """All thumbnails of a folder in memory, with those that come while it is in use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []
        self._parts: list[Pixels] = []
        self.scenes: list[Scene] = []
        self.refresh()
        if not self.scenes:
            raise FileNotFoundError(f"no thumbnails in {folder}")

    def refresh(self) -> bool:
        """Takes up new files; returns whether there were any."""
        new = [path for path in sorted(self._folder.glob("[0-9]*.npz")) if path not in self._files]
        for path in new:
            data = np.load(path)
            self._parts.append(data["pictures"])
            self.scenes += [Scene(**json.loads(str(line))) for line in data["scenes"]]
            self._files.append(path)
        if new:
            self._starts = np.cumsum([0, *(len(part) for part in self._parts)])
            log.info("%d thumbnails", len(self.scenes))
        return bool(new)

    def examples(self, number: int = 300) -> Pixels:
        """Some of the pictures, spread over all of them."""
        return self.pictures(np.linspace(0, len(self.scenes) - 1, number).astype(int))

    def pictures(self, indices: NDArray[np.integer]) -> Pixels:
        """The pictures with these indices, (len(indices), 128, 128, 3)."""
        files = np.searchsorted(self._starts, indices, side="right") - 1
        rows = indices - self._starts[files]
        return np.stack([self._parts[file][row] for file, row in zip(files, rows, strict=True)])


class Loss:
    """What an autoencoder with few channels does to pictures: only the principal components of each patch stay."""

    def __init__(self, pictures: Pixels) -> None:
        patches = F.pixel_unshuffle(to_input(pictures), LOSSY_PATCH).permute(0, 2, 3, 1).flatten(0, 2).double()
        self._mean = patches.mean(dim=0).float().view(1, -1, 1, 1)
        _, vectors = torch.linalg.eigh((patches.T @ patches) / len(patches) - torch.outer(*[patches.mean(dim=0)] * 2))
        self._basis = vectors.flip(1).float()  # columns, the strongest first

    def __call__(self, values: Tensor, components: int) -> Tensor:
        """(N, 3, 128, 128), of whose 192 numbers a patch only so many stay."""
        kept = self._basis[:, :components]
        patches = F.pixel_unshuffle(values, LOSSY_PATCH) - self._mean
        return F.pixel_shuffle(F.conv2d(patches, (kept @ kept.T)[..., None, None]) + self._mean, LOSSY_PATCH)


class Augmentation:
    """Changes that leave what a picture shows as it is: mirrored, moved, softened, noisy. Cheap on a CPU."""

    def __init__(self, rng: np.random.Generator, examples: Pixels) -> None:
        self._rng = rng
        self._loss = Loss(examples)
        self._noise = torch.from_numpy(rng.normal(size=(16, 3, SIZE, SIZE)).astype(np.float32))

    def __call__(self, pictures: Pixels) -> Tensor:
        """(N, 128, 128, 3) in [0, 255] as input, (N, 3, 128, 128) in about [-1, 1]."""
        rng = self._rng
        values = to_input(pictures[:, :, :: int(rng.choice((-1, 1)))].copy())
        values = torch.roll(values, tuple(int(shift) for shift in rng.integers(-5, 6, 2)), dims=(2, 3))
        eighth = len(values) // 8  # few: what is lost tells pixel art and brushwork from flat colours
        if eighth:
            values[:eighth] = self._loss(values[:eighth], int(rng.integers(*LOSSY_COMPONENTS)))
        soft = values[eighth // 2 : 2 * eighth]
        soft = (soft + soft.roll(1, 2)) / 2
        values[eighth // 2 : 2 * eighth] = (soft + soft.roll(1, 3)) / 2
        if rng.random() < 0.3:
            noise = self._noise[int(rng.integers(len(self._noise)))].roll(int(rng.integers(SIZE)), 2)
            values += float(rng.uniform(0, 0.1)) * noise
        return values


def main() -> None:
    """Writes the files that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=24_000, help=f"how many to draw, in files of {FILE_PICTURES}")
    parser.add_argument("--first", type=int, default=0, help="number of the first file, to share the work")
    parser.add_argument("--shards", type=Path, help="folder of shards to shrink instead of drawing")
    parser.add_argument("--reconstructed", type=int, default=10, help="every how manieth goes through the VAE; 0: none")
    parser.add_argument("--seed", type=int, default=LEARNED_SEED)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    every = arguments.reconstructed
    vae = load_vae(CHECKPOINT) if every else None

    def soften(picture: Pixels) -> Pixels:
        return picture if vae is None else reconstruct(vae, picture)

    if arguments.shards:
        sources = {path.stem: lambda path=path: _read(path) for path in sorted(arguments.shards.glob("[0-9]*.npz"))}
    else:
        numbers = range(arguments.first, -(-arguments.pictures // FILE_PICTURES))
        sources = {f"{n:05d}": lambda n=n: _drawn(arguments.seed, n * FILE_PICTURES) for n in numbers}
    for name, source in sources.items():
        path = arguments.folder / f"{name}.npz"
        if not path.exists():
            write_file(path, source(), soften, every)
            log.info("%s", path.name)


if __name__ == "__main__":
    main()

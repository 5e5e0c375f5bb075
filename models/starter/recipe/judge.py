"""`python -m models.starter.recipe.judge`: train the judge, a small network that reads back what a picture shows.

It learns from the renderer's pictures alone and has no part in the checkpoint: it says whether a generated picture
shows what its prompt asked for. Who judges must be right: `JUDGE_ACCURACY` of fresh pictures, attribute by attribute;
below that `shortfalls` names the attribute, and whoever shows its figures has to mark them.
"""

import argparse
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from models.starter.recipe.attributes import answers, split
from models.starter.recipe.draw import draw_known
from models.starter.recipe.scene import Scene
from models.starter.recipe.thumbnails import Augmentation, Pool, shrink, to_input
from models.starter.recipe.training import REPORT_STEPS, Options, Session, options_of, training_arguments
from models.starter.recipe.values import VALUES, Values, classes
from webui.engine.device import mixed_precision

log = logging.getLogger("judge")
JUDGE = Path(__file__).with_name("judge.safetensors")
JUDGE_ACCURACY = 0.99  # of fresh pictures, for every attribute
FRESH_SEED = 987  # of pictures that nothing was trained on
PEAK_RATE = 2e-3
AVERAGE_DECAY = 0.99  # kept by the session, but not used: the norms' statistics belong to the weights themselves
BATCH = 64
JUDGE_CHANNELS = 192  # of its last features, in 8 by 8 cells
CHANNELS = (48, 128, JUDGE_CHANNELS)
SECOND_CHANNELS = (64, 112, 208)  # of the judge that no loss ever sees: another network, another seed
REFRESH_STEPS = 200


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels, 3, 1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)  # the identity at first

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    padding = (kernel - stride + 1) // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Judge(nn.Module):
    """A residual network on 32, 16 and 8 cells a side; one linear read-out for all attributes."""

    def __init__(self, values: Values = VALUES, channels: tuple[int, int, int] = CHANNELS) -> None:
        """`values` are what it can say of a picture; `channels` those of its features, from fine to coarse."""
        super().__init__()
        self.values, self.channels = values, channels
        fine, middle, coarse = channels
        self.body = nn.Sequential(
            _convolution(3, fine, 8, 4), _Residual(fine),
            _convolution(fine, middle, 3, 2), _Residual(middle),
            _convolution(middle, coarse, 3, 2), _Residual(coarse),
        )  # fmt: skip
        self.heads = nn.Linear(2 * coarse, classes(values))

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, 128, 128) in [-1, 1] to logits (B, classes)."""
        cells = self.body(pictures.contiguous(memory_format=torch.channels_last)).float()
        return self.heads(torch.cat([cells.mean(dim=(2, 3)), cells.amax(dim=(2, 3))], dim=1))

    @torch.inference_mode()
    def read(self, pictures: Sequence[Image.Image]) -> dict[str, Tensor]:
        """Log probabilities of each attribute's values, (len(pictures), values)."""
        self.eval()
        inputs = to_input(np.stack([shrink(picture) for picture in pictures]))
        logits = torch.cat([self(part) for part in inputs.split(BATCH)])
        return {name: part.log_softmax(dim=1) for name, part in split(logits, self.values).items()}


def judging_loss(logits: Tensor, targets: Tensor, values: Values = VALUES) -> Tensor:
    """Cross-entropy over all questions that have an answer: logits (B, classes), targets (B, attributes), -1 for none.

    Every attribute counts alike, however seldom its pictures show it.
    """
    loss = logits.new_zeros(())
    for column, part in enumerate(split(logits, values).values()):
        if bool((targets[:, column] >= 0).any()):
            loss = loss + F.cross_entropy(part, targets[:, column], ignore_index=-1)
    return loss


@dataclass(frozen=True)
class Tally:
    """Right answers out of those asked."""

    right: int
    asked: int

    @property
    def share(self) -> float:
        """The share of right answers, [0, 1]; 0 if nothing was asked."""
        return self.right / self.asked if self.asked else 0.0


def tally(logits: Tensor, targets: Tensor, values: Values = VALUES) -> dict[str, Tally]:
    """How often the largest of an attribute's logits is the answer."""
    found = {}
    for column, (name, part) in enumerate(split(logits, values).items()):
        asked = targets[:, column] >= 0
        right = (part.argmax(dim=1) == targets[:, column]) & asked
        found[name] = Tally(int(right.sum()), int(asked.sum()))
    return found


def fresh_pictures(
    number: int,
    soften: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
    size: int = 256,
    values: Values = VALUES,
) -> tuple[Tensor, list[Scene]]:
    """Pictures that nothing was trained on, as the judge's input, (number, 3, 128, 128), of scenes in these words.

    They are drawn `size` pixels large, and `soften` may change them before they are shrunk.
    """
    pictures, scenes = [], []
    for picture, scene in islice(draw_known(FRESH_SEED, values, size), number):
        pictures.append(shrink(Image.fromarray(picture if soften is None else soften(picture))))
        scenes.append(scene)
    return to_input(np.stack(pictures)), scenes


@torch.inference_mode()
def accuracy(judge: Judge, pictures: Tensor, scenes: Sequence[Scene]) -> dict[str, Tally]:
    """The judge's right answers for labelled pictures, (N, 3, 128, 128)."""
    judge.eval()
    logits = torch.cat([judge(part) for part in pictures.split(BATCH)])
    return tally(logits, torch.stack([answers(scene, judge.values) for scene in scenes]), judge.values)


def shortfalls(found: dict[str, Tally]) -> list[str]:
    """The attributes that this judge reads too badly to judge."""
    return [name for name, one in found.items() if one.share < JUDGE_ACCURACY]


def train_judge(
    thumbnails: Path, state_path: Path, options: Options, channels: tuple[int, int, int] = CHANNELS
) -> Judge:
    """Trains for `options.minutes` in all, resuming from `state_path`."""
    torch.manual_seed(options.seed)
    device = options.device
    judge = Judge(VALUES, channels).to(device, memory_format=torch.channels_last)
    rate = PEAK_RATE * options.rate_factor
    optimizer = torch.optim.AdamW(judge.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=5e-2)
    pool, order = Pool(thumbnails), np.empty(0, int)
    targets = torch.stack([answers(scene) for scene in pool.scenes])
    session = Session(state_path, options, judge, optimizer, AVERAGE_DECAY)
    rng = np.random.default_rng((options.seed, session.step))
    augmented = Augmentation(rng, pool.examples())
    batch = BATCH * options.batch_factor
    judge.train()
    while session.clock.progress < 1:
        if session.step % REFRESH_STEPS == 0 and pool.refresh():
            targets, order = torch.stack([answers(scene) for scene in pool.scenes]), np.empty(0, int)
        if len(order) < batch:
            order = rng.permutation(len(targets))
        chosen, order = order[:batch], order[batch:]
        wanted = targets[chosen].to(device)
        with mixed_precision(device):
            logits = judge(augmented(pool.pictures(chosen)).to(device))
        session.update(judging_loss(logits.float(), wanted), rate, 100)
        if session.step % REPORT_STEPS == 0:
            right = ", ".join(f"{name} {one.share:.2f}" for name, one in tally(logits, wanted).items())
            log.info("right: %s", right)
    return judge.eval().to("cpu")


def save_judge(judge: Judge, found: dict[str, Tally], path: Path) -> None:
    """Saves the judge in bf16, with the values that it knows and the accuracy it reached."""
    tensors = {name: value.to(torch.bfloat16) if value.is_floating_point() else value
               for name, value in judge.state_dict().items()}  # fmt: skip
    notes = {
        "values": json.dumps(judge.values),
        "channels": json.dumps(judge.channels),
        "accuracy": json.dumps({name: one.share for name, one in found.items()}),
    }
    partial_file = path.with_name(f".{path.name}.{os.getpid()}")
    save_file({name: value.contiguous() for name, value in tensors.items()}, partial_file, notes)
    partial_file.replace(path)


def load_judge(path: Path = JUDGE) -> Judge:
    """What `save_judge` wrote, in fp32, with the values that it was trained for."""
    with safe_open(path, "pt") as file:
        notes = file.metadata()
        judge = Judge(json.loads(notes["values"]), tuple(json.loads(notes.get("channels", json.dumps(CHANNELS)))))
        judge.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - not a mapping
    return judge.to(memory_format=torch.channels_last).eval()


def main() -> None:
    """Trains, measures on fresh pictures, and saves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", type=int, default=2000, help="pictures to measure it on")
    parser.add_argument("--second", action="store_true", help="train the one that gives exams only; name its --output")
    parser.add_argument("--output", type=Path, default=JUDGE)
    arguments = training_arguments(parser)
    channels, state = (SECOND_CHANNELS, "second_judge.pt") if arguments.second else (CHANNELS, "judge.pt")
    judge = train_judge(arguments.thumbnails, arguments.state / state, options_of(arguments), channels)
    judge.to(torch.bfloat16).float()  # as it will be kept
    found = accuracy(judge, *fresh_pictures(arguments.fresh))
    save_judge(judge, found, arguments.output)
    for name, one in found.items():
        log.info("%s: %d of %d, %.2f %%", name, one.right, one.asked, 100 * one.share)
    for name in shortfalls(found):
        log.warning("no judge of %s: below %.0f %%", name, 100 * JUDGE_ACCURACY)


if __name__ == "__main__":
    main()

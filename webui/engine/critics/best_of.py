"""Best of several: a critic scores all images of a request, and the ones that fit their prompts best are kept. No image
is lost: each stores its score, its rank and whether it was kept.

The score is the cosine between a picture and its own image's prompt in plain words, of which CLIP reads the first 75
tokens. With wildcards, the images have different prompts; a prompt that no picture fits well lowers the scores of its
images. The critic computes in fp32 everywhere, so that every device keeps the same pictures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil
import torch
from PIL import Image
from torch import Tensor

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.critics import critic_for, critic_id
from webui.checkpoints.refusals import Refusal
from webui.checkpoints.safetensors_header import read_header
from webui.engine.cancel import cancellable
from webui.engine.critics.critic import Critic, load_critic
from webui.engine.device import HOST, Device, is_out_of_memory
from webui.engine.loading.memory_budget import Key
from webui.engine.loading.model_manager import ModelManager
from webui.engine.previews.preview import Previewer
from webui.errors import CheckpointTooLarge, CriticBroken, NotFinite
from webui.worker.messages import RawImage

PHASE = "score"
T = TypeVar("T")


@dataclass(frozen=True)
class PromptCritic:
    """A critic and what each image should fit: `wanted`, embeddings (N, D) of length 1, float32, on the CPU.

    `move_out` moves the critic off the device into the host's memory.
    """

    critic: Critic = field(repr=False)
    name: str  # path below the models folder
    wanted: Tensor = field(repr=False)
    move_out: Callable[[], None] = field(repr=False)  # of the device's memory


def load_prompt_critic(
    words: Sequence[str], checkpoint: Checkpoint, models: ModelManager, models_dir: Path, check: Callable[[], None]
) -> PromptCritic:
    """Loads the critic for a checkpoint and tries it on a grey picture, so that it cannot fail after everything is
    drawn.

    `words` are the prompts of the images as plain text, one for each. Raises CriticMissing, CriticBroken,
    CheckpointTooLarge, and whatever `check` raises.
    """
    place = critic_for(checkpoint, models_dir)
    name = critic_id(place, models_dir)
    key = Key("critic", name)
    move_out = partial(models.move_out, key)
    check()
    try:
        wanted_bytes = _wanted_bytes(place)
        load = partial(_load, place, name, wanted_bytes, check)
        critic = models.network(key, _version(place), wanted_bytes, load)
        check()
        distinct = list(dict.fromkeys(words))
        embedded = _with_room(partial(critic.embed_texts, distinct), move_out)
    except Refusal as error:
        raise CriticBroken(critic=name, reason=error.reason) from error
    except (ValueError, TypeError, LookupError, RuntimeError) as error:  # a processor or a tokenizer of another model
        if is_out_of_memory(error):
            raise
        raise CriticBroken(critic=name, reason="does_not_load") from error
    if not bool(torch.isfinite(embedded).all()):
        raise CriticBroken(critic=name, reason="not_finite")
    return PromptCritic(critic, name, embedded[[distinct.index(text) for text in words]], move_out)


def keep_best(
    images: Sequence[RawImage],
    keep: int,
    prompt_critic: PromptCritic,
    previewer: Previewer,
    check: Callable[[], None],
) -> list[RawImage]:
    """Returns the same images in the same order, each with `score`, `rank` (from 1), `kept` and `critic` in its info.

    The best `keep` of them are kept; of two equal scores, the earlier image ranks higher. Runs on the critic's device
    and continues on the CPU if the device runs out of memory. Raises NotFinite, and whatever `check` raises.
    """
    scores: list[float] = []
    _with_room(partial(_judge, images, prompt_critic, scores, previewer, check), prompt_critic.move_out)
    order = sorted(range(len(images)), key=lambda index: (-scores[index], index))
    ranks = {index: rank for rank, index in enumerate(order, start=1)}
    return [
        replace(image, info=image.info | _verdict(prompt_critic.name, scores[index], ranks[index], keep))
        for index, image in enumerate(images)
    ]


def _verdict(critic: str, score: float, rank: int, keep: int) -> dict[str, str | int | float]:
    return {"critic": critic, "score": round(score, 6), "rank": rank, "kept": rank <= keep}


def _with_room(compute: Callable[[], T], move_out: Callable[[], None]) -> T:
    """What `compute` returns; if memory runs out, `move_out` is called and `compute` runs once more."""
    try:
        return compute()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    move_out()  # out here, where no traceback holds the tensors any more
    return compute()


def _judge(
    images: Sequence[RawImage],
    prompt_critic: PromptCritic,
    scores: list[float],
    previewer: Previewer,
    check: Callable[[], None],
) -> None:
    """Appends to `scores` the score of each of the `images` that has none yet, one picture at a time."""
    check()
    with cancellable(prompt_critic.critic.model, check):
        for index in range(len(scores), len(images)):
            check()
            started = time.perf_counter()
            image = images[index]
            picture = Image.frombytes("RGB", (image.width, image.height), image.rgb)
            score = float(prompt_critic.critic.embed_pictures([picture], check)[0] @ prompt_critic.wanted[index])
            if not math.isfinite(score):
                raise NotFinite(phase=PHASE)
            scores.append(score)
            seconds = time.perf_counter() - started
            previewer.step(index=1, total=1, phase=PHASE, image=index, seconds=seconds)


def _load(place: Path, name: str, wanted_bytes: int, check: Callable[[], None], device: Device) -> Critic:
    """Loads the critic and shows it one picture. On a CPU it checks for enough memory first, since the system would end
    the process rather than refuse.
    """
    if wanted_bytes > psutil.virtual_memory().available:
        raise CheckpointTooLarge(checkpoint=name, device=HOST.name, needed_gb=round(wanted_bytes / 1e9, 1))
    critic = load_critic(place, device)
    check()
    seen = critic.embed_pictures([Image.new("RGB", (64, 64), "grey")], check)
    if not bool(torch.isfinite(seen).all()):
        raise CriticBroken(critic=name, reason="not_finite")
    return critic


def _version(place: Path) -> Hashable:
    """A value that changes when any file of the critic changes."""
    stats = [(file.name, file.stat()) for file in sorted(place.iterdir())]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _wanted_bytes(place: Path) -> int:
    """The memory that the critic takes in float32. Raises Broken for damaged files."""
    headers = [read_header(file) for file in sorted(place.glob("*.safetensors"))]
    return sum(math.prod(tensor.shape) for header in headers for tensor in header.tensors.values()) * 4

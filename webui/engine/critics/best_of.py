"""Best of several: all images of a request are judged by a critic, and those that fit their prompts best are kept.

None is lost: each carries its score, its rank and whether it was kept. What is compared are the cosines between a
picture and its own image's prompt in plain words, of which a CLIP reads the first 75 tokens. With wildcards the images
have different prompts, and a prompt that any picture fits poorly counts against its own.
The critic computes in fp32 everywhere, so that the same pictures are kept on every device.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

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
from webui.engine.device import Device, is_out_of_memory, release_unused_memory
from webui.engine.previews.preview import Previewer
from webui.errors import CheckpointTooLarge, CriticBroken, NotFinite
from webui.worker.messages import RawImage

PHASE = "score"
HOST = Device(torch.device("cpu"), torch.float32, "CPU")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PromptCritic:
    """A critic, and what each image has to fit: embeddings (N, D) of length 1, in float32 on the CPU."""

    critic: Critic = field(repr=False)
    name: str  # path below the models folder
    wanted: Tensor = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """What its network takes, wherever it is."""
        return sum(tensor.nbytes for tensor in self.critic.model.parameters())


def load_prompt_critic(
    words: Sequence[str], checkpoint: Checkpoint, models_dir: Path, check: Callable[[], None]
) -> PromptCritic:
    """The critic in the machine's memory, tried out on a grey picture, so that none fails when all has been drawn.

    `words` are each image's. Raises CriticMissing, CriticBroken, CheckpointTooLarge, and what `check` raises.
    """
    place = critic_for(checkpoint, models_dir)
    name = critic_id(place, models_dir)
    check()
    try:
        _check_memory(place, name)
        critic = load_critic(place, HOST)
        check()
        distinct = list(dict.fromkeys(words))
        embedded = critic.embed_texts(distinct)
        seen = critic.embed_pictures([Image.new("RGB", (64, 64), "grey")], check)
    except Refusal as error:
        raise CriticBroken(critic=name, reason=error.reason) from error
    except (ValueError, TypeError, LookupError, RuntimeError) as error:  # a processor or a tokenizer of another model
        if is_out_of_memory(error):
            raise
        raise CriticBroken(critic=name, reason="does_not_load") from error
    if not bool(torch.isfinite(embedded).all() and torch.isfinite(seen).all()):
        raise CriticBroken(critic=name, reason="not_finite")
    return PromptCritic(critic, name, embedded[[distinct.index(text) for text in words]])


def keep_best(
    images: Sequence[RawImage],
    keep: int,
    prompt_critic: PromptCritic,
    device: Device,
    previewer: Previewer,
    check: Callable[[], None],
) -> list[RawImage]:
    """The same images in the same order, each with `score`, `rank` (from 1), `kept` and `critic` in its info.

    Computed on `device`, and on the CPU from where that runs out of memory. Of equal scores the earlier image is the
    better one. Raises NotFinite, and what `check` raises.
    """
    scores: list[float] = []
    judge = partial(_judge, images, prompt_critic, scores, previewer, check)
    try:
        if device.is_cpu or not _fits(judge, device):
            judge(HOST)
    finally:
        prompt_critic.critic.model.to(HOST.torch_device)
        release_unused_memory(device)
    order = sorted(range(len(images)), key=lambda index: (-scores[index], index))
    ranks = {index: rank for rank, index in enumerate(order, start=1)}
    return [
        replace(image, info=image.info | _verdict(prompt_critic.name, scores[index], ranks[index], keep))
        for index, image in enumerate(images)
    ]


def _verdict(critic: str, score: float, rank: int, keep: int) -> dict[str, str | int | float]:
    return {"critic": critic, "score": round(score, 6), "rank": rank, "kept": rank <= keep}


def _fits(judge: Callable[[Device], None], device: Device) -> bool:
    """Whether `judge` came to its end there; not so where memory ran out."""
    try:
        judge(device)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        _log.warning("no room for the critic on %s; it goes on on the CPU", device.name)
        return False
    return True


def _judge(
    images: Sequence[RawImage],
    prompt_critic: PromptCritic,
    scores: list[float],
    previewer: Previewer,
    check: Callable[[], None],
    device: Device,
) -> None:
    """Appends the scores of those `images` that have none yet, one picture after the other."""
    check()
    prompt_critic.critic.model.to(device.torch_device)
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


def _check_memory(place: Path, name: str) -> None:
    """Raises CheckpointTooLarge where the system would end the process rather than refuse memory; Broken for damage."""
    headers = [read_header(file) for file in sorted(place.glob("*.safetensors"))]
    wanted_bytes = sum(math.prod(tensor.shape) for header in headers for tensor in header.tensors.values()) * 4
    if wanted_bytes > psutil.virtual_memory().available:
        raise CheckpointTooLarge(checkpoint=name, device=HOST.name, needed_gb=round(wanted_bytes / 1e9, 1))

"""The steps of past pictures, kept in the host's memory, so that returning to one needs no computation.

For each step, this keeps the network's prediction after guidance, in float32, as the loop uses it. Everything else
follows from these predictions by the same few operations as the first time, at almost no cost compared to the network:
the latents before and after each step, their denoised estimates, the scheduler's memory of earlier steps, and its
noise. Continuing from kept steps therefore gives exactly the same numbers. Each step takes the size of its latents
once. Knows no requests: a picture is identified by a digest of what it was made from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

Stamp = Hashable  # of the weights that were at work: with others the same request gives other numbers


@dataclass(frozen=True)
class _Kept:
    stamp: Stamp
    predictions: tuple[Tensor, ...]  # (C, h, w), float32, on the CPU; one for each call of the network

    @property
    def size_bytes(self) -> int:
        """The memory that the predictions take."""
        return sum(prediction.nbytes for prediction in self.predictions)


class KeptSteps:
    """At most `limit_bytes` of predictions; the least recently used picture goes first."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def __contains__(self, digest: str) -> bool:
        return digest in self._kept

    @property
    def size_bytes(self) -> int:
        """The memory in use."""
        return sum(kept.size_bytes for kept in self._kept.values())

    def recall(self, digests: Sequence[str], stamp: Stamp) -> tuple[Tensor, ...]:
        """The longest kept run of predictions for any of these pictures, whose steps are the same; empty if there is
        none.
        """
        found: tuple[Tensor, ...] = ()
        for digest in digests:
            kept = self._kept.get(digest)
            if kept is None:
                continue
            if kept.stamp != stamp:
                del self._kept[digest]
                continue
            self._kept.move_to_end(digest)
            found = max(found, kept.predictions, key=len)
        return found

    def keep(self, digest: str, stamp: Stamp, predictions: Sequence[Tensor]) -> None:
        """Keeps a run of predictions, and drops as many others as needed. A run that is too large by itself is not
        kept.
        """
        kept = _Kept(stamp, tuple(predictions))
        before = self._kept.get(digest)
        if before is not None and before.stamp == stamp and len(before.predictions) > len(predictions):
            return  # a run that ended earlier knows no more
        self._kept.pop(digest, None)
        if not predictions or kept.size_bytes > self.limit_bytes:
            return
        left = self.limit_bytes - kept.size_bytes
        while self.size_bytes > left:
            self._kept.popitem(last=False)
        self._kept[digest] = kept

    def forget(self) -> None:
        """Drops everything."""
        self._kept.clear()

    @contextmanager
    def recorder(self, digests: Sequence[str], stamp: Stamp) -> Iterator[StepRecorder]:
        """A recorder for a batch of pictures; its predictions are kept when the block is left, however that happens."""
        recorder = StepRecorder(is_recording=self.limit_bytes > 0)
        try:
            yield recorder
        finally:
            if recorder.is_recording:
                for row, digest in enumerate(digests):
                    self.keep(digest, stamp, recorder.row(row))


@dataclass
class StepRecorder:
    """The network's predictions in one run, call by call, for B pictures at once: known ones are played back, then new
    ones are recorded.
    """

    is_recording: bool = False
    known: Sequence[Sequence[Tensor]] = ()  # of each picture, from the first call on
    _heard: list[Sequence[Tensor]] = field(default_factory=list)  # by call, then by picture; on the CPU
    _under_way: set[int] = field(default_factory=set)  # calls whose copies a GPU may not have written yet

    def next(self, device: torch.device, predict: Callable[[], Tensor]) -> Tensor:
        """(B, C, h, w), float32: the known prediction for this call, else what `predict` returns."""
        call = len(self._heard)
        if self.known and all(len(rows) > call for rows in self.known):
            rows = [rows[call] for rows in self.known]
            self._heard.append(rows)
            return torch.stack(rows).to(device)
        prediction = predict()
        self._heard.append(self._copy(prediction, call).unbind() if self.is_recording else ())
        return prediction

    def row(self, row: int) -> list[Tensor]:
        """The predictions for one of the pictures so far."""
        self._land()
        return [heard[row] for heard in self._heard if heard]

    def _copy(self, prediction: Tensor, call: int) -> Tensor:
        """A copy on the CPU. It does not wait for a GPU, which writes into pinned memory in its own time."""
        if prediction.device.type == "cpu":
            return prediction.clone()
        host = torch.empty(prediction.shape, dtype=prediction.dtype, pin_memory=prediction.device.type == "cuda")
        self._under_way.add(call)
        return host.copy_(prediction, non_blocking=True)

    def _land(self) -> None:
        """Waits for the copies under way and frees the pinned memory, which is scarce."""
        if self._under_way:
            torch.accelerator.synchronize()
        for call in self._under_way:
            self._heard[call] = [row.clone() for row in self._heard[call]]
        self._under_way.clear()

"""Keeps checkpoints and the networks beside them on the device, within one budget in bytes (`memory_budget.py`).

The parts of a checkpoint are loaded once and serve every task. What is unloaded is really given back, to the device and
to the system. For use by one thread. Knows no jobs and no requests.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
import time
import traceback
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import diffusers
import psutil
import torch
import transformers
from torch import nn

from webui.checkpoints.catalogue import Catalogue, Checkpoint, problem_of
from webui.checkpoints.hashes import HashBook, Hashes, hashes_of
from webui.checkpoints.kept_weights import are_kept_narrow
from webui.checkpoints.refusals import Refusal
from webui.engine.device import (
    HOST,
    Device,
    is_out_of_memory,
    may_keep_narrow,
    narrow_dtype,
    precision_of,
    release_unused_memory,
)
from webui.engine.loading.loaded_checkpoint import LoadedCheckpoint
from webui.engine.loading.memory_budget import Clock, Key, MemoryBudget
from webui.engine.loading.pipeline import load_pipeline, loaded_bytes_estimate, stored_dtype
from webui.engine.loading.placing import Progress
from webui.engine.loading.tokenizers import Fetch
from webui.engine.loading.wide_layers import compute_wide
from webui.errors import CheckpointTooLarge, DarkroomError
from webui.events import Loading

_log = logging.getLogger(__name__)


class Network(Protocol):
    """Anything that computes with one network beside the checkpoint."""

    @property
    def model(self) -> nn.Module:
        """The network."""


N = TypeVar("N", bound=Network)
_CHECKPOINT = "checkpoint"


class ModelManager:
    """Loads checkpoints from a catalogue and keeps as many as fit into `budget_bytes` of the device's memory.

    The checkpoint in use stays loaded whatever its size. With `idle_seconds`, `drop_idle` unloads what nobody has used
    for so long. `fetch` downloads a tokenizer's file from the Hub. `book`
    stores the hashes of weights, so that no file is hashed twice.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        device: Device,
        budget_bytes: int,
        tokenizers_dir: Path,
        *,
        fetch: Fetch | None = None,
        book: HashBook | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._device = device
        self._budget = MemoryBudget(budget_bytes, self._give_memory_back, clock)
        self._tokenizers_dir = tokenizers_dir
        self.fetch = fetch
        self._book = book
        self.idle_seconds: float | None = None
        _quiet_libraries()

    def components(
        self, checkpoint_id: str, on_loading: Callable[[Loading], None], check: Callable[[], None]
    ) -> LoadedCheckpoint:
        """The loaded checkpoint; it is loaded now if it was not yet, or if its files have changed since.

        `on_loading` receives the progress, if anything has to be loaded. Raises CheckpointNotFound, CheckpointBroken,
        CheckpointPickled, CheckpointTooLarge, FamilyUnknown, TokenizerMissing, and whatever `check` raises; then
        nothing of the checkpoint stays in memory.
        """
        key = Key(_CHECKPOINT, checkpoint_id)
        try:
            checkpoint = self._catalogue.get(checkpoint_id)
        except DarkroomError:
            self._budget.drop(key)
            raise
        held: LoadedCheckpoint | None = self._budget.get(key, checkpoint.version)
        if held is not None:
            return held
        try:
            loaded = self._load(checkpoint, on_loading, check)
        except CheckpointTooLarge:
            if not self._budget.keys():
                raise
            self.drop_all()  # what is held besides can be loaded again
            loaded = self._load(checkpoint, on_loading, check)
        self._budget.put(key, checkpoint.version, loaded, loaded.size_bytes)
        self._budget.make_room(0, keep=1)
        return loaded

    def network(self, key: Key, version: Hashable, wanted_bytes: int, load: Callable[[Device], N]) -> N:
        """A network to use beside the most recent checkpoint: the one held under `key`, else a new one from `load`, in
        float32.

        If it fits beside that checkpoint, for which all others may be unloaded, it goes to the device and is held.
        Otherwise it stays in the host's memory, is not held, and belongs to the caller. Raises whatever `load` raises.
        """
        held: N | None = self._budget.get(key, version)
        if held is not None:
            return held
        if self._budget.fits_beside_last(wanted_bytes):
            self._budget.make_room(wanted_bytes, keep=1)
            loaded = self._on_device(load)
            if loaded is not None:
                self._budget.put(key, version, loaded, _size_bytes([loaded.model]))
                return loaded
            self._give_memory_back()
        return load(HOST)

    def move_out(self, key: Key) -> None:
        """Moves the network from the device to the host's memory for whoever is using it, and holds it no longer."""
        moved: Network | None = self._budget.take(key)
        if moved is not None:
            _log.warning("no room for %s on %s; continuing on the CPU", key.name, self._device.name)
            moved.model.to(HOST.torch_device)
            del moved
            self._give_memory_back()

    def held(self) -> tuple[str, ...]:
        """The ids of the checkpoints in memory, the least recently used first."""
        return tuple(key.name for key in self._budget.keys() if key.kind == _CHECKPOINT)  # noqa: SIM118

    def used_bytes(self) -> int:
        """The memory that checkpoints and the networks beside them take."""
        return self._budget.used_bytes()

    def hold(self, budget_bytes: int, idle_seconds: float | None) -> None:
        """Another budget from now on, and how long what is not used stays; None: as long as there is room."""
        self._budget.limit_bytes, self.idle_seconds = budget_bytes, idle_seconds
        self._budget.make_room(0, keep=1)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What is asked for meanwhile is in use until the end."""
        begin = self._budget.now()
        try:
            yield
        finally:
            self._budget.use_until_now(begin)

    def idle_seconds_left(self) -> float | None:
        """Until `drop_idle` has something to do; None if it never will."""
        return None if self.idle_seconds is None else self._budget.seconds_left(self.idle_seconds)

    def drop_idle(self) -> None:
        """Unloads what nobody has used for `idle_seconds`."""
        if self.idle_seconds is not None:
            self._budget.drop_unused(self.idle_seconds)

    def drop_all(self) -> None:
        """Unloads everything: after running out of memory, or at the end."""
        self._budget.drop_all()

    def _on_device(self, load: Callable[[Device], N]) -> N | None:
        """What `load` gives on the device; None if memory ran out. By then the error, and whatever
        it held, is freed.
        """
        try:
            return load(Device(self._device.torch_device, torch.float32, self._device.name))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            _forget_frames(error)
            return None

    def _load(
        self, checkpoint: Checkpoint, on_loading: Callable[[Loading], None], check: Callable[[], None]
    ) -> LoadedCheckpoint:
        def tell(fraction: float) -> None:
            on_loading(Loading(checkpoint=checkpoint.id, fraction=fraction))

        tell(0.0)
        wanted_bytes = 0
        try:
            wanted_bytes = loaded_bytes_estimate(checkpoint, self._device.dtype)
            self._budget.make_room(wanted_bytes, keep=0 if wanted_bytes else 1)
            kept_in = self._narrow_dtype(checkpoint, wanted_bytes)
            device = self._device if kept_in is None else replace(self._device, dtype=kept_in)
            wanted_bytes = loaded_bytes_estimate(checkpoint, device.dtype)
            self._check_memory(checkpoint, wanted_bytes)
            progress = Progress(checkpoint.size_bytes, tell, check)
            hashes = self._book.get(checkpoint) if self._book else None
            if hashes is None:
                progress.digests = {}
            pipeline = load_pipeline(checkpoint, device, self._tokenizers_dir, progress, self.fetch)
            if kept_in is not None:
                for network in _networks(pipeline.components.values()):
                    compute_wide(network)
            if hashes is None:
                hashes = self._hashed(checkpoint, progress.digests or {})
            tell(1.0)
            size_bytes = _size_bytes(pipeline.components.values())
            kept = "" if kept_in is None else precision_of(kept_in)
            return LoadedCheckpoint(checkpoint, pipeline, size_bytes, hashes, kept)
        except BaseException as error:
            _forget_frames(error)
            if isinstance(error, Refusal | OSError):
                problem = problem_of(checkpoint.id, error)
            elif is_out_of_memory(error):
                problem = self._too_large(checkpoint, wanted_bytes)
            else:
                self._give_memory_back()
                raise
        # Out here the failed load's error is gone, and with it the last that it held.
        self._give_memory_back()
        raise problem

    def _narrow_dtype(self, checkpoint: Checkpoint, wanted_bytes: int) -> torch.dtype | None:
        """What to keep the weights in where they take too much memory as they are computed with; None where they do
        not.
        """
        free_bytes = psutil.virtual_memory().available
        if not may_keep_narrow(self._device) or not are_kept_narrow(wanted_bytes, free_bytes):
            return None
        dtype = narrow_dtype(stored_dtype(checkpoint))
        _log.info("keeping the weights of %s in %s", checkpoint.id, precision_of(dtype))
        return dtype

    def _hashed(self, checkpoint: Checkpoint, digests: dict[Path, str]) -> Hashes:
        """The hashes of the files that were just read; they are stored in the book."""
        hashes = hashes_of(checkpoint, digests)
        if self._book is not None:
            self._book.put(checkpoint, hashes)
        return hashes

    def _check_memory(self, checkpoint: Checkpoint, wanted_bytes: int) -> None:
        """Raises CheckpointTooLarge on a CPU, where the system would end the process rather than refuse memory."""
        if self._device.is_cpu and wanted_bytes > psutil.virtual_memory().available:
            raise self._too_large(checkpoint, wanted_bytes)

    def _too_large(self, checkpoint: Checkpoint, wanted_bytes: int) -> CheckpointTooLarge:
        needed_gb = round(wanted_bytes / 1e9, 1)
        return CheckpointTooLarge(checkpoint=checkpoint.id, device=self._device.name, needed_gb=needed_gb)

    def _give_memory_back(self) -> None:
        gc.collect()  # modules and their hooks refer to each other
        release_unused_memory(self._device)
        _trim_heap()


def _forget_frames(error: BaseException | None) -> None:
    """Clears the frames of `error` and its causes, which hold whatever was loaded so far."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _networks(parts: Iterable[object]) -> list[nn.Module]:
    return [part for part in parts if isinstance(part, nn.Module)]


def _size_bytes(parts: Iterable[object]) -> int:
    networks = _networks(parts)
    tensors = {id(tensor): tensor for network in networks for tensor in (*network.parameters(), *network.buffers())}
    return sum(tensor.nbytes for tensor in tensors.values())


def _trim_heap() -> None:
    """Makes glibc return freed memory to the system; by itself it keeps half a checkpoint or more."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def _quiet_libraries() -> None:
    """Turns off the libraries' progress bars and advice on standard error: the log is ours, and
    loading sends events.
    """
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()

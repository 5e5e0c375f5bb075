"""Keeps checkpoints on the device, within a budget in bytes, and lets go of those that were not used for longest.

The parts of a checkpoint are loaded once and serve every task. What is let go is really given back, to the device and
to the system. One thread at a time. Knows no jobs and no requests.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import psutil
import transformers
from diffusers import DiffusionPipeline
from torch import nn

from webui.capabilities import Capability
from webui.checkpoints.catalogue import Catalogue, Checkpoint, problem_of
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.hashes import HashBook, Hashes, hashes_of
from webui.checkpoints.refusals import Refusal
from webui.engine.device import Device, is_out_of_memory, release_unused_memory
from webui.engine.loading.pipeline import Progress, load_pipeline, loaded_bytes_estimate
from webui.engine.loading.tokenizers import Fetch
from webui.engine.pipelines.classes import pipeline_class_for
from webui.errors import CheckpointTooLarge, DarkroomError, TaskUnsupported
from webui.events import Loading

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A checkpoint whose parts are on the device. `size_bytes` is what its networks take there."""

    checkpoint: Checkpoint
    pipeline: DiffusionPipeline
    size_bytes: int
    hashes: Hashes
    _by_task: dict[str, DiffusionPipeline] = field(default_factory=dict, repr=False)

    @property
    def components(self) -> dict[str, Any]:
        """The parts by name: unet or transformer, vae, text_encoder, tokenizer, scheduler, …"""
        parts: dict[str, Any] = self.pipeline.components
        return parts

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What its family can do."""
        return FAMILIES[self.checkpoint.family].capabilities

    @property
    def adapter(self) -> str | None:
        """How its pipelines are called; None where our own denoising loop draws."""
        return FAMILIES[self.checkpoint.family].adapter

    def pipeline_for(self, task: str) -> DiffusionPipeline:
        """The pipeline that does `task`, on the same parts. Raises TaskUnsupported."""
        if self.adapter is None:
            return self.pipeline
        if task not in self._by_task:
            found = pipeline_class_for(self.checkpoint.family, task)
            if found is None:
                raise TaskUnsupported(checkpoint=self.checkpoint.id, family=self.checkpoint.family, task=task)
            self._by_task[task] = _with_the_same_parts(found, self.pipeline)
        return self._by_task[task]


class ModelManager:
    """Loads checkpoints from a catalogue and keeps as many as `budget_bytes` of the device's memory hold.

    The one in use stays whatever its size. `fetch` takes a tokenizer's file from the Hub. `book` keeps what the weights
    hash to, so that no file is hashed twice.
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
    ) -> None:
        self._catalogue = catalogue
        self._device = device
        self._budget_bytes = budget_bytes
        self._tokenizers_dir = tokenizers_dir
        self._fetch = fetch
        self._book = book
        _quiet_libraries()
        self._held: OrderedDict[str, LoadedCheckpoint] = OrderedDict()  # the least recently used first

    def components(
        self, checkpoint_id: str, on_loading: Callable[[Loading], None], check: Callable[[], None]
    ) -> LoadedCheckpoint:
        """The checkpoint, loaded now or before; a file that has changed since is loaded again.

        `on_loading` hears how far it is, and nothing where nothing had to be loaded. Raises CheckpointNotFound,
        CheckpointBroken, CheckpointPickled, CheckpointTooLarge, FamilyUnknown, TokenizerMissing, and what `check`
        raises; then nothing of the checkpoint is left in memory.
        """
        try:
            checkpoint = self._catalogue.get(checkpoint_id)
        except DarkroomError:
            self._drop(checkpoint_id)
            raise
        held = self._held.get(checkpoint_id)
        if held is not None and held.checkpoint.version == checkpoint.version:
            self._held.move_to_end(checkpoint_id)
            return held
        self._drop(checkpoint_id)
        try:
            loaded = self._load(checkpoint, on_loading, check)
        except CheckpointTooLarge:
            if not self._held:
                raise
            self.drop_all()  # what is held besides can be loaded again
            loaded = self._load(checkpoint, on_loading, check)
        self._held[checkpoint_id] = loaded
        self._make_room(0)
        return loaded

    def held(self) -> tuple[str, ...]:
        """Ids of the checkpoints in memory, the least recently used first."""
        return tuple(self._held)

    def used_bytes(self) -> int:
        """What the networks of all held checkpoints take."""
        return sum(loaded.size_bytes for loaded in self._held.values())

    def has_room(self, wanted_bytes: int) -> bool:
        """Whether something else may have so much of the device, with all that is held left where it is."""
        return self.used_bytes() + wanted_bytes <= self._budget_bytes

    def drop_all(self) -> None:
        """Lets go of everything: after running out of memory, or at the end."""
        for checkpoint_id in list(self._held):
            self._drop(checkpoint_id)

    def _load(
        self, checkpoint: Checkpoint, on_loading: Callable[[Loading], None], check: Callable[[], None]
    ) -> LoadedCheckpoint:
        def tell(fraction: float) -> None:
            on_loading(Loading(checkpoint=checkpoint.id, fraction=fraction))

        tell(0.0)
        wanted_bytes = 0
        try:
            wanted_bytes = loaded_bytes_estimate(checkpoint, self._device.dtype)
            self._make_room(wanted_bytes)
            self._check_memory(checkpoint, wanted_bytes)
            progress = Progress(checkpoint.size_bytes, tell, check)
            hashes = self._book.get(checkpoint) if self._book else None
            if hashes is None:
                progress.digests = {}
            pipeline = load_pipeline(checkpoint, self._device, self._tokenizers_dir, progress, self._fetch)
            if hashes is None:
                hashes = self._hashed(checkpoint, progress.digests or {})
            tell(1.0)
            return LoadedCheckpoint(checkpoint, pipeline, _size_bytes(pipeline), hashes)
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

    def _hashed(self, checkpoint: Checkpoint, digests: dict[Path, str]) -> Hashes:
        """What the files that were just read hash to; kept in the book."""
        hashes = hashes_of(checkpoint, digests)
        if self._book is not None:
            self._book.put(checkpoint, hashes)
        return hashes

    def _make_room(self, wanted_bytes: int) -> None:
        """Drops the least recently used until `wanted_bytes` more fit, and keeps the newest where nothing is wanted."""
        keep = 0 if wanted_bytes else 1
        while len(self._held) > keep and self.used_bytes() + wanted_bytes > self._budget_bytes:
            self._drop(next(iter(self._held)))

    def _check_memory(self, checkpoint: Checkpoint, wanted_bytes: int) -> None:
        """Raises CheckpointTooLarge on a CPU, where the system would end the process rather than refuse memory."""
        if self._device.is_cpu and wanted_bytes > psutil.virtual_memory().available:
            raise self._too_large(checkpoint, wanted_bytes)

    def _too_large(self, checkpoint: Checkpoint, wanted_bytes: int) -> CheckpointTooLarge:
        needed_gb = round(wanted_bytes / 1e9, 1)
        return CheckpointTooLarge(checkpoint=checkpoint.id, device=self._device.name, needed_gb=needed_gb)

    def _drop(self, checkpoint_id: str) -> None:
        loaded = self._held.pop(checkpoint_id, None)
        if loaded is not None:
            _log.info("letting go of %s", checkpoint_id)
            del loaded
            self._give_memory_back()

    def _give_memory_back(self) -> None:
        gc.collect()  # modules and their hooks refer to each other
        release_unused_memory(self._device)
        _trim_heap()


def _forget_frames(error: BaseException | None) -> None:
    """Empties the functions that `error` and its causes came out of: they hold what was loaded so far."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _with_the_same_parts(found: type[Any], pipeline: DiffusionPipeline) -> DiffusionPipeline:
    """A pipeline of another class on the very parts of `pipeline`. (diffusers' `from_pipe` would cast them to fp32.)"""
    if type(pipeline) is found:
        return pipeline
    names, settings = found._get_signature_keys(found)
    parts = {name: pipeline.components.get(name) for name in names}
    return found(**parts, **{name: pipeline.config[name] for name in settings if name in pipeline.config})


def _size_bytes(pipeline: DiffusionPipeline) -> int:
    modules = [part for part in pipeline.components.values() if isinstance(part, nn.Module)]
    tensors = {id(tensor): tensor for module in modules for tensor in (*module.parameters(), *module.buffers())}
    return sum(tensor.nbytes for tensor in tensors.values())


def _trim_heap() -> None:
    """Makes glibc give freed memory back to the system, which it otherwise keeps: half a checkpoint and more."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def _quiet_libraries() -> None:
    """No progress bars and no advice on standard error: the log is ours, and loading has events."""
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()

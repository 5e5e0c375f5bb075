"""A loaded checkpoint: one pipeline for each task, all sharing the same parts. Loads nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from diffusers import DiffusionPipeline

from webui.capabilities import Capability
from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.hashes import Hashes
from webui.engine.pipelines.classes import pipeline_class_for
from webui.errors import TaskUnsupported


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A checkpoint whose parts are on the device. `size_bytes` is what its networks take there.

    `kept_in` is the number type of the weights where they are kept in another one than they are computed with.
    """

    checkpoint: Checkpoint
    pipeline: DiffusionPipeline
    size_bytes: int
    hashes: Hashes
    kept_in: str = ""
    _by_task: dict[str, DiffusionPipeline] = field(default_factory=dict, repr=False)

    @property
    def components(self) -> dict[str, Any]:
        """The parts by name: unet or transformer, vae, text_encoder, tokenizer, scheduler, …"""
        parts: dict[str, Any] = self.pipeline.components
        return parts

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the checkpoint's family can do."""
        return FAMILIES[self.checkpoint.family].capabilities

    @property
    def adapter(self) -> str | None:
        """The name of the adapter that calls its pipelines; None if it runs through our own denoising loop."""
        return FAMILIES[self.checkpoint.family].adapter

    def pipeline_for(self, task: str) -> DiffusionPipeline:
        """The pipeline for `task`, on the same parts. Raises TaskUnsupported."""
        if self.adapter is None:
            return self.pipeline
        if task not in self._by_task:
            found = pipeline_class_for(self.checkpoint.family, task)
            if found is None:
                raise TaskUnsupported(checkpoint=self.checkpoint.id, family=self.checkpoint.family, task=task)
            self._by_task[task] = _with_the_same_parts(found, self.pipeline)
        return self._by_task[task]


def _with_the_same_parts(found: type[Any], pipeline: DiffusionPipeline) -> DiffusionPipeline:
    """A pipeline of class `found` that shares the parts of `pipeline`. (diffusers' `from_pipe` would cast them to
    fp32.)
    """
    if type(pipeline) is found:
        return pipeline
    names, settings = found._get_signature_keys(found)
    parts = {name: pipeline.components.get(name) for name in names}
    return found(**parts, **{name: pipeline.config[name] for name in settings if name in pipeline.config})

"""The classes behind the families: which of diffusers' and transformers' classes may be loaded, and for which task.

The rows themselves, with names and defaults, are in `webui/checkpoints/`, where both processes read them.
"""

from __future__ import annotations

from typing import Any

import diffusers
import transformers
from diffusers import ConfigMixin, DiffusionPipeline, ModelMixin, SchedulerMixin
from transformers import PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from webui.checkpoints.families import FAMILIES
from webui.checkpoints.refusals import Unrecognised

# What a part of a pipeline can be. Anything else in these namespaces (a function, a trainer) is nobody's component.
_KINDS: dict[str, tuple[type[Any], ...]] = {
    "diffusers": (ModelMixin, SchedulerMixin, ConfigMixin),
    "transformers": (PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin),
}
_NAMESPACES = {"diffusers": diffusers, "transformers": transformers}


def component_class(library: str, name: str) -> type[Any]:
    """The class that `model_index.json` names. Raises Unrecognised if the installed libraries have no such class."""
    found = getattr(_NAMESPACES[library], name, None) if library in _NAMESPACES else None
    if not isinstance(found, type) or not issubclass(found, _KINDS[library]):
        raise Unrecognised("class_unknown")
    return found


def pipeline_class(name: str) -> type[Any]:
    """The pipeline class of that name. Raises Unrecognised if the installed diffusers has none."""
    found = getattr(diffusers, name, None)
    if not isinstance(found, type) or not issubclass(found, DiffusionPipeline):
        raise Unrecognised("class_unknown")
    return found


def pipeline_class_for(family_id: str, task: str) -> type[Any] | None:
    """The class that does `task` with a family's components, for families that run through diffusers' pipelines.

    `task` is one of the tasks of a request, or `inpainting`. None if the family cannot do it.
    """
    family = FAMILIES[family_id]
    match task:
        case "inpainting":
            name = family.inpaint_pipeline
        case "image_to_image":
            name = family.image_pipeline
        case "text_to_image":
            name = family.pipeline
        case _:
            name = None
    return pipeline_class(name) if name is not None else None

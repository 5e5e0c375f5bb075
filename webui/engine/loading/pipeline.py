"""Loads one checkpoint: from its files to networks on the device, part by part.

Every part is read once from beginning to end before it is mapped. So progress counts bytes, a stop takes effect within
megabytes, and a truncated file raises an error instead of a signal that kills the process. What is loaded then belongs
to this process alone: no tensor is a view of the file. Knows no cache.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from safetensors import SafetensorError

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.diffusers_folder import Component
from webui.checkpoints.refusals import Broken, Refusal
from webui.checkpoints.safetensors_header import Header, read_header
from webui.engine.device import Device, is_device_lost, is_out_of_memory
from webui.engine.loading.placing import Progress, place_on_device, read_through
from webui.engine.loading.single_file import load_single_file
from webui.engine.loading.tokenizers import Fetch
from webui.engine.pipelines.classes import component_class, pipeline_class
from webui.errors import DarkroomError

_EMA = "model_ema."  # a second copy of the weights, for training on; left in the file
_log = logging.getLogger(__name__)


def loaded_bytes_estimate(checkpoint: Checkpoint, dtype: torch.dtype) -> int:
    """The bytes that the checkpoint will take in `dtype`, from the headers of its files, which are checked again here.

    Raises Broken and OSError.
    """
    headers = [read_header(file) for file in _weights_of(checkpoint)]
    return sum(_elements(header) for header in headers) * dtype.itemsize


def stored_dtype(checkpoint: Checkpoint) -> str:
    """The number type of most of its weights, as headers have it: `F16`, `BF16`, `F32`, … Raises Broken and OSError."""
    sizes: Counter[str] = Counter()
    for file in _weights_of(checkpoint):
        for info in read_header(file).tensors.values():
            sizes[info.dtype] += info.end - info.start
    return sizes.most_common(1)[0][0] if sizes else "F32"


def load_pipeline(
    checkpoint: Checkpoint, device: Device, tokenizers_dir: Path, progress: Progress, fetch: Fetch | None = None
) -> DiffusionPipeline:
    """The checkpoint's pipeline with all its parts on the device, in the device's number type, ready for inference.

    Raises Refusal with the reason why it cannot be loaded, TokenizerMissing, whatever `progress.check` raises, and
    torch's own errors if memory runs out or the device is lost.
    """
    try:
        if checkpoint.folder is not None:
            pipeline = _load_folder(checkpoint, device, progress)
        else:
            pipeline = load_single_file(checkpoint, device, tokenizers_dir, progress, fetch)
        _set_noise(pipeline, checkpoint)
    except (DarkroomError, Refusal):
        raise
    except Exception as error:  # on weights and configs that do not fit each other the libraries raise all sorts
        if is_out_of_memory(error) or is_device_lost(error):
            raise
        # As text: a log record would keep the error, and the error what was loaded so far.
        _log.error("cannot load %s\n%s", checkpoint.id, "".join(traceback.format_exception(error)))
        raise Broken(_reason(error)) from error
    return pipeline


def _load_folder(checkpoint: Checkpoint, device: Device, progress: Progress) -> DiffusionPipeline:
    folder = checkpoint.folder
    if folder is None:
        raise Broken("does_not_load")
    parts = {}
    for name, component in folder.components.items():
        parts[name] = _load_component(checkpoint.path / name, component, device, progress)
    found = pipeline_class(folder.pipeline)
    expected, _ = found._get_signature_keys(found)
    absent = {name: None for name in expected if name not in parts}
    # With every part given or declared absent it loads nothing, and reads the pipeline's own settings.
    return found.from_pretrained(checkpoint.path, local_files_only=True, use_safetensors=True, **parts, **absent)


def _load_component(place: Path, component: Component, device: Device, progress: Progress) -> Any:
    found = component_class(component.library, component.class_name)
    if not component.weights:
        code = {"trust_remote_code": False} if component.library == "transformers" else {}
        progress.check()
        return found.from_pretrained(place, local_files_only=True, **code)
    for file in component.weights:
        read_through(file, progress)
    module, report = found.from_pretrained(
        place,
        dtype=device.dtype,
        use_safetensors=True,
        local_files_only=True,
        low_cpu_mem_usage=True,
        variant=component.variant,
        output_loading_info=True,
    )
    if report["missing_keys"]:
        _log.error("%s has no %s", place, ", ".join(sorted(report["missing_keys"])[:5]))
        raise Broken("missing_tensors")
    return place_on_device(module, device, progress, sum(file.stat().st_size for file in component.weights))


def _set_noise(pipeline: DiffusionPipeline, checkpoint: Checkpoint) -> None:
    """Tells the scheduler what the catalogue knows better than its config: prediction type and zero terminal SNR."""
    config = pipeline.scheduler.config
    changes: dict[str, Any] = {}
    wanted = checkpoint.defaults.prediction_type
    if wanted is not None and config.get("prediction_type", "epsilon") != wanted:
        changes["prediction_type"] = wanted
    scheduler = type(pipeline.scheduler)
    if checkpoint.is_zero_terminal_snr and not config.get("rescale_betas_zero_snr"):
        # Lin et al. 2023: the last step has no signal, so sampling must start at it ("trailing")
        changes |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
        scheduler = DDIMScheduler
    if changes:
        pipeline.register_modules(scheduler=scheduler.from_config(dict(config), **changes))


def _reason(error: BaseException) -> str:
    """The code of the reason that a library's error gives in words."""
    text = str(error)
    if isinstance(error, OSError) and not isinstance(error, SafetensorError) and error.errno is not None:
        return "unreadable"
    if "meta tensor" in text or "meta device" in text or "missing" in text.casefold():
        return "missing_tensors"
    return "other_shapes" if "shape" in text or "size mismatch" in text else "does_not_load"


def _weights_of(checkpoint: Checkpoint) -> list[Path]:
    if checkpoint.folder is None:
        return [checkpoint.path]
    return [file for component in checkpoint.folder.components.values() for file in component.weights]


def _elements(header: Header) -> int:
    count = 0
    for name, tensor in header.tensors.items():
        if not name.startswith(_EMA):
            size = 1
            for length in tensor.shape:
                size *= length
            count += size
    return count

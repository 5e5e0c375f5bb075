"""Reads a diffusers folder without loading it: its pipeline, its parts, and where their weights are.

Refuses what could run code (Python files, classes from elsewhere, pickled weights) and what points outside the folder.
Whether the classes really exist is checked by the engine, which has the libraries. Knows no torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui.checkpoints import made_for
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import Family
from webui.checkpoints.models_folder import PICKLE_SUFFIXES
from webui.checkpoints.pipeline_families import PIPELINE_FAMILIES
from webui.checkpoints.refusals import Broken, Pickled, Unrecognised
from webui.checkpoints.refused_pipelines import reason_refused
from webui.checkpoints.safetensors_header import Header, read_header
from webui.checkpoints.scaled_weights import QUANTISED, scales_of

MAX_JSON_BYTES = 8 * 2**20  # an index of 20,000 tensors has 2 MB
# Parts that no picture needs: a safety checker would blacken pictures, and its feature extractor serves only it.
UNUSED_COMPONENTS = ("safety_checker", "feature_extractor")
MAX_NAME_CHARACTERS = 80  # of a pipeline's class, where somebody is told of it
_LIBRARIES = ("diffusers", "transformers")
_COMPONENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9_]{1,80}")
_WITHOUT_WEIGHTS = re.compile(r"(Scheduler|Tokenizer|TokenizerFast|Processor|ProcessorPil|FeatureExtractor)$")
_WEIGHTS_NAMES = ("diffusion_pytorch_model", "model")
_UNET_PIPELINES = re.compile(r"StableDiffusion(XL)?(Img2Img|Inpaint)?Pipeline")


@dataclass(frozen=True)
class Component:
    """One part: where its class comes from, and its weights, if any. `variant` is `fp16` if there is only that."""

    library: str
    class_name: str
    weights: tuple[Path, ...] = ()
    variant: str | None = None


@dataclass(frozen=True, kw_only=True)
class DiffusersFolder:
    """What is known about a folder before it is loaded. `native_size` is the side in pixels that it was trained at;
    `made_for` is set where it is a model of few steps."""

    family: Family
    pipeline: str
    components: Mapping[str, Component]
    is_inpainting: bool
    prediction_type: str | None
    is_zero_terminal_snr: bool
    native_size: int | None
    size_bytes: int
    made_for: made_for.MadeFor | None = None


def read_folder(folder: Path) -> DiffusersFolder:
    """Reads `model_index.json`, the parts' configs and the headers of their weights.

    Raises Broken, Pickled or Unrecognised; OSError if a file cannot be read.
    """
    index = read_json(folder / "model_index.json")
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str) or any(folder.glob("*.py")):
        raise Unrecognised("contains_code")
    components = {name: _component(folder, name, value) for name, value in index.items() if _is_used(name, value)}
    headers: dict[str, list[Header]] = {}
    for name, component in components.items():
        for weights in component.weights:
            headers.setdefault(name, []).append(read_header(weights))
    configs = {name: _config(folder / name) for name in components}
    for name in headers:
        if "quantization_config" not in configs[name] and any(_has_scales(header) for header in headers[name]):
            raise Unrecognised(QUANTISED)
    network = "unet" if configs.get("unet") else "transformer"
    denoiser = configs.get(network) or {}
    vae = configs.get("vae", {})
    scheduler = _config(folder / "scheduler", "scheduler_config.json")
    family = _family(pipeline, denoiser, set(components))
    if family.adapter is None:
        _check_noise(scheduler.get("_class_name"), scheduler)
    native_size = _native_size(denoiser, vae)
    return DiffusersFolder(
        family=family,
        pipeline=pipeline,
        components=components,
        is_inpainting=family.has_inpainting_form and _is_inpainting(denoiser, vae),
        prediction_type=_prediction_type(scheduler) if family.defaults.prediction_type is not None else None,
        is_zero_terminal_snr=scheduler.get("rescale_betas_zero_snr") is True,
        native_size=native_size,
        size_bytes=sum(file.stat().st_size for component in components.values() for file in component.weights),
        made_for=made_for.of_folder(
            folder, family.id, index, denoiser, scheduler, headers.get(network, []), native_size
        ),
    )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of bounded size. Raises Broken."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_JSON_BYTES + 1)
        values = json.loads(text) if len(text) <= MAX_JSON_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise Broken("config_unreadable") from error
    if not isinstance(values, dict):
        raise Broken("config_unreadable")
    return values


def clip_layers(folder: Path) -> int | None:
    """The number of layers of the smallest text encoder whose config is below `folder`; None if no config says."""
    counts = [_config(folder / name).get("num_hidden_layers") for name in ("text_encoder", "text_encoder_2")]
    return min((count for count in counts if isinstance(count, int)), default=None)


def _is_used(name: str, value: Any) -> bool:
    """Whether an entry of `model_index.json` is a part that we load. Other entries are settings of the pipeline."""
    if not isinstance(value, list) or all(isinstance(one, int) for one in value):
        return False
    return name not in UNUSED_COMPONENTS and value != [None, None]


def _component(folder: Path, name: str, value: list[Any]) -> Component:
    if len(value) != 2 or not all(isinstance(part, str) for part in value) or not _COMPONENT_NAME.fullmatch(name):
        raise Broken("config_unreadable")
    library, class_name = value
    place = folder / name
    if library not in _LIBRARIES or not _CLASS_NAME.fullmatch(class_name) or any(place.glob("*.py")):
        raise Unrecognised("contains_code")
    if not place.is_dir():
        raise Broken("component_missing")
    if "auto_map" in _config(place) or "auto_map" in _config(place, "tokenizer_config.json"):
        raise Unrecognised("contains_code")  # transformers' way to name classes in the folder's own Python files
    if _WITHOUT_WEIGHTS.search(class_name):
        return Component(library, class_name)
    weights, variant = _weights(place)
    return Component(library, class_name, weights, variant)


def _weights(place: Path) -> tuple[tuple[Path, ...], str | None]:
    """The files that `from_pretrained` will read, plain ones before fp16's, and which variant that is."""
    for variant in (None, "fp16"):
        dotted = f".{variant}" if variant else ""
        for name in _WEIGHTS_NAMES:
            single = place / f"{name}{dotted}.safetensors"
            if single.is_file():
                return (single,), variant
            index = place / f"{name}.safetensors.index{dotted}.json"
            if index.is_file():
                return _shards(index), variant
    if any(file.suffix in PICKLE_SUFFIXES for file in place.iterdir()):
        raise Pickled("pickled")
    raise Broken("component_missing")


def _shards(index: Path) -> tuple[Path, ...]:
    """The files that an index names, each in the index's own folder."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise Broken("config_unreadable")
    names = list(weight_map.values())
    if not all(isinstance(name, str) and Path(name).name == name and name.endswith(".safetensors") for name in names):
        raise Broken("points_outside")
    shards = tuple(index.with_name(name) for name in sorted(set(names)))
    if not all(shard.is_file() for shard in shards):
        raise Broken("component_missing")
    return shards


def _config(place: Path, name: str = "config.json") -> dict[str, Any]:
    """A part's config, empty where it has none."""
    return read_json(place / name) if (place / name).is_file() else {}


def _family(pipeline: str, denoiser: Mapping[str, Any], components: set[str]) -> Family:
    if not _UNET_PIPELINES.fullmatch(pipeline):
        for row in PIPELINE_FAMILIES:
            if pipeline in row.pipelines and row.denoiser_config.items() <= denoiser.items():
                return row
        raise Unrecognised(reason_refused(pipeline), pipeline=re.sub(r"\W", "", pipeline)[:MAX_NAME_CHARACTERS])
    if "unet" not in components or "vae" not in components:
        raise Broken("component_missing")
    if pipeline.startswith("StableDiffusionXL"):
        if "text_encoder" not in components:
            raise Unrecognised("refiner")
        return FAMILIES["sdxl"]
    # SD 2.x was the first to project with linear layers; widths differ in toys and in networks of one's own.
    return FAMILIES["sd2" if denoiser.get("use_linear_projection") is True else "sd15"]


def _has_scales(header: Header) -> bool:
    """Whether weights are scaled or packed; the libraries would leave them like that if no config says so."""
    try:
        return bool(scales_of(header))
    except Unrecognised:
        return True


def _check_noise(class_name: Any, scheduler: Mapping[str, Any]) -> None:
    """Raises Unrecognised if a U-Net was trained on the noise of EDM or of a flow."""
    if re.match(r"EDM|CosineDPM|KarrasVe|ScoreSde", str(class_name)):
        raise Unrecognised("edm")
    if str(class_name).startswith("FlowMatch") or scheduler.get("prediction_type") == "flow_prediction":
        raise Unrecognised("flow_unet")


def _is_inpainting(unet: Mapping[str, Any], vae: Mapping[str, Any]) -> bool:
    """Whether the network also takes the masked picture and the mask. Raises Unrecognised for other added inputs."""
    latent_channels = vae.get("latent_channels", 4)
    channels = unet.get("in_channels", 4)
    if not (isinstance(latent_channels, int) and isinstance(channels, int)):
        raise Broken("config_unreadable")
    if channels not in (latent_channels, 2 * latent_channels + 1):
        raise Unrecognised("other_shapes")
    return bool(channels != latent_channels)


def _prediction_type(scheduler: Mapping[str, Any]) -> str:
    found = scheduler.get("prediction_type", "epsilon")  # old configs leave it out: then it was the only one
    if found not in ("epsilon", "v_prediction", "sample"):
        raise Broken("config_unreadable")
    return str(found)


def _native_size(denoiser: Mapping[str, Any], vae: Mapping[str, Any]) -> int | None:
    """Side in pixels: the latents' side × the VAE's factor, which is 2 for every block but the last."""
    side, blocks = denoiser.get("sample_size"), vae.get("block_out_channels")
    if type(side) is not int or not isinstance(blocks, list) or not 1 <= len(blocks) <= 8:
        return None
    pixels = side * 2 ** (len(blocks) - 1)
    return pixels if 64 <= pixels <= 2048 and pixels % 8 == 0 else None

"""Which steps, guidance and scheduler a checkpoint or a LoRA was made for, where it is one of few steps.

What its header or metadata say is certain; its name alone is a guess, and `known_by` says so. Reads no weights. Knows
no torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from webui.checkpoints.family import Defaults
from webui.checkpoints.few_steps import FEW_STEPS, MAX_STEPS, FewSteps, Signs
from webui.checkpoints.model_facts import read_beside
from webui.checkpoints.safetensors_header import Header

KnownBy = Literal["header", "metadata", "name"]
_TITLES = ("modelspec.title", "ss_output_name")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STEPS = re.compile(r"\b(\d{1,2}) steps?\b")
_SAYS_NOTHING = ("pytorch_lora_weights", "diffusion_pytorch_model", "model")  # names that every such file has


@dataclass(frozen=True, kw_only=True)
class MadeFor:
    """`kind` is a proper name. `size` in pixels and `prediction_type` are None where the family's hold."""

    kind: str
    known_by: KnownBy
    steps: int
    guidance_scale: float
    scheduler: str
    sigmas: str
    size: int | None = None
    prediction_type: str | None = None


def with_few_steps(defaults: Defaults, found: MadeFor | None) -> Defaults:
    """The defaults of a checkpoint that was made for this; None changes nothing."""
    if found is None:
        return defaults
    return replace(
        defaults,
        steps=found.steps,
        guidance_scale=found.guidance_scale,
        scheduler=found.scheduler,
        sigmas=found.sigmas,
    )


def of_folder(
    folder: Path,
    family: str,
    index: Mapping[str, Any],
    network: Mapping[str, Any],
    scheduler: Mapping[str, Any],
    headers: list[Header],
    native_size: int | None,
) -> MadeFor | None:
    """What a diffusers folder was made for: `index` is its `model_index.json`, `network` and `scheduler` are those
    parts' configs, `headers` those of the network's files."""
    paths = (config.get("_name_or_path") for config in (index, network))
    signs = Signs(
        family=family,
        tensors=frozenset(name for header in headers for name in header.tensors),
        index=index,
        network=network,
        scheduler=scheduler,
        native_size=native_size,
        told=tuple(plain_words(path) for path in paths if isinstance(path, str)),
        name=plain_words(folder.name),
    )
    return made_for(signs)


def of_file(path: Path, family: str, metadata: Mapping[str, str]) -> MadeFor | None:
    """What a checkpoint of one file was made for. Civitai's file beside it names what it was made from."""
    base = read_beside(path, ".civitai.info").get("baseModel")
    told = (*_titles(metadata), *([f"on {plain_words(base)}"] if isinstance(base, str) else []))
    return made_for(Signs(family=family, told=told, name=_name(path)))


def of_lora(path: Path, family: str | None, metadata: Mapping[str, str]) -> MadeFor | None:
    """What a LoRA makes of any checkpoint that it fits."""
    return made_for(Signs(family=family, is_lora=True, told=_titles(metadata), name=_name(path)))


def made_for(signs: Signs) -> MadeFor | None:
    """The first kind that the surest signs speak for; None for an ordinary model."""
    rows = [row for row in FEW_STEPS if signs.family in row.families]
    for row in rows if not signs.is_lora else ():
        if row.header is not None and row.header(signs):
            return _of_row(row, "header", signs)
    for row in rows:
        is_configured = not signs.is_lora and row.config is not None and row.config(signs)
        if is_configured or any(_says(row, words, signs.is_lora) for words in signs.told):
            return _of_row(row, "metadata", signs)
    for row in rows:
        if _says(row, signs.name, signs.is_lora):
            return _of_row(row, "name", signs)
    return None


def plain_words(text: str) -> str:
    """Small letters, with single spaces between words and numbers.

    >>> plain_words("Hyper-SD15-4steps-lora"), plain_words("sd_xl_turbo_1.0_fp16"), plain_words("dreamshaperXL_v2Turbo")
    ('hyper sd 15 4 steps lora', 'sd xl turbo 1 0 fp 16', 'dreamshaper xl v 2 turbo')
    """
    return " ".join(_WORD.findall(text.replace("LoRA", "lora"))).casefold()


def _says(row: FewSteps, words: str, is_lora: bool) -> bool:
    pattern = row.lora_words if is_lora else row.words
    return pattern is not None and pattern.search(words) is not None


def _of_row(row: FewSteps, known_by: KnownBy, signs: Signs) -> MadeFor:
    steps = row.steps
    if row.counts_steps:
        counts = [int(found[1]) for words in (*signs.told, signs.name) if (found := _STEPS.search(words))]
        steps = next((count for count in counts if 1 <= count <= MAX_STEPS), steps)
    return MadeFor(
        kind=row.name,
        known_by=known_by,
        steps=steps,
        guidance_scale=row.guidance_scale,
        scheduler=row.scheduler,
        sigmas=row.sigmas,
        size=row.size,
        prediction_type=row.prediction_type,
    )


def _titles(metadata: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(plain_words(metadata[name]) for name in _TITLES if name in metadata)


def _name(path: Path) -> str:
    """The words of the file's name, with its folder's where every such file is called so."""
    return plain_words(f"{path.parent.name} {path.stem}" if path.stem in _SAYS_NOTHING else path.stem)

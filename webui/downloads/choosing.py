"""Which files of a repository are fetched: those that a diffusers folder needs, or the one file of weights.

A folder says itself what its parts are, and an index which weights are theirs. Everything else stays where it is: other
number types, single files of the same weights, pickles, code, pictures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from webui.checkpoints.diffusers_folder import UNUSED_COMPONENTS
from webui.checkpoints.models_folder import PICKLE_SUFFIXES
from webui.downloads.files import SMALL_SUFFIXES, WEIGHTS_SUFFIX, RemoteFile, is_wanted
from webui.downloads.hub import Repository
from webui.errors import NothingToDownload

INDEX = "model_index.json"
_VARIANTS = (".fp16", ".bf16", "")  # half the size first: the engine computes in the device's own number type anyway
_WEIGHTS_NAMES = ("diffusion_pytorch_model", "model")
_PART_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LIBRARIES = ("diffusers", "transformers")
_CODE_SUFFIXES = (".py", ".ipynb", ".sh")
ReadText = Callable[[RemoteFile], bytes]


def choose_files(repository: Repository, asked: Iterable[str], read: ReadText) -> tuple[RemoteFile, ...]:
    """Those that were asked for; else those of the folder that it is; else its only file of weights.

    Raises NothingToDownload, and what `read` raises.
    """
    by_name = {file.name: file for file in repository.files}
    named = tuple(dict.fromkeys(asked))
    if named:
        return tuple(_asked(by_name, name, repository.id) for name in named)
    if INDEX in by_name:
        return folder_files(repository, read)
    weights = [file for file in repository.files if file.name.endswith(WEIGHTS_SUFFIX)]
    if len(weights) == 1:
        return (weights[0],)
    if weights:
        names = ", ".join(file.name for file in weights[:5]) + (", …" if len(weights) > 5 else "")
        raise NothingToDownload(source=repository.id, reason="several_files", file=names)
    raise NothingToDownload(source=repository.id, reason=_why_nothing(by_name))


def _asked(by_name: dict[str, RemoteFile], name: str, source: str) -> RemoteFile:
    if name not in by_name:
        raise NothingToDownload(source=source, reason="file_missing", file=name[:200])
    if not is_wanted(name):
        reason = "pickles_only" if name.endswith(PICKLE_SUFFIXES) else "file_kind"
        raise NothingToDownload(source=source, reason=reason, file=name[:200])
    return by_name[name]


def _why_nothing(names: Iterable[str]) -> str:
    suffixes = [name for name in names if name != ".gitattributes"]
    if any(name.endswith((*PICKLE_SUFFIXES, ".pkl")) for name in suffixes):
        return "pickles_only"
    if any(name.endswith(_CODE_SUFFIXES) for name in suffixes):
        return "code_only"
    return "no_weights" if suffixes else "repository_empty"


def folder_files(repository: Repository, read: ReadText) -> tuple[RemoteFile, ...]:
    """All that a diffusers folder needs. Raises NothingToDownload."""
    by_name = {file.name: file for file in repository.files}
    index = _json(by_name[INDEX], repository.id, read)
    chosen = [by_name[INDEX]]
    for part, value in index.items():
        if not isinstance(value, list) or value == [None, None] or part in UNUSED_COMPONENTS:
            continue
        if all(isinstance(one, int) for one in value):
            continue  # a setting of the pipeline
        if len(value) != 2 or value[0] not in _LIBRARIES or not _PART_NAME.fullmatch(part):
            raise NothingToDownload(source=repository.id, reason="contains_code")
        inside = {name: file for name, file in by_name.items() if name.startswith(f"{part}/") and name.count("/") == 1}
        chosen += [file for name, file in inside.items() if name.endswith(SMALL_SUFFIXES) and not _is_index(name)]
        chosen += _weights(part, inside, repository.id, read)
    return tuple(chosen)


def _weights(part: str, inside: dict[str, RemoteFile], source: str, read: ReadText) -> list[RemoteFile]:
    """Of one part, in one number type. A part without any weights, such as a tokenizer, has none to fetch."""
    for variant in _VARIANTS:
        for name in _WEIGHTS_NAMES:
            if whole := inside.get(f"{part}/{name}{variant}{WEIGHTS_SUFFIX}"):
                return [whole]
            if index := inside.get(f"{part}/{name}{WEIGHTS_SUFFIX}.index{variant}.json"):
                found = _json(index, source, read).get("weight_map", {})
                if not isinstance(found, dict) or not all(isinstance(shard, str) for shard in found.values()):
                    raise NothingToDownload(source=source, reason="parts_missing", file=part)
                shards = sorted(set(found.values()))
                names = [f"{part}/{shard}" for shard in shards]
                if not names or any(one not in inside or not one.endswith(WEIGHTS_SUFFIX) for one in names):
                    raise NothingToDownload(source=source, reason="parts_missing", file=part)
                return [index, *(inside[one] for one in names)]
    if any(name.endswith(PICKLE_SUFFIXES) for name in inside):
        raise NothingToDownload(source=source, reason="pickles_only", file=part)
    if any(name.endswith(WEIGHTS_SUFFIX) for name in inside) or not inside:
        raise NothingToDownload(source=source, reason="parts_missing", file=part)
    return []


def place_in_folder(name: str) -> str:
    """What a file is called here: as there, but for bf16's, since loaders know fp16's variant alone.

    >>> place_in_folder("vae/diffusion_pytorch_model.bf16.safetensors")
    'vae/diffusion_pytorch_model.safetensors'
    """
    renamed = re.sub(r"\.bf16(\.safetensors)$", r"\1", name)
    return re.sub(r"(\.safetensors\.index)\.bf16(\.json)$", r"\1\2", renamed)


def _is_index(name: str) -> bool:
    """Of shards: `….safetensors.index.json`, of whatever variant, or that of pickles."""
    return re.search(r"\.(safetensors|bin)\.index(\.\w+)?\.json$", name) is not None


def _json(file: RemoteFile, source: str, read: ReadText) -> dict[str, Any]:
    try:
        values = json.loads(read(file))
    except (ValueError, RecursionError) as error:
        raise NothingToDownload(source=source, reason="file_unreadable", file=file.name) from error
    if not isinstance(values, dict):
        raise NothingToDownload(source=source, reason="file_unreadable", file=file.name)
    return values

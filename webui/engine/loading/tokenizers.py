"""Finds the tokenizer of a single file: beside it, in `models/tokenizers/<family>/`, or once from the Hub.

A single file holds weights only. The three U-Net families share CLIP's vocabulary and differ only in the padding token,
so the two files `vocab.json` and `merges.txt` are enough.
"""

from __future__ import annotations

import concurrent.futures
import logging
import os
import socket
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import constants, hf_hub_download
from transformers import CLIPTokenizer

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import TokenizerSource
from webui.checkpoints.refusals import Broken
from webui.checkpoints.tokenizer_files import FILES as FILES
from webui.checkpoints.tokenizer_files import find_tokenizer
from webui.errors import TokenizerMissing

_MAX_TOKENS = 77  # positions that CLIP's text encoder has
_LOOK_SECONDS = 0.2  # between two looks whether the job was stopped
_CONNECT_SECONDS = 5.0
_log = logging.getLogger(__name__)

Fetch = Callable[[TokenizerSource, str, Path], Path]  # source, name of the file, folder to work in → the file


def load_tokenizers(
    checkpoint: Checkpoint,
    vocabulary_sizes: dict[str, int],
    tokenizers_dir: Path,
    check: Callable[[], None],
    fetch: Fetch | None = None,
) -> dict[str, Any]:
    """The tokenizers of a single file, by component name.

    `vocabulary_sizes` is the vocabulary size of each component's text encoder. `fetch` downloads a file from the Hub
    (`fetch_from_hub`); `check` may raise meanwhile. Raises TokenizerMissing, and Broken with `tokenizer_mismatch` for a
    tokenizer with another vocabulary.
    """
    sources = FAMILIES[checkpoint.family].tokenizers or {}
    found = {}
    for name, size in vocabulary_sizes.items():
        folder = find_tokenizer(checkpoint, name, tokenizers_dir)
        if folder is None:
            folder = tokenizers_dir / checkpoint.family / name
            _fetch_to(folder, checkpoint, sources[name], check, fetch or fetch_from_hub)
        tokenizer = _load(folder, sources[name])
        if len(tokenizer) != size:
            _log.error("the tokenizer in %s has %d tokens, %s needs %d", folder, len(tokenizer), checkpoint.id, size)
            raise Broken("tokenizer_mismatch")
        found[name] = tokenizer
    return found


def fetch_from_hub(source: TokenizerSource, file: str, folder: Path, *, mirror: str | None = None) -> Path:
    """Downloads one file of a published tokenizer into `folder`, from a mirror of the Hub if one is given, which gets
    no token. Raises OSError and the Hub client's own errors.
    """
    endpoint = urllib.parse.urlsplit(mirror or constants.ENDPOINT)
    if not urllib.request.getproxies():
        # The client tries for half a minute to reach a host that is not there; this finds out at once.
        port = endpoint.port or (443 if endpoint.scheme == "https" else 80)
        socket.create_connection((endpoint.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    name = f"{source.folder}/{file}"
    token = False if mirror else None  # None: the one that the Hub's own programs would send
    return Path(
        hf_hub_download(
            source.repository, name, revision=source.revision, local_dir=folder, endpoint=mirror, token=token
        )
    )


def _load(folder: Path, source: TokenizerSource) -> Any:
    """CLIP's tokenizer from `folder`. If only vocabulary and merges are there, everything else is as published."""
    said: dict[str, Any] = {}
    if not (folder / "tokenizer_config.json").is_file():
        said = {"pad_token": source.pad_token, "model_max_length": _MAX_TOKENS}
    try:
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **said)
    except Exception as error:  # the tokenizers' library, written in Rust, raises no less
        _log.error("the tokenizer in %s cannot be read: %s", folder, error)
        raise Broken("tokenizer_mismatch") from error


def _fetch_to(
    place: Path, checkpoint: Checkpoint, source: TokenizerSource, check: Callable[[], None], fetch: Fetch
) -> None:
    """Downloads the tokenizer into `place`, where it stays for later starts. Raises TokenizerMissing, and whatever
    `check` raises.

    The download runs in a thread, because a job can be stopped while a connection cannot.
    """
    executor = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="tokenizer")
    downloading = executor.submit(_download, place, source, fetch)
    executor.shutdown(wait=False)
    while not concurrent.futures.wait([downloading], timeout=_LOOK_SECONDS).done:
        check()
    problem = downloading.exception()
    if problem is not None:
        _log.warning("no tokenizer for %s from %s: %s", checkpoint.id, source.repository, problem)
        raise TokenizerMissing(
            checkpoint=checkpoint.id,
            family=FAMILIES[checkpoint.family].name,
            folders=f"models/tokenizers/{checkpoint.family}/{place.name}",
            files=", ".join(FILES),
        ) from problem


def _download(place: Path, source: TokenizerSource, fetch: Fetch) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=place.parent) as temporary:
        downloaded = [fetch(source, file, Path(temporary)) for file in FILES]
        place.mkdir(exist_ok=True)
        for file in downloaded:
            os.replace(file, place / file.name)

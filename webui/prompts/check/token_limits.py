"""How much of a prompt the families read that read it as plain text: their encoders cut off the rest.

Counts with the checkpoint's own `tokenizer.json`, or with CLIP's files if CLIP reads the prompt. With neither
(`spiece.model` alone, as PixArt-Σ was published), nothing can be said. Knows no U-Nets, which read prompts of any
length.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from tokenizers import Tokenizer

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.refusals import Broken
from webui.prompts.check.clip_tokenizer import ClipTokenizer
from webui.prompts.chunks import CHUNK_TOKENS

MAX_FILE_BYTES = 64 * 2**20  # Gemma's, which Sana reads with, has 34 MB
_log = logging.getLogger(__name__)


class TokenLimits:
    """Keeps the tokenizer that was used last: the larger ones take a second to load. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Path, str, ClipTokenizer | Tokenizer | None] | None = None

    def end(self, text: str, checkpoint: Checkpoint) -> int | None:
        """The index of the first character of `text` that the checkpoint's encoder does not read; None if it reads
        everything.
        """
        reads = FAMILIES[checkpoint.family].reads
        folders = [(checkpoint.path / component, limit) for component, limit in reads]
        folder, limit = next(((one, limit) for one, limit in folders if one.is_dir()), (None, 0))
        if folder is None or len(text.encode()) <= limit:  # no token is shorter than a byte
            return None
        tokenizer = self._tokenizer(folder, checkpoint.version, is_clip=limit == CHUNK_TOKENS)
        if tokenizer is None:
            return None
        if isinstance(tokenizer, ClipTokenizer):
            starts = [word.start for word in tokenizer.words(text)]
        else:
            starts = [start for start, _ in tokenizer.encode(text, add_special_tokens=False).offsets]
        return starts[limit] if len(starts) > limit else None

    def _tokenizer(self, folder: Path, version: str, *, is_clip: bool) -> ClipTokenizer | Tokenizer | None:
        with self._lock:
            if self._kept is None or self._kept[:2] != (folder, version):
                try:
                    tokenizer = _load(folder, is_clip=is_clip)
                except Broken:  # the log says so; the engine's own words come when a picture is asked for
                    tokenizer = None
                self._kept = folder, version, tokenizer
            return self._kept[2]


def _load(folder: Path, *, is_clip: bool) -> ClipTokenizer | Tokenizer | None:
    """None if there is no file for it; raises Broken for one that cannot be read."""
    if is_clip:
        return ClipTokenizer(folder)
    file = folder / "tokenizer.json"
    if not file.is_file() or file.stat().st_size > MAX_FILE_BYTES:
        return None
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library, written in Rust, raises no less
        _log.warning("a tokenizer cannot be read: %s", error)
        raise Broken("tokenizer_mismatch") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer

"""Small files of ours among the models, replaced as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Puts `text` into `path`, completely or not at all. Raises OSError; nothing temporary is left then."""
    with replacing_text(path, text):
        pass


@contextmanager
def replacing_text(path: Path, text: str) -> Iterator[None]:
    """Puts `text` into `path` at the end of the block, if nothing is raised there; the room for it is taken before the
    block begins. Raises OSError; nothing temporary is left then."""
    beside = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        beside.write_text(text, encoding="utf-8")
        yield
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)

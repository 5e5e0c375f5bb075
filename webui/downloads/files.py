"""Files that lie elsewhere: which of them may be fetched, and what they are called here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from webui.errors import NothingToDownload

WEIGHTS_SUFFIX = ".safetensors"
# Configs, vocabularies and chat templates; `.model` is SentencePiece's vocabulary. None of them is run.
SMALL_SUFFIXES = (".json", ".txt", ".model", ".jinja")
MAX_SMALL_BYTES = 64 * 2**20  # the largest tokenizers have 33 MB
MAX_FILE_BYTES = 2**41
_MAX_NAME_BYTES = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT_SHA1 = re.compile(r"[0-9a-f]{40}")
_TAKEN_BY_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_NOT_ANYWHERE = frozenset('<>:"\\|?*')


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: memoryview | bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file of a fixed revision. `name` is its path there; one of the two hashes is known.

    `address` is where it is fetched from.
    """

    name: str
    size_bytes: int
    address: str
    sha256: str | None = None
    git_sha1: str | None = None
    repository: str | None = None
    revision: str | None = None

    def __post_init__(self) -> None:
        """Raises NothingToDownload for what a server cannot mean."""
        hash, form = (self.sha256, _SHA256) if self.sha256 is not None else (self.git_sha1, _GIT_SHA1)
        sound = (
            isinstance(self.name, str)
            and isinstance(self.size_bytes, int)
            and 0 <= self.size_bytes <= MAX_FILE_BYTES
            and isinstance(hash, str)
            and form.fullmatch(hash) is not None
        )
        if not sound:
            raise NothingToDownload(source=self.repository or self.name, reason="no_hash", file=str(self.name)[:200])

    @property
    def key(self) -> str:
        """The same for the same bytes: names the file while it is not in its place."""
        return self.sha256 or f"git-{self.git_sha1}-{self.size_bytes}"

    def digest(self) -> Digest:
        """What its bytes have to be fed to; Git hashes a header before them."""
        if self.sha256 is not None:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size_bytes, usedforsecurity=False)

    def is_right(self, digest: Digest) -> bool:
        """Whether these were its bytes."""
        return digest.hexdigest() == (self.sha256 or self.git_sha1)


def checked_name(name: str, source: str) -> PurePosixPath:
    """A path from elsewhere as one below a folder of ours, on every system. Raises NothingToDownload."""
    parts = name.split("/")
    if not parts or len(parts) > 8 or not all(_is_plain(part) for part in parts):
        raise NothingToDownload(source=source, reason="file_name", file=name[:200])
    return PurePosixPath(*parts)


def plain_name(text: str, otherwise: str) -> str:
    """A title from elsewhere as the name of a file or folder."""
    kept = re.sub(
        r"\s+", " ", "".join(" " if c in _NOT_ANYWHERE or c == "/" or not c.isprintable() else c for c in text)
    )
    short = kept.strip(" .-_").encode("utf-8", "ignore")[:80].decode("utf-8", "ignore").strip(" .-_")
    return short if short and _is_plain(short) else otherwise


def _is_plain(part: str) -> bool:
    return (
        0 < len(part.encode("utf-8", "surrogatepass")) <= _MAX_NAME_BYTES
        and not part.startswith((".", "__"))
        and not part.endswith((".", " "))
        and part.isprintable()
        and not _NOT_ANYWHERE & set(part)
        and not _TAKEN_BY_WINDOWS.fullmatch(part)
    )


def is_wanted(name: str) -> bool:
    """Whether a file is of a kind that is fetched at all: no code, no pickles, no pictures."""
    return name.endswith((WEIGHTS_SUFFIX, *SMALL_SUFFIXES))

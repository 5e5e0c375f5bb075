"""Whether a download fits on the disk with room to spare, and if not, what could go.

Room to spare is the larger of 5 GB and 5 % of the disk: pictures have to be saved, and a full disk stops more than this
program.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from webui.downloads.plan import FOLDERS
from webui.errors import DiskSpaceShort

SPARE_BYTES = 5 * 10**9
SPARE_SHARE = 0.05
_MOST_NAMED = 3
_FLAT = {"checkpoints", *FOLDERS.values()}  # folders whose files are things by themselves
DiskUsage = Callable[[Path], tuple[int, int]]


def disk_usage(folder: Path) -> tuple[int, int]:
    """Bytes of the whole disk, and bytes free for us."""
    usage = shutil.disk_usage(folder)
    return usage.total, usage.free


class Space:
    """The disk that the models lie on."""

    def __init__(self, models_dir: Path, usage: DiskUsage = disk_usage) -> None:
        self._models_dir = models_dir
        self._usage = usage

    def free_bytes(self) -> int:
        """As of now."""
        return self._usage(self._models_dir)[1]

    def spare_bytes(self) -> int:
        """What is to stay free."""
        total, _ = self._usage(self._models_dir)
        return max(SPARE_BYTES, int(total * SPARE_SHARE))

    def check(self, needed_bytes: int) -> None:
        """Whether that many more fit. Raises DiskSpaceShort."""
        if needed_bytes + self.spare_bytes() > self.free_bytes():
            raise self.shortage(needed_bytes)

    def shortage(self, needed_bytes: int) -> DiskSpaceShort:
        """The error, with what takes most of the room."""
        return DiskSpaceShort(
            needed_gb=_gb(needed_bytes),
            free_gb=_gb(self.free_bytes()),
            spare_gb=_gb(self.spare_bytes()),
            folder=str(self._models_dir),
            could=", ".join(f"{name} ({_gb(size)} GB)" for name, size in largest(self._models_dir)),
        )


def largest(models_dir: Path) -> list[tuple[str, int]]:
    """The largest things in the models folder, by their path there, and what waits in a hidden folder to be deleted."""
    sizes: dict[str, int] = {}
    for parent, _, names in os.walk(models_dir):
        relative = Path(parent).relative_to(models_dir)
        for name in names:
            try:
                size = os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
            sizes[_thing(relative, name)] = sizes.get(_thing(relative, name), 0) + size
    ours = {name: size for name, size in sizes.items() if name.partition("/")[0] not in ("starter", "style")}
    return sorted(ours.items(), key=lambda item: -item[1])[:_MOST_NAMED]


def _thing(folder: Path, name: str) -> str:
    """What a file belongs to: the folder directly below models/, or the file in one of the folders by kind."""
    if not folder.parts:
        return name
    is_flat = len(folder.parts) == 1 and folder.parts[0] in _FLAT
    return f"{folder.parts[0]}/{name}" if is_flat else folder.parts[0]


def _gb(size: int) -> float:
    return round(size / 1e9, 2 if size < 10**9 else 1)

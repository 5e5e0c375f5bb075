"""The gallery on the disk, where files without a row can also be found."""

from __future__ import annotations

from pathlib import Path

from webui.storage.database import Database
from webui.storage.marks import Marks
from webui.storage.owners import Owner
from webui.storage.pictures import Pictures, folder_name
from webui.storage.thumbnails import Thumbnails


class DiskPictures(Pictures):
    """What people do with their pictures is also stored beside these."""

    folder: Path

    def __init__(self, folder: Path, database: Database, thumbnails: Thumbnails) -> None:
        super().__init__(folder, database, thumbnails, Marks(self.owner_folder))

    def owner_folder(self, owner: Owner) -> Path:
        """The folder with this person's files."""
        return self.folder / folder_name(owner)

    def has_file(self, path: Path) -> bool:
        """Whether there is a row for this file."""
        relative = path.relative_to(self.folder).as_posix()
        return self._database.row("SELECT 1 FROM pictures WHERE path = ?", (relative,)) is not None

    def has_place(self, job_id: str, position: int) -> bool:
        """Whether there is a row for this picture of a job."""
        found = self._database.row("SELECT 1 FROM pictures WHERE job_id = ? AND position = ?", (job_id, position))
        return found is not None

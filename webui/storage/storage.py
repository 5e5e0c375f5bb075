"""The data folder as one thing: its lock, its database, and the stores that live in it."""

from __future__ import annotations

import logging
from pathlib import Path

from webui.storage.adoption import rebuild
from webui.storage.boards import Boards
from webui.storage.database import Database
from webui.storage.files import make_folder, sweep_temporary
from webui.storage.job_rows import JobRows
from webui.storage.lock import FolderLock
from webui.storage.pictures import Pictures
from webui.storage.thumbnails import Thumbnails
from webui.storage.upload_keeping import UploadKeeper
from webui.storage.uploads import Uploads

log = logging.getLogger(__name__)


class Storage:
    """Opens (and if need be makes) a data folder; `close` gives it back. All methods may be called from any thread."""

    def __init__(self, data_dir: Path) -> None:
        """Raises FolderInUse, FolderNotWritable, DiskFull, DatabaseTooNew, DatabaseLocked. A damaged database is set
        aside and a new one filled from the pictures' files."""
        make_folder(data_dir)
        self.data_dir = data_dir
        self._lock = FolderLock(data_dir)
        try:
            sweep_temporary(data_dir, is_deep=False)
            for name in ("pictures", "uploads", "thumbnails"):
                make_folder(data_dir / name)
                sweep_temporary(data_dir / name)
            self.database = Database(data_dir / "darkroom.sqlite3")
        except BaseException:
            self._lock.close()
            raise
        self.thumbnails = Thumbnails(data_dir / "thumbnails")
        self.pictures = Pictures(data_dir / "pictures", self.database, self.thumbnails)
        self.boards = Boards(self.database, self.pictures.marks)
        self.uploads = Uploads(data_dir / "uploads", self.database)
        self.upload_keeper = UploadKeeper(self.database, self.uploads, self.thumbnails)
        self.jobs = JobRows(self.database)
        if self.database.is_new:
            adopted = rebuild(self.pictures, self.boards, self.database)
            self.upload_keeper.adopt_all()
            if adopted.pictures:
                log.info("took %d pictures from the folder into the new database", adopted.pictures)
        self.pictures.purge()

    def close(self) -> None:
        """Writes everything out and lets another process have the folder."""
        self.database.close()
        self._lock.close()

"""The data folder as a whole: its lock, its database, and its stores."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from webui.storage.adoption import Rebuilt, rebuild
from webui.storage.boards import Boards
from webui.storage.database import Database
from webui.storage.disk_pictures import DiskPictures
from webui.storage.files import make_folder, sweep_temporary
from webui.storage.job_rows import JobRows
from webui.storage.lock import FolderLock
from webui.storage.owners import LOCAL, Owner, PrivateOwner
from webui.storage.private import PrivateSessions, Stores
from webui.storage.thumbnails import Thumbnails
from webui.storage.upload_keeping import UploadKeeper
from webui.storage.uploads import Uploads

DATABASE_NAME = "darkroom.sqlite3"
_PASSING_BYTES, _ALL_PASSING_BYTES = 2**28, 2**29  # of what is answered at once and not kept
log = logging.getLogger(__name__)


class Storage:
    """Opens a data folder, which is made if it does not exist; `close` releases it. All methods are thread-safe."""

    def __init__(
        self, data_dir: Path, owners: Sequence[Owner] = (LOCAL,), say: Callable[[int], None] = lambda looked: None
    ) -> None:
        """`owners` and `say` are for a database that has to be made again, as in `adoption.rebuild`; what came of that
        is in `rebuilt`. A damaged database is set aside and a new one filled from the pictures' files. Raises
        FolderInUse, FolderNotWritable, DiskFull, DatabaseTooNew, DatabaseLocked."""
        make_folder(data_dir)
        self.data_dir = data_dir
        self.rebuilt: Rebuilt | None = None
        self._lock = FolderLock(data_dir)
        try:
            sweep_temporary(data_dir, is_deep=False)
            for name in ("pictures", "uploads", "thumbnails"):
                make_folder(data_dir / name)
                sweep_temporary(data_dir / name)
            self.database = Database(data_dir / DATABASE_NAME)
        except BaseException:
            self._lock.close()
            raise
        self.thumbnails = Thumbnails(data_dir / "thumbnails")
        self.pictures = DiskPictures(data_dir / "pictures", self.database, self.thumbnails)
        self.boards = Boards(self.database, self.pictures.marks)
        self.uploads = Uploads(data_dir / "uploads", self.database)
        self.upload_keeper = UploadKeeper(data_dir / "uploads", self.database, self.uploads, self.thumbnails)
        self.jobs = JobRows(self.database)
        self.private = PrivateSessions()
        self._passing = PrivateSessions(_PASSING_BYTES, _ALL_PASSING_BYTES)  # so that they push nobody out
        self._stores = Stores(self.pictures, self.boards, self.uploads, self.upload_keeper, self.thumbnails, self.jobs)
        if self.database.is_new:
            self.rebuilt = rebuild(self.pictures, self.boards, self.database, owners, say)
            self.upload_keeper.adopt_all()
            if self.rebuilt.pictures:
                log.info("added %d pictures from the folder to the new database", self.rebuilt.pictures)
        self.pictures.purge()

    def of(self, owner: Owner) -> Stores:
        """The stores of this owner: on the disk, or in memory for a private owner."""
        return self._sessions(owner).of(owner) if isinstance(owner, PrivateOwner) else self._stores

    def forget(self, owner: PrivateOwner) -> None:
        """Drops all data of a private owner for good."""
        self._sessions(owner).forget(owner)

    def close(self) -> None:
        """Writes everything out and releases the folder."""
        self.database.close()
        self._lock.close()

    def _sessions(self, owner: PrivateOwner) -> PrivateSessions:
        return self._passing if owner.is_passing else self.private

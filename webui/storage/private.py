"""Private mode: all data of a person who turned it on stays in memory, and is gone when the program ends at the latest.

Meanwhile they are another owner, with a database, pictures, uploads and thumbnails of their own that never touch the
disk. The stores on the disk refuse a private owner.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from pathlib import Path

from webui.storage.boards import Boards
from webui.storage.database import IN_MEMORY, Database
from webui.storage.job_rows import JobRows
from webui.storage.marks import Marks
from webui.storage.memory import MemoryFiles
from webui.storage.owners import Owner, PrivateOwner
from webui.storage.pictures import Pictures
from webui.storage.thumbnails import Thumbnails
from webui.storage.upload_keeping import ChecksRoom
from webui.storage.uploads import Uploads

SESSION_BYTES = 256 * 2**20  # of one person: a hundred pictures of 1024² and more
ALL_BYTES = 2**30  # of everybody together
IDLE_SECONDS = 3600.0
MAX_SESSIONS = 100
MAX_OF_ONE = 8  # browsers of one person; more of them push out their own, and nobody else's
_FORGOTTEN = 1000  # sessions that are remembered as over, so that a job which ends late keeps nothing
_UNENDED = ("waiting", "running")


@dataclass(frozen=True)
class Stores:
    """The stores of one owner, on the disk or in memory."""

    pictures: Pictures
    boards: Boards
    uploads: Uploads
    upload_keeper: ChecksRoom
    thumbnails: Thumbnails
    jobs: JobRows


@dataclass
class _Session:
    files: MemoryFiles
    stores: Stores
    used: float = field(default_factory=time.monotonic)


class PrivateSessions:
    """Everybody in private mode. Thread-safe."""

    def __init__(
        self, session_bytes: int = SESSION_BYTES, all_bytes: int = ALL_BYTES, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.session_bytes = session_bytes
        self._all_bytes = all_bytes
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._sessions: OrderedDict[PrivateOwner, _Session] = OrderedDict()
        self._forgotten: deque[PrivateOwner] = deque(maxlen=_FORGOTTEN)

    def of(self, owner: PrivateOwner) -> Stores:
        """The owner's stores, which are made when first needed; this counts as use.

        Somebody who has left private mode gets stores that nobody else will ever see.
        """
        with self._lock:
            session = self._sessions.get(owner)
            if session is None:
                session = _new_session(self.session_bytes)
                if owner not in self._forgotten:
                    self._sessions[owner] = session
                    self._make_room(owner)
            session.used = time.monotonic()
            self._share(owner)
            return session.stores

    def used_bytes(self, owner: PrivateOwner) -> int:
        """The memory that the owner's pictures, uploads and thumbnails take."""
        session = self._sessions.get(owner)
        return 0 if session is None else session.files.used_bytes

    def forget(self, owner: PrivateOwner) -> None:
        """Drops all data of this owner for good."""
        with self._lock:
            self._forgotten.append(owner)
            self._sessions.pop(owner, None)

    def expire(self) -> list[PrivateOwner]:
        """Drops the data of those who have not been here for long and have no unfinished job; returns their owners."""
        before = time.monotonic() - self._idle_seconds
        with self._lock:
            gone = [
                owner
                for owner, session in self._sessions.items()
                if session.used < before and not session.stores.jobs.in_states(_UNENDED)
            ]
            for owner in gone:
                del self._sessions[owner]
        return gone

    def _make_room(self, owner: PrivateOwner) -> None:
        own = [one for one in self._sessions if one.name == owner.name]
        if len(own) > MAX_OF_ONE:
            del self._sessions[self._idlest(own)]
        if len(self._sessions) > MAX_SESSIONS:
            del self._sessions[self._idlest([*self._sessions])]

    def _idlest(self, owners: list[PrivateOwner]) -> PrivateOwner:
        return min(owners, key=lambda owner: self._sessions[owner].used)

    def _share(self, owner: PrivateOwner) -> None:
        """Drops the oldest files of the largest sessions until all sessions together are within the limit."""
        while (excess := sum(one.files.used_bytes for one in self._sessions.values()) - self._all_bytes) > 0:
            largest = max(self._sessions.values(), key=lambda one: one.files.used_bytes)
            largest.files.shrink(max(0, largest.files.used_bytes - excess))


class _EndlessRoom:
    """Checks nothing: memory has a limit of its own, and there is no disk."""

    def check_room(self, owner: Owner) -> None:
        """Always succeeds, because the oldest files are dropped."""


def _new_session(limit_bytes: int) -> _Session:
    files = MemoryFiles(limit_bytes)
    database = Database(Path(IN_MEMORY))
    thumbnails, marks = Thumbnails(files.folder("thumbnails")), Marks(None)
    uploads = Uploads(files.folder("uploads"), database)
    stores = Stores(
        pictures=Pictures(files.folder("pictures"), database, thumbnails, marks),
        boards=Boards(database, marks),
        uploads=uploads,
        upload_keeper=_EndlessRoom(),
        thumbnails=thumbnails,
        jobs=JobRows(database),
    )
    weakref.finalize(database, database.close_connection())
    return _Session(files, stores)

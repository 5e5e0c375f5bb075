"""Cleans up a data folder at the start and later: deletes removed pictures and unused uploads from the disk, and what
people in private mode left in memory.

It has a thread of its own, so neither the start nor any call waits for it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

from webui.errors import DarkroomError
from webui.storage.storage import Storage

log = logging.getLogger(__name__)

EVERY_SECONDS = 6 * 3600.0
_PRIVATE_SECONDS = 60.0  # between two looks for people who left private mode by closing the page


class Housekeeper:
    """Works from `start` to `close`."""

    def __init__(self, storage: Storage, every_seconds: float = EVERY_SECONDS) -> None:
        self._storage = storage
        self._every_seconds = every_seconds
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Starts the thread, with a first round."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread after its current round."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        following = time.monotonic()
        while not self._closing.is_set():
            if time.monotonic() >= following:
                following += self._every_seconds
                self._put_in_order()
            self._storage.private.expire()
            self._closing.wait(min(self._every_seconds, _PRIVATE_SECONDS))

    def _put_in_order(self) -> None:
        try:
            self._storage.pictures.purge()
            self._storage.upload_keeper.collect()
        except (DarkroomError, sqlite3.Error, OSError):  # a full disk, a folder taken away: the next round may do
            log.exception("could not clean up the data folder")

"""One download on its way: each file linked or fetched, then everything put in its place."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path

from webui.downloads.download import Download, Problem
from webui.downloads.existing import ExistingFiles
from webui.downloads.files import RemoteFile
from webui.downloads.placing import Placing, remove
from webui.downloads.space import Space
from webui.downloads.stopping import Stop, Stopped
from webui.downloads.transfer import STAGING_SUFFIX, Transfer
from webui.downloads.web import Login
from webui.errors import DarkroomError, DiskFull
from webui.storage.files import make_folder

Logins = Callable[[RemoteFile], Login | None]  # raises SourceUnreachable for a source that is not to be asked
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Running:
    """`save` keeps the download's state on the disk."""

    download: Download
    stop: Stop
    models_dir: Path
    transfer: Transfer
    existing: ExistingFiles
    space: Space
    logins: Logins
    save: Callable[[Download], None]

    def run(self) -> Problem | None:
        """Why it failed; None when it has finished, or was stopped.

        1. what is here already; 2. every other file; 3. every item in its place; 4. nothing else left.
        """
        try:
            make_folder(self.transfer.folder)
            self._borrow()
            for file in self.download.plan.files:
                self._bring(file)
            self._place()
            self.sweep(set())
        except Stopped:
            return None
        except DiskFull:
            return Problem.of(self.space.shortage(self._bytes_left()))
        except DarkroomError as error:
            return Problem.of(error)
        except Exception:  # noqa: BLE001  (a bug in one download must not end all others)
            log_id = secrets.token_hex(4)
            _log.exception("the download of %s failed (%s)", self.download.plan.name, log_id)
            return Problem("internal", {"log_id": log_id})
        return None

    def undo(self, kept: Set[str]) -> None:
        """Takes away what it put among the models, but for the places that other downloads have, too."""
        for number, place in self.download.places.items():
            if number not in self.download.borrowed and place not in kept:
                remove(self.models_dir, place)

    def _borrow(self) -> None:
        """Finds the items that are here already, from another download."""
        for number, item in enumerate(self.download.plan.items):
            if not self._is_placed(number) and (place := self._placing().found(item)) is not None:
                self.download.places[number] = place
                self.download.borrowed.add(number)
        self.save(self.download)

    def _bring(self, file: RemoteFile) -> None:
        self.stop.check()
        whole = self.transfer.whole(file)
        if file.key in self._placed_keys():
            self.download.done.add(file.key)
            self.download.linked.add(file.key)
            return
        if not whole.exists():
            if self.existing.link(file, whole, self.stop):
                self.download.linked.add(file.key)
                self.transfer.part(file).unlink(missing_ok=True)
            else:
                self.space.check(file.size_bytes - self.transfer.bytes_here(file))
                self.transfer.fetch(file, self.logins(file), self.stop, self._report)
        self.download.done.add(file.key)

    def _placed_keys(self) -> Set[str]:
        """Files of which every item is in its place already."""
        items = enumerate(self.download.plan.items)
        open_keys = {p.file.key for i, item in items if not self._is_placed(i) for p in item.files}
        return {file.key for file in self.download.plan.files} - open_keys

    def _is_placed(self, number: int) -> bool:
        place = self.download.places.get(number)
        return place is not None and (self.models_dir / place).exists()

    def _place(self) -> None:
        placing = self._placing()
        for number, item in enumerate(self.download.plan.items):
            self.stop.check()
            if self._is_placed(number):
                continue

            def chosen(place: str, number: int = number) -> None:
                self.download.places[number] = place
                self.save(self.download)

            try:
                placed = placing.place(item, chosen)
            except DarkroomError:
                if not self._is_placed(number):
                    self.download.places.pop(number, None)  # what lies there later is not ours
                raise
            for file, path in placed.items():
                self.existing.remember(file, path)

    def _placing(self) -> Placing:
        staging = self.transfer.folder / f"{self.download.id}{STAGING_SUFFIX}"
        open_items = (item for i, item in enumerate(self.download.plan.items) if not self._is_placed(i))
        files = (planned.file for item in open_items for planned in item.files)
        return Placing(self.models_dir, staging, self.transfer.whole, files)

    def sweep(self, needed: Set[str]) -> None:
        """Removes its parts, but for those that other downloads need, by key."""
        self._placing().sweep()
        for file in self.download.plan.files:
            if file.key not in needed:
                self.transfer.whole(file).unlink(missing_ok=True)
                self.transfer.part(file).unlink(missing_ok=True)

    def _bytes_left(self) -> int:
        missing = (file for file in self.download.plan.files if file.key not in self.download.done)
        return sum(file.size_bytes - self.transfer.bytes_here(file) for file in missing)

    def _report(self, error: DarkroomError | None) -> None:
        self.download.problem = None if error is None else Problem.of(error)

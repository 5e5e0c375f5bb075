"""All downloads: one runs, the others wait in the order in which they were asked for, and a restart goes on.

Everything that is asked for is checked before it waits: that it is there, that we may have it, that it fits.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from webui.downloads.download import UNENDED, Download, DownloadFiles, Problem, State
from webui.downloads.existing import BOOK_NAME, Cached, ExistingFiles
from webui.downloads.pace import Pace
from webui.downloads.plan import Plan
from webui.downloads.running import Logins, Running
from webui.downloads.sources import Asked, Sources
from webui.downloads.space import Space
from webui.downloads.stopping import Stop
from webui.downloads.transfer import Transfer
from webui.downloads.views import DownloadView, view_of
from webui.downloads.web import Web
from webui.downloads.wish import forget_wish
from webui.errors import DarkroomError, DownloadEnded, DownloadNotFound
from webui.storage.files import make_folder

HIDDEN = ".downloads"  # below models/: on the same volume, and no catalogue looks inside
_LEAVING_SECONDS = 30.0
_NICENESS = 10
_log = logging.getLogger(__name__)


class Downloads:
    """Works from `start` to `close`. Thread-safe."""

    def __init__(
        self, *, models_dir: Path, data_dir: Path, sources: Sources, web: Web, pace: Pace, space: Space, logins: Logins,
        cached: Cached,
    ) -> None:  # fmt: skip
        self._models_dir = models_dir
        self._data_dir = data_dir
        self._sources = sources
        self.pace = pace
        self._space = space
        self._files = DownloadFiles(data_dir / "downloads")
        self._transfer = Transfer(models_dir / HIDDEN, web, pace)
        self._existing = ExistingFiles(models_dir, self._files.folder / BOOK_NAME, cached)
        self._logins = logins
        self._changed = threading.Condition()
        self._known: dict[str, Download] = {}
        self._current: tuple[Download, Stop] | None = None
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="downloads", daemon=True)

    def start(self) -> None:
        """Goes on with what the last run left."""
        for download in self._files.load():
            if download.is_listed or self._is_there(download):
                self._known[download.id] = download
            else:
                self._files.forget(download.id)
        files = {file.key for download in self._known.values() for file in download.plan.files}
        self._transfer.sweep(files | self._known.keys())
        self._thread.start()

    def close(self) -> None:
        """Stops what runs; it goes on at the next start."""
        with self._changed:
            self._is_closing = True
            if self._current is not None:
                self._current[1].set()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def plan(self, asked: Asked) -> tuple[Plan, int, bool]:
        """What a download would bring, how many bytes of it would be fetched, and whether they fit. Raises as `ask`,
        but never for want of room."""
        plan = self._sources.plan(asked)
        make_folder(self._transfer.folder)
        needed = self._bytes_to_fetch(plan)
        with self._changed:
            fits = needed + self._bytes_awaited() + self._space.spare_bytes() <= self._space.free_bytes()
        return plan, needed, fits

    def ask(self, asked: Asked, check: Callable[[], object] | None = None) -> DownloadView:
        """Puts a download at the end of the line. The same one, where it is in the line or was finished already.

        `check` is called when the source has answered, while nobody can cancel anything; where it raises, nothing has
        happened. Raises InvalidRequest, OfferNotFound, RepositoryNotFound, RepositoryGated, RevisionNotFound,
        NothingToDownload, AddressRefused, SourceUnreachable, SourceBusy, SourceLogin, DiskSpaceShort,
        FolderNotWritable.
        """
        plan = self._sources.plan(asked)
        make_folder(self._transfer.folder)
        needed = self._bytes_to_fetch(plan)
        with self._changed:
            if check is not None:
                check()
            if (same := self._same(plan)) is not None:
                self._list(same, True)
                return self._view(same)
            self._space.check(needed + self._bytes_awaited())
            download = Download(plan=plan)
            self._files.save(download)
            if (refused := self._refused(plan.source)) is not None:
                self._forget(refused)
            self._known[download.id] = download
            self._changed.notify_all()
            return self._view(download)

    def refuse(
        self, asked: Asked, name: str, error: DarkroomError, check: Callable[[], object] | None = None
    ) -> DownloadView:
        """Lists what could not even be asked for, as one that has failed: for what somebody wished at the first start,
        who is not there to be told. It stands there once, with the latest error, until the same is asked for again;
        once it has gone, the wish has too. `check` as in `ask`."""
        with self._changed:
            if check is not None:
                check()
            download = self._refused(asked.as_json())
            if download is None:
                plan = Plan(name=name, source=asked.as_json(), items=())
                download = Download(plan=plan, state=State.FAILED)
                self._known[download.id] = download
            self._fail(download, error)
            return self._view(download)

    def _fail(self, download: Download, error: DarkroomError) -> None:
        download.error = Problem.of(error)
        self._save_or_say(download)

    def list(self, *, with_unlisted: bool = False) -> tuple[DownloadView, ...]:
        """Oldest first; perhaps also what has come and was taken off the list."""
        with self._changed:
            known = self._known.values()
            return tuple(self._view(download) for download in known if download.is_listed or with_unlisted)

    def counts(self) -> Mapping[str, int]:
        """How many have neither finished nor been cancelled, by state. Answers at once."""
        states = [str(download.state) for download in tuple(self._known.values())]
        return Counter(state for state in states if state not in (State.FINISHED, State.CANCELLED))

    def get(self, id: str) -> DownloadView:
        """Raises DownloadNotFound."""
        with self._changed:
            return self._view(self._find(id))

    def pause(self, id: str) -> DownloadView:
        """As often as one likes. Raises DownloadNotFound, DownloadEnded."""
        with self._changed:
            download = self._find(id)
            if download.state not in UNENDED:
                raise DownloadEnded(name=download.plan.name)
            self._leave(download, State.PAUSED)
            return self._view(download)

    def resume(self, id: str) -> DownloadView:
        """As often as one likes; one that failed goes on where it ended, and what was refused is asked for again, under
        another id. Raises DownloadNotFound, DownloadEnded, and then what `ask` does."""
        with self._changed:
            download = self._find(id)
            if _is_refused(download):
                asked = Asked.from_json(download.plan.source)
            else:
                return self._resume(download)
        try:
            return self.ask(asked, partial(self.get, id))
        except DarkroomError as error:
            with self._changed:
                if id in self._known:  # or somebody has taken it off the list meanwhile
                    self._fail(download, error)
            raise

    def _resume(self, download: Download) -> DownloadView:
        if download.state in (State.FINISHED, State.CANCELLED):
            raise DownloadEnded(name=download.plan.name)
        if download.state in (State.PAUSED, State.FAILED):
            download.state, download.error = State.WAITING, None
            self._files.save(download)
            self._changed.notify_all()
        return self._view(download)

    def cancel(self, id: str) -> None:
        """Nothing of it stays. One that has ended is only taken off the list. Raises DownloadNotFound."""
        with self._changed:
            download = self._find(id)
            if download.state is State.FINISHED:
                self._list(download, False)
                return
            if download.state is State.CANCELLED or _is_refused(download):
                self._forget(download)
                return
            self._leave(download, State.CANCELLED)
            self._files.forget(id)
            self._changed.wait_for(lambda: self._current is None or self._current[0] is not download, _LEAVING_SECONDS)
            others = [other for other in self._known.values() if other is not download]
            kept = {place for other in others for place in other.places.values()}
        running = self._running(download, Stop())
        running.undo(kept)
        with self._changed:  # so that nobody asks for the same file meanwhile
            others = [other for other in self._known.values() if other.state in (*UNENDED, State.FAILED)]
            running.sweep({file.key for other in others for file in other.plan.files})

    def _leave(self, download: Download, state: State) -> None:
        """Stops it first, as its state may find no room on the disk. Raises DiskFull, FolderNotWritable."""
        download.state, download.problem = state, None
        if self._current is not None and self._current[0] is download:
            self._current[1].set()
        self._changed.notify_all()
        if state is not State.CANCELLED:
            self._files.save(download)

    def _find(self, id: str) -> Download:
        if (download := self._known.get(id)) is None:
            raise DownloadNotFound(download=id[:100])
        return download

    def _same(self, plan: Plan) -> Download | None:
        """One that brings exactly this, and has not failed; or has brought it, and it is still there."""
        for download in self._known.values():
            if download.plan.items != plan.items:
                continue
            if download.state in UNENDED:
                return download
            if download.state is State.FINISHED and self._is_there(download):
                return download
        return None

    def _is_there(self, download: Download) -> bool:
        """Whether everything that it brought still is."""
        places = download.places.values()
        return len(places) == len(download.plan.items) and all((self._models_dir / place).exists() for place in places)

    def _refused(self, source: dict[str, Any]) -> Download | None:
        known = self._known.values()
        return next((one for one in known if _is_refused(one) and one.plan.source == source), None)

    def _forget(self, download: Download) -> None:
        """With a refusal goes the wish that it answered."""
        if _is_refused(download):
            forget_wish(self._data_dir)
        self._files.forget(download.id)
        del self._known[download.id]

    def _list(self, download: Download, is_listed: bool) -> None:
        if download.is_listed is not is_listed:
            download.is_listed = is_listed
            self._save_or_say(download)

    def _bytes_to_fetch(self, plan: Plan) -> int:
        missing = (file for file in plan.files if not self._existing.is_likely(file))
        return sum(file.size_bytes - self._transfer.bytes_here(file) for file in missing)

    def _bytes_awaited(self) -> int:
        unended = [download for download in self._known.values() if download.state in UNENDED]
        files = {
            file.key: file for download in unended for file in download.plan.files if file.key not in download.done
        }
        return sum(file.size_bytes - self._transfer.bytes_here(file) for file in files.values())

    def _view(self, download: Download) -> DownloadView:
        waiting = [one for one in self._known.values() if one.state is State.WAITING]
        position = waiting.index(download) + 1 if download.state is State.WAITING else 0
        speed = self.pace.speed() if download.state is State.RUNNING else None
        return view_of(download, position, speed, self._transfer.bytes_here)

    def _running(self, download: Download, stop: Stop) -> Running:
        return Running(
            download=download, stop=stop, models_dir=self._models_dir, transfer=self._transfer,
            existing=self._existing, space=self._space, logins=self._logins, save=self._save,
        )  # fmt: skip

    def _save(self, download: Download) -> None:
        with self._changed:
            if download.state is not State.CANCELLED:
                self._files.save(download)

    def _save_or_say(self, download: Download) -> None:
        """Where it cannot be saved, the next start finds everything in its place and ends it again."""
        try:
            self._files.save(download)
        except DarkroomError as error:
            _log.warning("cannot save the state of the download of %s: %s", download.plan.name, error)

    def _work(self) -> None:
        _give_way()
        while (taken := self._take()) is not None:
            download, stop = taken
            self.pace.restart()
            failure = self._running(download, stop).run()
            with self._changed:
                self._current = None
                if download.state is State.RUNNING and not self._is_closing:
                    download.state = State.FINISHED if failure is None else State.FAILED
                    download.error, download.problem = failure, None
                    download.finished = time.time() if failure is None else None
                    self._save_or_say(download)
                self._changed.notify_all()

    def _take(self) -> tuple[Download, Stop] | None:
        """The next that waits; None when it is time to go."""
        with self._changed:
            while not self._is_closing:
                found = next((one for one in self._known.values() if one.state is State.WAITING), None)
                if found is not None:
                    found.state = State.RUNNING
                    self._current = found, Stop()
                    return self._current
                self._changed.wait()
        return None


def _is_refused(download: Download) -> bool:
    """Whether it could not even be asked for: it is there to be told of."""
    return download.state is State.FAILED and not download.plan.items


def _give_way() -> None:
    """Pictures go first: this thread and those that it starts have a lower priority, where threads have their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)

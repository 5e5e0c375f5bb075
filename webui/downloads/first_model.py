"""The model for photographs that somebody asked for while the packages came: the one that is quick on this machine.

It is asked for once the worker stands, since a machine that is busy measures wrongly, and again where the Hub does not
answer. Until then the wish stays on the disk; the next start goes on with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from webui.downloads.machine import SelfMeasurement
from webui.downloads.setup import Shop
from webui.downloads.sources import Asked
from webui.downloads.wish import forget_wish, read_wish
from webui.errors import DarkroomError, SourceBusy, SourceUnreachable

LOOKS_SECONDS = 1.0  # between two looks at whether the worker stands
WAITS_SECONDS = (60.0, 300.0, 1800.0)  # before the Hub is asked again
_LEAVING_SECONDS = 2.0
_log = logging.getLogger(__name__)


class FirstModel:
    """Works from `start` to `close`, and does nothing where nothing is wished."""

    def __init__(self, data_dir: Path, shop: Shop, measurement: SelfMeasurement, is_ready: Callable[[], bool]) -> None:
        self._data_dir = data_dir
        self._shop = shop
        self._measurement = measurement
        self._is_ready = is_ready
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="first-model", daemon=True)

    def start(self) -> None:
        """Returns at once. An answer of *no* has done its work."""
        wanted = read_wish(self._data_dir)
        if wanted:
            self._thread.start()
        elif wanted is not None:
            forget_wish(self._data_dir)

    def close(self) -> None:
        """The measurement must be closed first. A Hub that does not answer keeps nobody from leaving."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_LEAVING_SECONDS)

    def _work(self) -> None:
        while not self._is_ready():
            if self._closing.wait(LOOKS_SECONDS):
                return
        for seconds in (0.0, *WAITS_SECONDS):
            if self._closing.wait(seconds):
                return
            try:
                if self._ask():
                    return
            except (SourceUnreachable, SourceBusy) as error:
                _log.info("the model that was asked for at the first start cannot be had now: %s", error)
            except DarkroomError as error:
                _log.warning("the model that was asked for at the first start cannot be had: %s", error)
                forget_wish(self._data_dir)
                return
        _log.warning("the model that was asked for at the first start could not be had; the next start tries again")

    def _ask(self) -> bool:
        """Whether nothing is left to do. Raises what `Downloads.ask` does."""
        machine = self._measurement.wait()
        if machine is None:
            return False
        quick = [id for id, cards in self._shop.offers.recommended(machine).items() if "quick" in cards]
        if quick:
            self._shop.downloads.ask(Asked(offer=quick[0]))
        else:
            _log.warning("no model for photographs is quick on this machine, so none is downloaded")
        forget_wish(self._data_dir)
        return True

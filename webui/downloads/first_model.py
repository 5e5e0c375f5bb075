"""The model for photographs that somebody asked for while the packages came: the one that is quick on this machine.

It is asked for once the worker stands, since a machine that is busy measures wrongly, and again where the Hub does not
answer. Until then the wish stays on the disk; the next start goes on with it. Whatever keeps the model away stands
among the downloads, as one that has failed; whoever takes that off the list takes the wish back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from webui.downloads.bundles import Bundle
from webui.downloads.machine import Machine, SelfMeasurement
from webui.downloads.offers import Offers
from webui.downloads.setup import Shop
from webui.downloads.sources import Asked
from webui.downloads.wish import forget_wish, read_wish
from webui.errors import DarkroomError, NoModelChosen, SourceBusy, SourceUnreachable

LOOKS_SECONDS = 1.0  # between two looks at whether the worker stands
WAITS_SECONDS = (60.0, 300.0, 1800.0)  # before the Hub is asked again
_LEAVING_SECONDS = 2.0
_log = logging.getLogger(__name__)


class _TakenOff(Exception):
    """It is not wished any more."""


class FirstModel:
    """Works from `start` to `close`, and does nothing where nothing is wished."""

    def __init__(self, data_dir: Path, shop: Shop, measurement: SelfMeasurement, is_ready: Callable[[], bool]) -> None:
        self._data_dir = data_dir
        self._shop = shop
        self._measurement = measurement
        self._is_ready = is_ready
        self._closing = threading.Event()
        self.thread = threading.Thread(target=self._work, name="first-model", daemon=True)

    def start(self) -> None:
        """Returns at once. An answer of *no* has done its work."""
        wanted = read_wish(self._data_dir)
        if wanted:
            self.thread.start()
        elif wanted is not None:
            forget_wish(self._data_dir)

    def leave(self) -> None:
        """No more is begun."""
        self._closing.set()

    def close(self) -> None:
        """The measurement must be closed between `leave` and this. A Hub that does not answer keeps nobody from
        leaving."""
        self.leave()
        if self.thread.is_alive():
            self.thread.join(_LEAVING_SECONDS)

    def _work(self) -> None:
        while not self._is_ready():
            if self._closing.wait(LOOKS_SECONDS):
                return
        for seconds in (0.0, *WAITS_SECONDS):
            if self._closing.wait(seconds) or not read_wish(self._data_dir) or self._ask():
                return
        _log.warning("the model that was asked for at the first start could not be had; the next start tries again")

    def _check_wanted(self) -> None:
        """Raises _TakenOff where somebody has taken what was refused off the list since, or asked for it again."""
        if not read_wish(self._data_dir):
            raise _TakenOff

    def _ask(self) -> bool:
        """Whether nothing is left to do. What goes wrong stands among the downloads: nobody waits for this answer."""
        if not self._shop.offers.first:
            _log.warning("no model is named for the first start")
            forget_wish(self._data_dir)
            return True
        machine = self._measurement.wait()
        if self._closing.is_set():
            return True
        bundle, unfit = _chosen(self._shop.offers, machine)
        asked = Asked(offer=bundle.id)
        try:
            if unfit is not None:
                raise unfit
            self._shop.downloads.ask(asked, self._check_wanted)
        except _TakenOff:
            return True
        except DarkroomError as error:
            _log.warning("the model that was asked for at the first start cannot be had: %s", error)
            with suppress(_TakenOff):
                self._shop.downloads.refuse(asked, bundle.name, error, self._check_wanted)
            if machine is None or isinstance(error, (SourceUnreachable, SourceBusy)):
                return False
        forget_wish(self._data_dir)
        return True


def _chosen(offers: Offers, machine: Machine | None) -> tuple[Bundle, NoModelChosen | None]:
    """The one that is quickest here, of those that the question named; and why it should not come unasked."""
    if machine is None:
        return offers.first[0], NoModelChosen(reason="unmeasured_here")
    estimates = offers.estimates(machine)
    fitting = [bundle for bundle in offers.first if estimates[bundle.id].fits]
    if not fitting:
        smallest = min(offers.first, key=lambda bundle: estimates[bundle.id].memory_bytes)
        return smallest, NoModelChosen(reason="too_large_here", model=smallest.name)
    quickest = min(fitting, key=lambda bundle: estimates[bundle.id].seconds)
    found = estimates[quickest.id]
    slow = NoModelChosen(reason="slow_here", model=quickest.name, seconds=round(found.seconds))
    return quickest, slow if found.is_slow else None

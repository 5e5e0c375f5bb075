"""Why something in the models folder is not a checkpoint, before anybody has named it or asked for it.

`reason` is a code; the catalogues of sentences have `reason.<code>`. `catalogue.py` turns a refusal into the domain
error that a job gets.
"""

from __future__ import annotations

from webui.errors import Detail


class Refusal(Exception):
    """Raised by what reads headers and folders. `details` fill the blanks in the reason's sentence."""

    def __init__(self, reason: str, **details: Detail) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


class Broken(Refusal):
    """Damaged, truncated, or not what its name says."""


class Pickled(Refusal):
    """Its weights are pickled."""


class Unfinished(Refusal):
    """Whatever was to find out was stopped. It says nothing about the file; another time may have another result."""


class Unrecognised(Refusal):
    """Intact, but not a checkpoint of a family that we know."""

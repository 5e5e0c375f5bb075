"""What can keep the program from starting, as data. `words.py` has the sentences. Standard library only."""

from __future__ import annotations


class LaunchError(Exception):
    """The program cannot start, and a person can do something about it.

    `kind` names the sentence in `words.py`; `details` fill its blanks.
    """

    def __init__(self, kind: str, **details: str | int) -> None:
        super().__init__(kind, details)
        self.kind = kind
        self.details = details

"""Lines on the console: ordinary ones, and one that is overwritten while something goes on. Standard library only."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from webui.launch import words
from webui.launch.progress import Progress

_SECONDS_BETWEEN_LINES = 10.0  # where nothing can be written over: a file, a log
_SECONDS_BETWEEN_UPDATES = 0.2
_WIDTH = 96


class Console:
    """Writes to `stream`, in the language of the person who started the program."""

    def __init__(self, stream: TextIO | None = None, language: words.Language | None = None) -> None:
        self._stream = stream or sys.stderr
        self.language = language or words.console_language()
        self._is_terminal = self._stream.isatty()
        self._last_update = -_SECONDS_BETWEEN_LINES
        self._last_text = ""
        self._was_fetching = False

    def say(self, text: str) -> None:
        """Writes one line."""
        self._clear()
        self._write(text + "\n")

    def line(self, name: str, **values: str | int) -> None:
        """Writes a line from `words.py`."""
        self.say(words.line(name, self.language, **values))

    def show(self, progress: Progress) -> None:
        """Shows the progress of the installation: overwrites the last such line on a terminal, writes now and then
        elsewhere.
        """
        pause = _SECONDS_BETWEEN_UPDATES if self._is_terminal else _SECONDS_BETWEEN_LINES
        if bool(progress.file) != self._was_fetching:
            pause, self._was_fetching = 0.0, bool(progress.file)  # unpacking begins: pip then says nothing for long
        text = describe(progress, self.language)
        if time.monotonic() - self._last_update < pause or text == self._last_text:
            return
        self._last_update = time.monotonic()
        self._clear()
        self._last_text = text
        self._write(text[:_WIDTH] if self._is_terminal else text + "\n")

    def _clear(self) -> None:
        if self._is_terminal and self._last_text:
            self._write("\r" + " " * _WIDTH + "\r")
            self._last_text = ""

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "ascii"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


def describe(progress: Progress, language: words.Language) -> str:
    """One line: what is being downloaded, how far, how fast, and how long it will take."""
    if progress.stage == "preparing":
        return words.line("preparing", language)
    percent = round(100 * progress.fraction)
    if not progress.file:
        return words.line("unpacking", language, percent=percent)
    parts = [words.line("fetching", language, file=progress.file.split("-")[0], percent=percent)]
    if progress.bytes_per_second > 0:
        parts.append(words.line("speed", language, speed=f"{progress.bytes_per_second / 1e6:.1f}"))
    if progress.seconds_left is not None and progress.seconds_left >= 90:
        parts.append(words.line("left", language, minutes=round(progress.seconds_left / 60)))
    elif progress.seconds_left is not None:
        parts.append(words.line("left_seconds", language, seconds=round(progress.seconds_left)))
    return " · ".join(parts)

"""What a job hands to the engine together with its request.

Knows no jobs, no HTTP, no files: the context is four callables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webui.events import EngineEvent


@dataclass(frozen=True)
class Context:
    """The engine's side of one running job.

    - `on_event` receives `Loading` and `Step` events in order, possibly from another thread than the engine's.
    - `check` raises `Cancelled` once the job has been stopped. It is cheap (well below 1 µs) and thread-safe.
    - `watched` says whether anybody is looking at the job right now.
    - `read_picture` gives the bytes of the PNG for a reference `sha256:…`: RGB or RGBA, upright.
    """

    on_event: Callable[[EngineEvent], None]
    check: Callable[[], None]
    watched: Callable[[], bool]
    read_picture: Callable[[str], bytes]

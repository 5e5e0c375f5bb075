"""What happens to a job, as small frozen dataclasses, dispatched with `match`.

The engine emits `Loading` and `Step`; the life cycle (`Queued`, `Started`, `Finished`, `Failed`, `Cancelled`) belongs
to the job. Knows no torch, no HTTP.
"""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass, field
from typing import Any

from webui.errors import Detail


@dataclass(frozen=True, kw_only=True)
class Queued:
    """Waiting. `position` counts from 1 among all waiting jobs; `eta_seconds` is the time until it starts, None if
    unknown.
    """

    position: int
    eta_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Started:
    """The worker has taken it."""


@dataclass(frozen=True, kw_only=True)
class Loading:
    """A checkpoint is being loaded onto the device; `fraction` in [0, 1]."""

    checkpoint: str
    fraction: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step is done. Every step is an event; only `preview` may be missing.

    `index` counts from 1 to `total`, the number of steps that really run for `image` (from 0) in `phase` (`encode`,
    `denoise`, `decode`, `optimise`, …). `preview` is a small JPEG of the denoised estimate. `seconds` is what this step
    took; `loss` is that of an optimisation.
    """

    index: int
    total: int
    phase: str
    image: int = 0
    preview: bytes | None = field(default=None, repr=False)
    seconds: float = 0.0
    loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class PictureInfo:
    """A saved picture, as a job lists it. `id` is opaque. `image`: which of the job's images it is (from 0), even after
    others were deleted.

    With `keep_best`: `score`, how well it fits the prompt (a cosine, in [-1, 1]; comparable only within one prompt and
    one critic); its `rank`, from 1 for the best; `critic`, the model that judged it (a path below the models folder);
    and whether it is `kept`. Otherwise None, and kept.
    """

    id: str
    seed: int
    width: int
    height: int
    image: int = 0
    score: float | None = None
    rank: int | None = None
    critic: str | None = None
    kept: bool = True


@dataclass(frozen=True, kw_only=True)
class Finished:
    """All pictures are saved. `seconds` since `Started`."""

    images: tuple[PictureInfo, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The job failed, with the `kind` and `details` of the error; the doors word them. `log_id` finds the traceback."""

    kind: str
    details: dict[str, Detail] = field(default_factory=dict)
    log_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """The person stopped it."""


EngineEvent = Loading | Step
Event = Queued | Started | Loading | Step | Finished | Failed | Cancelled
LAST_EVENTS = (Finished, Failed, Cancelled)

_BY_NAME: dict[str, type[Any]] = {
    c.__name__.lower(): c for c in (Queued, Started, Loading, Step, Finished, Failed, Cancelled)
}


def event_name(event: Event) -> str:
    """The event's name on the wire: `queued`, `started`, …"""
    return type(event).__name__.lower()


def to_dict(event: Event) -> dict[str, Any]:
    """The event's fields as JSON; a preview becomes a `data:` URI."""
    values = dataclasses.asdict(event)
    if isinstance(event, Step) and event.loss is None:
        del values["loss"]
    if isinstance(event, Step) and event.preview is not None:
        values["preview"] = "data:image/jpeg;base64," + base64.b64encode(event.preview).decode()
    return values


def from_dict(name: str, values: dict[str, Any]) -> Event:
    """What `event_name` and `to_dict` wrote, without its preview. Raises KeyError for an unknown name."""
    values = dict(values)
    if name == "step":
        values["preview"] = None
    if name == "finished":
        # Earlier versions did not number them, and wrote all of them in their order.
        values["images"] = tuple(PictureInfo(**{"image": at} | image) for at, image in enumerate(values["images"]))
    event: Event = _BY_NAME[name](**values)
    return event

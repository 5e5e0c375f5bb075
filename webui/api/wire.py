"""Jobs, pictures and events as the API shows them: plain JSON, errors in words, pictures with a relative address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from webui import events, requests
from webui.capabilities import Capability
from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.jobs.job import Job, UnreadableJob
from webui.jobs.submitting import Submitted
from webui.requests import to_dict
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import can_branch
from webui.storage.boards import Board
from webui.storage.pictures import Picture
from webui.texts import Language, Texts

GALLERY_THUMBNAIL_PIXELS = 256  # twice the width of a tile on the rail: sharp on screens with two pixels a dot


def picture_url(picture_id: str) -> str:
    """The address of a picture; relative to the host, so that it also works behind a tunnel."""
    return f"/api/images/{picture_id}"


def picture_json(info: events.PictureInfo) -> dict[str, Any]:
    """One picture of a job."""
    return {
        "id": info.id,
        "url": picture_url(info.id),
        "seed": info.seed,
        "width": info.width,
        "height": info.height,
        "image": info.image,
        "score": info.score,
        "rank": info.rank,
        "critic": info.critic,
        "kept": info.kept,
    }


def thumbnail_url(picture_id: str) -> str:
    """The address of a tile's thumbnail."""
    return f"{picture_url(picture_id)}?size={GALLERY_THUMBNAIL_PIXELS}"


def gallery_json(picture: Picture, boards: Sequence[str] = ()) -> dict[str, Any]:
    """One picture of the gallery, with the request that makes it again and the boards that it is on."""
    return {
        **picture_json(picture.info),
        "thumbnail_url": thumbnail_url(picture.id),
        "job": picture.job_id,
        "request": picture.request,
        "created": picture.created,
        "starred": picture.starred,
        "boards": list(boards),
    }


def board_json(board: Board) -> dict[str, Any]:
    """One board."""
    cover_url = thumbnail_url(board.cover) if board.cover else None
    return {"id": board.id, "name": board.name, "count": board.count, "cover_url": cover_url, "created": board.created}


def pictures_json(images: Iterable[events.PictureInfo]) -> list[dict[str, Any]]:
    """All pictures of a job, in its order."""
    return [picture_json(info) for info in images]


def failure_json(failed: events.Failed, texts: Texts, language: Language) -> dict[str, Any]:
    """What went wrong, in words. `log_id` finds the traceback, if there is one."""
    message, hint = texts.word(failed.kind, {**failed.details, "log_id": failed.log_id}, language)
    return {"kind": failed.kind, "message": message, "hint": hint, "log_id": failed.log_id or None}


def event_json(event: events.Event, texts: Texts, language: Language) -> dict[str, Any]:
    """The fields of an event, as they are sent."""
    match event:
        case events.Finished():
            return {"images": pictures_json(event.images), "seconds": event.seconds}
        case events.Failed():
            return failure_json(event, texts, language)
        case _:
            return events.to_dict(event)


def submitted_json(submitted: Submitted, **more: Any) -> dict[str, Any]:
    """A job that was just submitted; `more` has fields of the particular call."""
    request = None if isinstance(submitted.job, UnreadableJob) else to_dict(submitted.request)
    return {"id": submitted.job.id, "position": submitted.position, "request": request, **more}


def job_json(
    job: Job | UnreadableJob, checkpoints: Iterable[Checkpoint], texts: Texts, language: Language
) -> dict[str, Any]:
    """A job as `GET /api/jobs/{id}` shows it: its settled request, its pictures, its error in words.

    `checkpoints` are those that exist now.
    """
    if isinstance(job, UnreadableJob):
        return {
            "id": job.id,
            "state": str(job.state),
            "request": None,
            "images": [],
            "error": failure_json(job.error, texts, language),
            "timings": {},
            "created": job.created,
            "steps_kept": [],
            "can_branch": False,
        }
    return {
        "id": job.id,
        "state": str(job.state),
        "request": requests.to_dict(job.request),
        "images": pictures_json(job.images),
        "error": None if job.error is None else failure_json(job.error, texts, language),
        "timings": job.timings,
        "created": job.created,
        "steps_kept": list(job.steps_kept),
        "can_branch": can_branch(job.request, _capabilities(job.request, checkpoints)),
    }


def _capabilities(request: requests.Request, checkpoints: Iterable[Checkpoint]) -> frozenset[Capability]:
    """What the family of the request's checkpoint can do; nothing if the checkpoint is gone."""
    if isinstance(request, StyleTransfer):
        return frozenset()
    found = next((one for one in checkpoints if one.id == request.checkpoint), None)
    return frozenset() if found is None else FAMILIES[found.family].capabilities

"""The HTTP door's own refusals, and the HTTP status of each domain error.

An answer that refuses is always `{"error": {"kind", "message", "hint"}}`, in the caller's language; only a body that
does not fit its schema is answered in FastAPI's own form (`webui/api/error_handlers.py`).
"""

from __future__ import annotations

import json
import math

from starlette.responses import Response

from webui.errors import DarkroomError
from webui.texts import Language, Texts


class LoginNeeded(DarkroomError):
    """Nobody is logged in. Details: none."""

    kind = "login_needed"


class LoginWrong(DarkroomError):
    """User and password do not belong together. Details: none."""

    kind = "login_wrong"


class TooManyAttempts(DarkroomError):
    """Too many wrong passwords came from this address, so it has to wait. Details: `retry_after_seconds`."""

    kind = "too_many_attempts"


class ForeignOrigin(DarkroomError):
    """A page of another site made the browser send this. Details: none."""

    kind = "foreign_origin"


class ForeignHost(DarkroomError):
    """The call used a name that is not ours: DNS rebinding, or a forged header. Details: `host`, `port`."""

    kind = "foreign_host"


class Forbidden(DarkroomError):
    """A route of Gradio's that the page does not need. Details: none."""

    kind = "forbidden"


class OperatorOnly(DarkroomError):
    """Only the operator may do this. Details: none."""

    kind = "operator_only"


class NotFound(DarkroomError):
    """No such address. Details: none."""

    kind = "not_found"


class MethodNotAllowed(DarkroomError):
    """The address exists, but not for this method. Details: `method`, `allow` (the methods it accepts, with commas)."""

    kind = "method_not_allowed"


class BodyTooLarge(DarkroomError):
    """More bytes than the address accepts. Details: `limit_megabytes`."""

    kind = "body_too_large"


class BodyTooSlow(DarkroomError):
    """The body trickles in. Details: none."""

    kind = "body_too_slow"


class MediaTypeRefused(DarkroomError):
    """The body is of a type that the address does not accept. Details: none."""

    kind = "media_type"


class Busy(DarkroomError):
    """Too many of these calls are running at the moment. Details: `retry_after_seconds`."""

    kind = "busy"


class Internal(DarkroomError):
    """A bug. Details: `log_id`, under which the log has the traceback."""

    kind = "internal"


STATUS: dict[str, int] = {
    "login_needed": 401,
    "login_wrong": 401,
    "foreign_origin": 403,
    "foreign_host": 403,
    "forbidden": 403,
    "operator_only": 403,
    "not_found": 404,
    "checkpoint_not_found": 404,
    "model_not_found": 404,
    "picture_not_found": 404,
    "board_not_found": 404,
    "job_not_found": 404,
    "strip_gone": 404,
    "download_not_found": 404,
    "offer_not_found": 404,
    "repository_not_found": 404,
    "revision_not_found": 404,
    "method_not_allowed": 405,
    "body_too_slow": 408,
    "no_checkpoint": 409,
    "download_ended": 409,
    "repository_gated": 409,
    "nothing_to_download": 409,
    "file_refused": 409,
    "address_refused": 409,
    "source_login": 409,
    "download_damaged": 409,
    "disk_space_short": 409,
    "checkpoint_broken": 409,
    "folder_gone": 409,
    "checkpoint_pickled": 409,
    "family_unknown": 409,
    "model_converting": 409,
    "model_unusable": 409,
    "model_in_use": 409,
    "model_read_only": 409,
    "model_exists": 409,
    "task_unsupported": 409,
    "tokenizer_missing": 409,
    "critic_missing": 409,
    "critic_broken": 409,
    "key_reused": 409,
    "job_unreadable": 409,
    "private_over": 409,
    "board_exists": 409,
    "body_too_large": 413,
    "too_many_pictures": 413,
    "bundle_too_large": 413,
    "image_too_large": 413,
    "not_an_image": 415,
    "media_type": 415,
    "too_many_attempts": 429,
    "uploads_full": 429,
    "too_many_boards": 429,
    "too_many_jobs": 429,
    "queue_full": 503,
    "busy": 503,
    "folder_not_writable": 503,
    "disk_full": 503,
    "source_unreachable": 503,
    "source_busy": 503,
    "private_memory_full": 503,
    "database_locked": 503,
}
_RETRY_AFTER_SECONDS = 60  # for a 503 or 429 that does not say itself when to come back: somebody has to act first


def status_of(error: DarkroomError) -> int:
    """The HTTP status of an error; 500 for one that should never have reached the door."""
    return STATUS.get(error.kind, 500)


def refuse(error: DarkroomError, texts: Texts, language: Language) -> Response:
    """The answer for an error, with `Retry-After` or `Allow` if the status needs it."""
    status = status_of(error)
    headers = {"Content-Language": language, "Cache-Control": "no-store"}
    if status in (429, 503):
        seconds = error.details.get("retry_after_seconds", _RETRY_AFTER_SECONDS)
        headers["Retry-After"] = str(max(1, math.ceil(float(seconds))))
    if status in (408, 413):
        headers["Connection"] = "close"  # what is still to come is thrown away
    if status == 405:
        headers["Allow"] = str(error.details.get("allow", ""))
    return json_response({"error": refuse_json(error, texts, language)}, status, headers)


def refuse_json(error: DarkroomError, texts: Texts, language: Language) -> dict[str, str]:
    """An error's kind and sentences."""
    message, hint = texts.word(error.kind, error.details, language)
    return {"kind": error.kind, "message": message, "hint": hint}


def json_response(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON in plain ASCII, so that anything a caller sent, even lone surrogates, can be sent back."""
    body = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
    return Response(body, status, headers, media_type="application/json")

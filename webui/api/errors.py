"""Errors on their way out of a route: domain errors worded, schema errors as FastAPI's `detail`.

What is neither is a bug: it rises to the guard, which logs it and answers `internal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from webui.api import refusals
from webui.errors import DarkroomError, InvalidRequest, PromptError
from webui.texts import Language, Texts, language_of

_MAX_SHOWN_ERRORS = 50  # a request has half as many fields
_MAX_SHOWN_CHARACTERS = 200  # a key that a stranger chose is shown back to them, but not megabytes of it


def install_error_handlers(app: FastAPI, texts: Texts) -> None:
    """Gives every error of our routes one of the two shapes that `api.md` knows."""

    @app.exception_handler(DarkroomError)
    async def on_domain_error(request: Request, error: DarkroomError) -> Response:
        return answer(error, texts, language_of(request.headers.get("accept-language")))

    @app.exception_handler(RequestValidationError)
    async def on_schema_error(request: Request, error: RequestValidationError) -> Response:
        return refusals.json_response({"detail": [_shown(item) for item in error.errors()[:_MAX_SHOWN_ERRORS]]}, 422)

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, DarkroomError):  # from reading the body: it was too long
            return answer(error.__cause__, texts, language_of(request.headers.get("accept-language")))
        if error.status_code == 400:  # FastAPI's word for a body too deep, a number too long, a broken form
            return refusals.json_response({"detail": [_item("invalid_body", ["body"], "this cannot be read")]}, 422)
        language = language_of(request.headers.get("accept-language"))
        return refusals.refuse(_from_http(error, request.method), texts, language)


def answer(error: DarkroomError, texts: Texts, language: Language) -> Response:
    """The answer for a domain error: 422 with its field where one value is wrong, `{"error": …}` otherwise."""
    match error:
        case InvalidRequest():
            message, _ = texts.word(error.kind, error.details, language)
            field = str(error.details.get("field", ""))
            return refusals.json_response({"detail": [_item(error.kind, ["body", field], message)]}, 422)
        case PromptError():
            message, _ = texts.word(error.kind, error.details, language)
            field = str(error.details.get("field", "prompt"))
            return refusals.json_response({"detail": [_item(error.kind, ["body", field], message)]}, 422)
        case _:
            return refusals.refuse(error, texts, language)


def _item(kind: str, loc: list[str | int], message: str) -> dict[str, Any]:
    return {"type": kind, "loc": loc, "msg": message}


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """One of pydantic's errors without the input itself, which may be megabytes, NaN or somebody's picture."""
    loc = [part if isinstance(part, int) else str(part)[:_MAX_SHOWN_CHARACTERS] for part in item["loc"]]
    return _item(str(item["type"]), loc, str(item["msg"])[:_MAX_SHOWN_CHARACTERS])


def _from_http(error: HTTPException, method: str) -> DarkroomError:
    """Starlette's own refusals, as errors of ours."""
    match error.status_code:
        case 401:
            return refusals.LoginNeeded()
        case 404:
            return refusals.NotFound()
        case 405:
            return refusals.MethodNotAllowed(method=method[:20], allow=(error.headers or {}).get("Allow", ""))
        case 413:
            return refusals.BodyTooLarge(limit_megabytes=64)
        case 415:
            return refusals.MediaTypeRefused()
        case _:
            return refusals.Forbidden()

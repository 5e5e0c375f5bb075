"""Turns errors into answers: domain errors get their sentences, schema errors become FastAPI's `detail` in pydantic's
words, except for fields of a newer version.

Anything else is a bug: it reaches the guard, which logs it and answers `internal`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from webui.api import http_errors
from webui.errors import DarkroomError, Detail, InvalidRequest, PromptError
from webui.requests import REQUESTS
from webui.requests.field_types import SCHEMA_VERSION
from webui.texts import Language, Texts, language_of

_MAX_SHOWN_ERRORS = 50  # a request has half as many fields
_MAX_SHOWN_CHARACTERS = 200  # a key that a stranger chose is shown back to them, but not megabytes of it
_MAX_NAMED_FIELDS = 8  # in one sentence
_MAX_NAME_CHARACTERS = 60
_UNKNOWN_FIELD = ("unexpected_keyword_argument", "extra_forbidden")  # pydantic's types, of dataclasses and of models


def install_error_handlers(app: FastAPI, texts: Texts) -> None:
    """Gives every error of our routes one of two shapes: `{"error": …}`, or FastAPI's `detail`."""

    @app.exception_handler(DarkroomError)
    async def on_domain_error(request: Request, error: DarkroomError) -> Response:
        return answer(error, texts, language_of(request.headers.get("accept-language")))

    @app.exception_handler(RequestValidationError)
    async def on_schema_error(request: Request, error: RequestValidationError) -> Response:
        language = language_of(request.headers.get("accept-language"))
        return http_errors.json_response({"detail": _detail(error.errors(), texts, language)}, 422)

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, DarkroomError):  # from reading the body: it was too long
            return answer(error.__cause__, texts, language_of(request.headers.get("accept-language")))
        if error.status_code == 400:  # FastAPI's word for a body too deep, a number too long, a broken form
            return http_errors.json_response({"detail": [_item("invalid_body", ["body"], "this cannot be read")]}, 422)
        language = language_of(request.headers.get("accept-language"))
        return http_errors.refuse(_from_http(error, request.method), texts, language)


def answer(error: DarkroomError, texts: Texts, language: Language) -> Response:
    """The answer for a domain error: 422 with its field if a single value is wrong, `{"error": …}` otherwise."""
    match error:
        case InvalidRequest():
            message, _ = texts.word(error.kind, error.details, language)
            field = str(error.details.get("field", ""))
            ctx = {"reason": texts.reason(error.details, language)}
            return http_errors.json_response({"detail": [_item(error.kind, ["body", field], message, ctx)]}, 422)
        case PromptError():
            message, _ = texts.word(error.kind, error.details, language)
            field = str(error.details.get("field", "prompt"))
            return http_errors.json_response({"detail": [_item(error.kind, ["body", field], message)]}, 422)
        case _:
            return http_errors.refuse(error, texts, language)


def _item(kind: str, loc: list[str | int], message: str, ctx: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": kind, "loc": loc, "msg": message} | ({"ctx": dict(ctx)} if ctx else {})


def _detail(items: Sequence[Mapping[str, Any]], texts: Texts, language: Language) -> list[dict[str, Any]]:
    """Pydantic's errors; everything that a request of another version brings along is reported in one sentence."""
    unknown = [_name(item) for item in items if item["type"] in _UNKNOWN_FIELD]
    named = texts.text("request.comma", language).join(f"“{name}”" for name in unknown[:_MAX_NAMED_FIELDS])
    if (more := len(unknown) - _MAX_NAMED_FIELDS) > 0:
        named = texts.text("request.more_fields", language, {"fields": named, "count": more})
    key = "request.unknown_field" if len(unknown) == 1 else "request.unknown_fields"
    fields = texts.text(key, language, {"fields": named})

    def message(item: Mapping[str, Any]) -> str:
        if item["type"] in _UNKNOWN_FIELD:
            return fields
        if _is_newer(item):
            details: dict[str, Detail] = {"found": str(item["input"])[:_MAX_NAME_CHARACTERS], "known": SCHEMA_VERSION}
            newer = texts.text("request.newer", language, details)
            return newer if not unknown else newer + (fields if language == "zh-CN" else f" {fields}")
        return str(item["msg"])[:_MAX_SHOWN_CHARACTERS]

    return [_item(str(item["type"]), _loc(item), message(item), _bounds(item)) for item in items[:_MAX_SHOWN_ERRORS]]


def _bounds(item: Mapping[str, Any]) -> dict[str, float]:
    """The bounds that a value violates, by pydantic's names for them: `ge`, `max_length`, …"""
    return {name: value for name, value in item.get("ctx", {}).items() if isinstance(value, int | float)}


def _loc(item: Mapping[str, Any]) -> list[str | int]:
    return [part if isinstance(part, int) else str(part)[:_MAX_SHOWN_CHARACTERS] for part in item["loc"]]


def _name(item: Mapping[str, Any]) -> str:
    """A field by its path in the body, such as `walk_to.seed`, without the tasks by which pydantic tells requests
    apart.
    """
    way = ".".join(str(part)[:_MAX_NAME_CHARACTERS] for part in item["loc"][1:] if part not in REQUESTS)
    return way[-_MAX_NAME_CHARACTERS:]


def _is_newer(item: Mapping[str, Any]) -> bool:
    """Whether the error concerns the version of a request that a later version of the program wrote."""
    version = item.get("input")
    return item["loc"][-1:] == ("schema_version",) and type(version) is int and version > SCHEMA_VERSION


def _from_http(error: HTTPException, method: str) -> DarkroomError:
    """Starlette's own refusals as errors of ours."""
    match error.status_code:
        case 401:
            return http_errors.LoginNeeded()
        case 404:
            return http_errors.NotFound()
        case 405:
            return http_errors.MethodNotAllowed(method=method[:20], allow=(error.headers or {}).get("Allow", ""))
        case 413:
            return http_errors.BodyTooLarge(limit_megabytes=64)
        case 415:
            return http_errors.MediaTypeRefused()
        case _:
            return http_errors.Forbidden()

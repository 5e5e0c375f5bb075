"""From the controls' values to a job: builds the request, submits it, and answers with a receipt for the stage.

The only words made here are those about a control's value; all other errors are worded by `webui.texts`.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from pydantic import TypeAdapter, ValidationError

from webui.errors import DarkroomError
from webui.jobs.queue import JobQueue
from webui.jobs.submitting import Submissions
from webui.requests import REQUESTS, Request, from_dict, to_dict
from webui.requests.fields import field_limits, picture_fields
from webui.rules.branches import FREE, branched
from webui.storage.owners import Owner
from webui.texts import Language, Texts
from webui.ui.controls import WITHOUT_CONTROL
from webui.ui.language import Words
from webui.ui.style_transfer import JSON_FIELDS

_LOG = logging.getLogger(__name__)

Receipt = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A step of a job's image, as the page names it."""

    job: str
    image: int
    step: int


_PLACE = TypeAdapter(_Place)


def request_from(task: str, values: Mapping[str, Any]) -> Request:
    """The request for `task` from the controls' values by name; what does not belong to the task is left out.

    Raises pydantic's ValidationError for a value out of bounds, KeyError for an unknown task.
    """
    fields = REQUESTS[task].__dataclass_fields__
    wanted = {name: _read(name, values[name]) for name in fields if name in values and values[name] not in (None, "")}
    return from_dict({"task": task, **wanted})


def controlled_fields(task: str) -> frozenset[str]:
    """Names of the task's fields that a control fills."""
    return frozenset(REQUESTS[task].__dataclass_fields__) - WITHOUT_CONTROL.keys()


def field_defaults() -> dict[str, Any]:
    """What the tasks' fields are where nobody says anything, by name; those without a default are left out."""
    fields = [field for request in REQUESTS.values() for field in request.__dataclass_fields__.values()]
    return {field.name: _plain_default(field) for field in fields if _plain_default(field) is not None}


def _plain_default(field: Any) -> Any:
    """The default as JSON has it, or None."""
    default = getattr(field.default, "default", field.default)  # pydantic's Field keeps its own
    return default if isinstance(default, bool | int | float | str) else None


def _read(name: str, value: Any) -> Any:
    """A control's value as the field takes it; what is no JSON where it should be, the request refuses."""
    if name not in JSON_FIELDS or not isinstance(value, str):
        return _whole(value)
    try:
        return json.loads(value)
    except ValueError:
        return value


def _whole(value: Any) -> Any:
    """JavaScript has one kind of number; 20.0 from it is the integer 20."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Submitter:
    """Turns what the page sends into jobs. Answers within milliseconds: the queue only writes the job down."""

    def __init__(self, queue: JobQueue, submissions: Submissions, texts: Texts, words: Words) -> None:
        self._queue = queue
        self._submissions = submissions
        self._texts = texts
        self._words = words

    async def submit(
        self,
        owner: Owner,
        language: Language,
        task: str,
        values: Mapping[str, Any],
        branch: str = "",
        is_meant_private: bool = False,
    ) -> Receipt:
        """A receipt `{"id", "job", "request"}` or `{"id", "error": {kind, message, hint, …}}`; `id` is always new.

        `branch`: where the request branches off, `{"job", "image", "step"}` as JSON; empty where it does not.
        `is_meant_private`: the page believes to be in private mode; where it is not, nothing is submitted.
        """
        receipt: Receipt = {"id": secrets.token_hex(6)}
        try:
            request = request_from(task, values)
            if branch:
                request = await to_thread.run_sync(self._branched, owner, request, branch)
            submitted = await self._submissions.submit(owner, request, is_meant_private=is_meant_private)
        except ValidationError as error:
            return receipt | {"error": self._word_invalid(error, task, language)}
        except DarkroomError as error:
            return receipt | {"error": self._word(error, language)}
        except Exception:  # noqa: BLE001  (the door: a bug becomes a sentence here and a traceback in the log)
            log_id = secrets.token_hex(4)
            _LOG.error("submitting failed, log id %s", log_id, exc_info=not owner.is_private)  # prompts in it, perhaps
            message, hint = self._texts.word("internal", {"log_id": log_id}, language)
            error_json = {"kind": "internal", "message": message, "hint": hint, "log_id": log_id}
            return receipt | {"error": error_json}
        return receipt | {"job": submitted.job.id, "request": to_dict(submitted.request)}

    def _branched(self, owner: Owner, asked: Request, branch: str) -> Request:
        """What the controls say of what a branch can choose, and all else as its origin has it. Raises JobNotFound and
        InvalidRequest, pydantic's ValidationError for a branch that nobody's page would send."""
        place = _PLACE.validate_json(branch)
        names = FREE & controlled_fields(asked.task)
        changes = {name: getattr(asked, name) for name in names - {"variation_seed", "variation_strength"}}
        origin = self._queue.get(owner, place.job).request
        return branched(origin, place.image, place.step, changes | {"seed": changes.get("seed")})

    def _word(self, error: DarkroomError, language: Language) -> dict[str, str]:
        """An error of the domain; one that is about a control calls it by its label, and leads to it."""
        field = error.details.get("field")
        if not isinstance(field, str):
            message, hint = self._texts.word(error.kind, error.details, language)
            return {"kind": error.kind, "message": message, "hint": hint}
        label = self._words.by_language[language].get(field, field)
        message, hint = self._texts.word(error.kind, {**error.details, "field": label}, language)
        return {"kind": error.kind, "message": message, "hint": hint, "field": field}

    def _word_invalid(self, error: ValidationError, task: str, language: Language) -> dict[str, str]:
        """The first complaint as one sentence that names the control."""
        first = error.errors(include_url=False)[0]
        field = next((str(part) for part in reversed(first["loc"]) if part in controlled_fields(task)), "")
        words = self._words.by_language[language]
        label = words.get(field, field)
        if field in picture_fields(REQUESTS[task]):
            message = words["invalid_picture"].format(field=label)
        elif first["type"] == "string_too_long":
            message = words["invalid_long"].format(field=label, limit=first["ctx"]["max_length"])
        else:
            try:
                limits = field_limits(REQUESTS[task], field)
            except KeyError:
                message = words["invalid_value"].format(field=label)
            else:
                bounds = {
                    "minimum": f"{limits.minimum:g}",
                    "maximum": f"{limits.maximum:.12g}",
                    "step": f"{limits.step:g}",
                }
                message = words["invalid_number"].format(field=label, **bounds)
        return {"kind": "invalid_request", "message": message, "hint": "", "field": field}

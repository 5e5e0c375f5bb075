"""`POST /api/prompt-check`: how many tokens a prompt has, and what in it will have no effect. For help while typing."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from webui.api.bodies.media_types import JsonRoute
from webui.api.schemas import ERRORS
from webui.api.services import Services, language_asked
from webui.prompts.check.check import PromptCheck, Question
from webui.prompts.check.report import Note, Report
from webui.prompts.chunks import CHUNK_TOKENS
from webui.requests.field_types import MAX_SEED, Prompt
from webui.texts import Language, Texts


class PromptQuestion(BaseModel):
    """Both prompts and the settings that matter to them; null means the checkpoint's default, as in a request."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    prompt: Prompt = ""
    negative_prompt: Prompt = ""
    prompt_dialect: Literal["a1111", "compel"] = "a1111"
    checkpoint: Annotated[str, Field(max_length=512)] | None = None
    guidance_scale: Annotated[float, Ge(0), Le(30)] | None = None
    steps: Annotated[int, Ge(1), Le(150)] | None = None
    seed: Annotated[int, Ge(-1), Le(MAX_SEED)] | None = None


class ChunkOut(BaseModel):
    """One pass of the text encoder; `start` is the index of the character at which it begins, null if unknown."""

    tokens: int
    start: int | None


class NoteOut(BaseModel):
    """One note: an `error` prevents the job from being submitted, a `warning` says what will have no effect, a `hint`
    is worth knowing. `start` and `end` are indices of characters in the prompt, null if the note is about all of it.
    """

    code: str
    level: Literal["error", "warning", "hint"]
    message: str
    start: int | None
    end: int | None


class ReportOut(BaseModel):
    """The result for one prompt. `tokens` is null if there is no tokenizer; `chunk_tokens` is how many fit into one
    chunk.
    """

    tokens: int | None
    chunk_tokens: int
    chunks: list[ChunkOut]
    notes: list[NoteOut]


class PromptCheckOut(BaseModel):
    """The results for both prompts."""

    prompt: ReportOut
    negative_prompt: ReportOut


def prompt_check_routes(services: Services, prompts: PromptCheck) -> APIRouter:
    """One route, which loads nothing but a tokenizer."""
    router = APIRouter(prefix="/api", tags=["generate"], responses=ERRORS, route_class=JsonRoute)

    @router.post("/prompt-check", response_model=PromptCheckOut)
    async def check_prompt(call: Request, question: PromptQuestion) -> Any:
        """Counts tokens and says what will have no effect, in the language of `Accept-Language`."""
        asked = Question(
            prompt=question.prompt,
            negative_prompt=question.negative_prompt,
            dialect=question.prompt_dialect,
            checkpoint=question.checkpoint,
            guidance_scale=question.guidance_scale,
            steps=question.steps,
            seed=max(0, question.seed or 0),
        )
        checked = await to_thread.run_sync(prompts.check, asked)
        language = language_asked(call)
        return {
            "prompt": _report_json(checked.prompt, services.texts, language),
            "negative_prompt": _report_json(checked.negative_prompt, services.texts, language),
        }

    return router


def _report_json(report: Report, texts: Texts, language: Language) -> dict[str, Any]:
    return {
        "tokens": report.tokens,
        "chunk_tokens": CHUNK_TOKENS,
        "chunks": [dataclasses.asdict(chunk) for chunk in report.chunks],
        "notes": [_note_json(note, texts, language) for note in report.notes],
    }


def _note_json(note: Note, texts: Texts, language: Language) -> dict[str, Any]:
    if note.code == "unreadable":
        message, _ = texts.word("prompt", note.details, language)
    else:
        message = texts.text(f"note.{note.code}", language, note.details)
    return {"code": note.code, "level": note.level, "message": message, "start": note.start, "end": note.end}

"""`/api/settings`: what the operator sets while the program runs. Tokens go in and never come out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from webui.api.bodies.media_types import JsonRoute
from webui.api.schemas import ERRORS
from webui.operator.declared import Effect, Kind
from webui.operator.operator_settings import OperatorSettings, Shown


class AboveOut(BaseModel):
    """What was said when the program was started."""

    kind: Literal["flag", "environment"]
    name: str


class SettingOut(BaseModel):
    """One setting. A token has no `value`; `is_set` says whether there is one."""

    kind: Kind
    value: list[str] | str | float | bool | None
    default: str | float | bool | None
    is_set: bool = Field(description="whether it was set, here or when the program was started")
    above: AboveOut | None = Field(
        description="what sets it when the program is started; then it cannot be changed here"
    )
    limits: dict[str, float] = Field(description="the range of a number, in the words of JSON schema")
    choices: list[str] = Field(description="the values that it can have, or the parts of a pattern for file names")
    given: list[str] = Field(description="folders that were named when the program was started")
    otherwise: str | None = Field(description="where a token comes from while none is set")
    mirror_with_token: str | None = Field(
        description="the host of a mirror that gets the Hub's token: one that the environment names together with it"
    )
    takes_effect: Effect
    needs_restart: bool = Field(
        description="false: what changes here counts from the next download, picture or page on"
    )


_EXAMPLE = {"mirror": "https://hf-mirror.com", "idle_minutes": 15, "hub_token": None}


def settings_routes(operator: OperatorSettings) -> APIRouter:
    """Two calls."""
    router = APIRouter(prefix="/api/settings", tags=["settings"], responses=ERRORS, route_class=JsonRoute)

    @router.get("", response_model=dict[str, SettingOut])
    async def look() -> Any:
        """Each setting with its value, its default, and what stands above it."""
        return await to_thread.run_sync(_json, operator)

    @router.patch("", response_model=dict[str, SettingOut])
    async def change(values: Annotated[dict[str, Any], Body(examples=[_EXAMPLE])]) -> Any:
        """Sets these, all or none of them; null takes one back. Refuses what a flag or an environment variable sets."""
        await to_thread.run_sync(operator.change, values)
        return await to_thread.run_sync(_json, operator)

    return router


def _json(operator: OperatorSettings) -> dict[str, Any]:
    return {shown.declared.name: _one(shown) for shown in operator.show()}


def _one(shown: Shown) -> dict[str, Any]:
    declared = shown.declared
    return {
        "kind": declared.kind,
        "value": shown.value,
        "default": None if declared.kind == "folders" else declared.default,
        "is_set": shown.is_set,
        "above": shown.above and {"kind": shown.above.kind, "name": shown.above.name},
        "limits": declared.limits,
        "choices": list(declared.choices),
        "given": list(shown.given),
        "otherwise": shown.otherwise,
        "mirror_with_token": shown.mirror_with_token,
        "takes_effect": declared.effect,
        "needs_restart": False,
    }

"""Who may call a route: anybody, everybody who has logged in, or only the operator, who runs the program.

Each route declares it, with its router (`declared`) or by itself (`open_to`), and the guard holds callers to it. A
route that declares nothing is the operator's. Where no login is needed, everybody is the operator; else the first user
is. The caller's address never decides: a tunnel's calls come from this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.routing import BaseRoute

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_MARK = "audience"


class Audience(StrEnum):
    """From the widest on."""

    ANYBODY = "anybody"
    PERSONS = "persons"
    OPERATOR = "operator"


def open_to(audience: Audience) -> Callable[[Endpoint], Endpoint]:
    """Declares it of one route; stands below the router's decorator."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, audience)
        return endpoint

    return mark


def declared(audience: Audience, *routers: APIRouter) -> tuple[APIRouter, ...]:
    """Declares it of all routes of these routers that do not say it themselves."""
    for router in routers:
        declare(audience, router.routes)
    return routers


def declare(audience: Audience, routes: Sequence[BaseRoute]) -> None:
    """Declares it of the routes that do not say it themselves."""
    for route in routes:
        if audience_of(route) is None:
            setattr(route, _MARK, audience)


def audience_of(route: BaseRoute) -> Audience | None:
    """What the route declares."""
    own: Audience | None = getattr(getattr(route, "endpoint", None), _MARK, None)
    return own or getattr(route, _MARK, None)


def is_operator(call: Request) -> bool:
    """Whether the guard found the operator in the caller; for routes that tell the operator more than others."""
    return bool(getattr(call.state, "is_operator", False))

"""Who may call what: every route declares it, and the guard holds callers to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from starlette.routing import Match

from tests.api.access.test_our_routes import routes_of
from tests.api.conftest import Server
from webui.api.access.audience import Audience, audience_of, declared, open_to
from webui.api.access.our_routes import OurRoutes

IN_ADDRESSES = "x"  # for every blank in them


def test_every_route_declares_whom_it_is_for(server: Server) -> None:
    routes = routes_of(server).routes
    assert len(routes) > 50
    assert [route for route in routes if audience_of(route) is None] == []


def test_only_what_needs_no_login_is_anybodys(server: Server) -> None:
    open_routes = {getattr(route, "path", "") for route in routes_of(server).routes if audience_of(route) == "anybody"}
    assert open_routes == {"/healthz", "/login", "/logout"}


def calls_of_the_operator(server: Server) -> Iterator[tuple[str, str]]:
    for route in routes_of(server).routes:
        if audience_of(route) is Audience.OPERATOR:
            path = "/".join(IN_ADDRESSES if "{" in part else part for part in getattr(route, "path", "").split("/"))
            yield from ((method, path) for method in getattr(route, "methods", ()))


def test_others_than_the_operator_are_told_so(guarded: Server) -> None:
    with guarded.client("ben") as ben, guarded.client() as nobody:
        for method, path in calls_of_the_operator(guarded):
            answer = ben.request(method, path)
            assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "operator_only"), (method, path)
            assert nobody.request(method, path).status_code == 401


@pytest.mark.parametrize(
    ("path", "audience"), [("/one", "operator"), ("/all", "persons"), ("/nobody-said", "operator")]
)
def test_a_route_that_says_nothing_is_the_operators(path: str, audience: str) -> None:
    router, silent = APIRouter(), APIRouter()
    router.get("/one")(open_to(Audience.OPERATOR)(lambda: None))
    router.get("/all")(lambda: None)
    silent.get("/nobody-said")(lambda: None)
    declared(Audience.PERSONS, router)
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    routes = OurRoutes([*router.routes, *silent.routes])
    assert [route.matches(scope)[0] for route in routes.routes].count(Match.FULL) == 1
    assert routes.audience(scope) == audience

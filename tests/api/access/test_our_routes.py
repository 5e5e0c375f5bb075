"""What is ours and how much of a body it takes follows from the routes, and every route says it."""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from tests.api.conftest import Server
from webui.api.access.guard import Guard
from webui.api.access.our_routes import OurRoutes
from webui.api.bodies.media_types import BodyRoute, JsonRoute
from webui.requests.diffusion import ImageToImage


def routes_of(server: Server) -> OurRoutes:
    """As the guard has them."""
    (guard,) = (one for one in server.app.user_middleware if one.cls is Guard)
    routes: OurRoutes = guard.kwargs["routes"]
    return routes


def scope(path: str, method: str = "GET") -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "headers": []}


def takes_body(route: BaseRoute) -> bool:
    """Whether the route declares a body, or a program may send it one; what only says that nobody serves it does not
    read any."""
    if not isinstance(route, APIRoute) or route.name == "unknown":
        return False
    said = route.body_field is not None or "requestBody" in (route.openapi_extra or {})
    return said or bool(route.methods & {"POST", "PUT", "PATCH"})


def test_every_route_that_takes_a_body_says_how_much(server: Server) -> None:
    takers = [route for route in routes_of(server).routes if takes_body(route)]
    assert len(takers) > 20
    assert [route for route in takers if not isinstance(route, BodyRoute)] == []


@pytest.mark.parametrize(
    ("path", "megabytes"),
    [
        ("/api/images", 64),
        ("/api/inspect", 64),
        ("/api/image-to-image", 64),
        ("/api/style-transfer", 64),
        ("/api/style-transfer/now", 64),
        ("/api/text-to-image", 64),  # by its type, what it branches off may hold one
        ("/api/jobs/x/branch", 2),
        ("/api/walk", 2),
        ("/login", 2),
        # neither is read
        ("/api/images/x", 1_000_000),
        ("/api/nothing", 1_000_000),
        ("/gradio_api/run/predict", 2),
    ],
)
def test_a_body_may_be_as_large_as_its_route_says(server: Server, path: str, megabytes: int) -> None:
    assert routes_of(server).limit_megabytes(scope(path, "POST")) == megabytes


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/api/nothing", "/docs", "/docs/static/a.css", "/openapi.json",
                                  "/login", "/healthz", "/page/styles/x", "/page/examples/0"])  # fmt: skip
def test_what_we_serve_is_ours(server: Server, path: str) -> None:
    assert routes_of(server).answer(scope(path))


@pytest.mark.parametrize("path", ["/config", "/docs/x", "/page/x", "/page/styles/x/y", "/apis", "/gradio_api/info",
                                  "/theme.css", "/loginx", "/static/x", "/monitoring"])  # fmt: skip
def test_everything_else_is_not(server: Server, path: str) -> None:
    assert not routes_of(server).answer(scope(path))


def test_a_new_route_that_takes_pictures_takes_more() -> None:
    router = APIRouter(route_class=JsonRoute)

    @router.post("/deep")
    def deep(asked: list[ImageToImage]) -> None: ...

    @router.post("/plain")
    def plain(asked: list[str]) -> None: ...

    routes = OurRoutes(router.routes)
    assert [routes.limit_megabytes(scope(path, "POST")) for path in ("/deep", "/plain")] == [64, 2]

"""Which addresses our own routes answer, for whom, and how much of a body each takes: all read off the routes."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from webui.api.access.audience import Audience, audience_of
from webui.api.bodies.limits import OTHER_MEGABYTES
from webui.api.bodies.media_types import BodyRoute


class OurRoutes:
    """All that the app serves, except for Gradio's mount, which would answer at any address."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.routes = tuple(routes)

    def answer(self, scope: Scope) -> bool:
        """Whether one of the routes answers at this address, whatever the method."""
        return any(route.matches(scope)[0] is not Match.NONE for route in self.routes)

    def limit_megabytes(self, scope: Scope) -> int:
        """The largest body that the call may have, in megabytes; a small one if no route of ours says."""
        found = (route for route in self.routes if route.matches(scope)[0] is Match.FULL)
        return next((route.megabytes for route in found if isinstance(route, BodyRoute)), OTHER_MEGABYTES)

    def audience(self, scope: Scope) -> Audience:
        """Who may call it. What is not ours is the page's, and so everybody's who has logged in."""
        matches = [(route.matches(scope)[0], route) for route in self.routes]
        for wanted in (Match.FULL, Match.PARTIAL):  # partly: the address is right, the method is not
            for match, route in matches:
                if match is wanted:
                    return audience_of(route) or Audience.OPERATOR
        return Audience.PERSONS

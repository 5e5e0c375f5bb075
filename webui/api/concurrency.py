"""How many calls of a route may run at once: dependencies, declared where the route is; and work for a caller who may
leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, TypeVar

import anyio
from anyio import CancelScope, CapacityLimiter
from fastapi import Depends, Request

from webui.api.services import owner_of
from webui.errors import TooManyJobs
from webui.storage.owners import Owner

_RETRY_AFTER_SECONDS = 1
Answer = TypeVar("Answer")


def at_once(most: int) -> Any:
    """A dependency: at most `most` calls of all people at once; the others wait."""
    limiter = CapacityLimiter(most)

    async def take_turn() -> AsyncIterator[None]:
        async with limiter:
            yield

    return Depends(take_turn, scope="function")


def at_once_per_person(most: int) -> Any:
    """A dependency: at most `most` calls of one person at once; further ones are refused with TooManyJobs."""
    under_way: Counter[Owner] = Counter()

    async def take_place(owner: Annotated[Owner, Depends(owner_of)]) -> AsyncIterator[None]:
        if under_way[owner] >= most:
            raise TooManyJobs(waiting=under_way[owner], retry_after_seconds=_RETRY_AFTER_SECONDS)
        under_way[owner] += 1
        try:
            yield
        finally:
            under_way[owner] -= 1
            if not under_way[owner]:
                del under_way[owner]

    return Depends(take_place, scope="function")


async def unless_left(call: Request, work: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """What `work` returns. If the caller disconnects meanwhile, the work is cancelled and None is returned. Raises
    whatever `work` raises.
    """
    answer: Answer | None = None
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_cancel_when_left, call, group.cancel_scope)
            answer = await work()
            group.cancel_scope.cancel()
    except ExceptionGroup as group_of_one:
        raise group_of_one.exceptions[0] from None
    return answer


async def _cancel_when_left(call: Request, scope: CancelScope) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()

"""An app behind the program's own protocol class, in a thread of the test's own process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from webui.api.access.connections import IdleLimitedProtocol


@contextmanager
def listening(app: ASGIApp) -> Iterator[int]:
    """The port at which `app` answers for as long as this is open."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=IdleLimitedProtocol, lifespan="off", log_config=None, timeout_keep_alive=30)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()

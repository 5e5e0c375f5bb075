"""Serves the app: reads the settings from flags, takes the port, builds everything, and runs until it is told to stop.

Needs the packages, unlike most of the launcher. Knows the app's one door, `webui.app.build`, how its connections end,
and nothing behind it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from typing import Any

import uvicorn
from pydantic import ValidationError
from pydantic_settings import CliApp, CliSettingsSource

from webui.api.access.connections import IdleLimitedProtocol
from webui.errors import DarkroomError
from webui.launch.address import Address, take
from webui.launch.browser import has_screen
from webui.launch.console import Console
from webui.launch.launch_error import LaunchError
from webui.settings import Settings
from webui.share.link import Share, settings_with_login
from webui.texts import Texts

_GRACE_SECONDS = 3  # for open event streams, which only end when their job does; the queue gets its own time after
_QUIET_LOGGERS = ("httpx", "httpcore", "multipart", "python_multipart", "PIL", "asyncio")


def serve(arguments: list[str], console: Console) -> int:
    """Runs until SIGINT or SIGTERM, then returns exit code 0. Raises LaunchError if it cannot start."""
    settings = read_settings(arguments)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut_stream)
    logging.getLogger("uvicorn.access").addFilter(without_query)
    with take(Address(settings.host, settings.port)) as taken:
        address = Address(settings.host, taken.getsockname()[1])
        settings, made_up_login = settings_with_login(settings.model_copy(update={"port": address.port}))
        server = _Server(_build(settings, console), settings, lambda: _greet(settings, address, made_up_login, console))
        # uvicorn raises the signal again when it is done, to end as others expect; an ordinary end is meant here.
        signal.signal(signal.SIGTERM, lambda number, frame: None)
        signal.signal(signal.SIGINT, lambda number, frame: None)
        try:
            server.run(sockets=[taken])
        except OSError as error:  # two that bound the port at once: the second cannot listen
            raise LaunchError("port_in_use", host=address.host, port=address.port, free=address.port + 1) from error
    return 0 if server.started else 1


def _is_no_cut_stream(record: logging.LogRecord) -> bool:
    """False for uvicorn's messages about event streams still open when the program ends: they are meant to be cut."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError) and not record.getMessage().startswith("Cancel ")


def without_query(record: logging.LogRecord) -> bool:
    """Always true; removes the query from the line about a call, since what somebody searched for is private."""
    if isinstance(record.args, tuple):
        record.args = tuple(part.partition("?")[0] if isinstance(part, str) else part for part in record.args)
    return True


def read_settings(arguments: list[str]) -> Settings:
    """The settings of this run. Ends the program for `--help` and for unknown flags, as command lines do.

    Raises LaunchError for an invalid value.
    """
    try:
        source: CliSettingsSource[Any] = CliSettingsSource(Settings, cli_prog_name="python launch.py")
        return CliApp.run(Settings, cli_args=arguments, cli_settings_source=source)
    except ValidationError as error:
        first = error.errors()[0]
        flag = "--" + "-".join(str(part) for part in first["loc"][:1]).replace("_", "-")
        raise LaunchError("flags", reason=f"{flag}: {first['msg'].removeprefix('Value error, ')}") from error


def _build(settings: Settings, console: Console) -> Any:
    # Late, because it imports Gradio, which takes two seconds: --help and a port in use answer before.
    from webui import app

    texts = Texts()

    def announce(share: Share) -> None:
        if share.url:
            console.line("shared", address=share.url)
        elif share.error is not None:
            console.say(" ".join(texts.word(share.error.kind, share.error.details, console.language)))

    try:
        return app.build(settings, announce=announce)
    except DarkroomError as error:
        message, hint = texts.word(error.kind, error.details, console.language)
        raise LaunchError("app", message=message, hint=hint) from error


class _Server(uvicorn.Server):
    """Calls `on_started` as soon as the page answers."""

    def __init__(self, app: Any, settings: Settings, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=IdleLimitedProtocol,
                log_config=None,
                log_level=settings.log_level,
                access_log=settings.log_level == "debug",
                timeout_graceful_shutdown=_GRACE_SECONDS,
                server_header=False,
                date_header=False,  # the page is a hundred answers
                proxy_headers=False,  # who called is for the guard to judge; uvicorn would put a header in its place
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_started()


def _greet(settings: Settings, address: Address, made_up_login: bool, console: Console) -> None:
    console.line("serving", address=address.url)
    if made_up_login:
        for line, (user, password) in zip(("login", "login_of_guests"), settings.logins.items(), strict=True):
            console.line(line, user=user, password=password)
    console.line("stop")
    if not settings.no_browser and has_screen():
        threading.Thread(target=webbrowser.open, args=(address.url,), daemon=True).start()

"""The headers of every answer: what browsers may do with it, and who may cache it for how long."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from webui.api.access import gradio_routes

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio's page is one inline script and builds functions
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_FILE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HEADERS = {
    **_FILE_HEADERS,
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # not `no-referrer`: with that, our own form would come with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_YEAR_SECONDS = 31_536_000
_DAY_SECONDS = 86_400


class Outgoing:
    """A `send` that adds our headers to every answer and removes Gradio's cross-origin ones."""

    def __init__(self, send: Send, path: str, *, is_public: bool) -> None:
        """`is_public`: there are no logins, so that a cache that several people share may keep scripts and styles."""
        self._send = send
        self._caching = _caching(path, is_public)
        # A page loads seventy scripts and styles: with them goes only what means something there.
        self._headers = _FILE_HEADERS if path.startswith(gradio_routes.LASTING) else _HEADERS
        self.has_started = False

    async def __call__(self, message: Message) -> None:
        """Sends a message; the start of an answer with our headers."""
        if message["type"] == "http.response.start":
            self.has_started = True
            kept = [pair for pair in message["headers"] if not pair[0].lower().startswith(b"access-control-")]
            headers = MutableHeaders(raw=kept)
            message["headers"] = headers.raw
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            if self._caching is not None:
                headers.setdefault("Cache-Control", self._caching if message["status"] < 400 else "no-store")
        await self._send(message)


def _caching(path: str, is_public: bool) -> str | None:
    """The Cache-Control of a successful answer that has none of its own.

    Personal data is never cached; the page may be kept if the browser asks for it again each time; scripts and styles
    are the same for everybody.
    """
    audience = "public" if is_public else "private"
    if path.startswith(("/api/", "/gradio_api/")):
        return "no-store"
    if path == "/":
        return "private, no-cache"
    if path.startswith(gradio_routes.LASTING):
        return f"{audience}, max-age={_YEAR_SECONDS}, immutable"
    if path.startswith("/static/") or path == "/favicon.ico":
        return f"{audience}, max-age={_DAY_SECONDS}"
    return None

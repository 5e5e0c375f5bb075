"""The page's HTML shell: Gradio's index with our script before Gradio's own, our name and language instead of Gradio's.

Gradio takes its language from the browser once, before any script of a page can run; so the choice made with EN/中 must
be in force earlier. A pure ASGI layer around Gradio's app that touches nothing but the HTML of the page itself.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOREIGN_META = re.compile(rb'\s*<meta\s+(?:property|name)="(?:og|twitter):[^>]*>')
# The keyboard of a phone makes the page shorter, so that what sticks to the bottom edge stays above it.
VIEWPORT = b"width=device-width, initial-scale=1, minimum-scale=1, interactive-widget=resizes-content"
_VIEWPORT = re.compile(rb'content="width=device-width[^"]*"')


class Shell:
    """Wraps `app`; `early` is JavaScript, `style` is CSS, both put first into the head."""

    def __init__(self, app: ASGIApp, *, early: str, style: str) -> None:
        self.app = app
        self._first = f"<style>{style}</style><script>{early}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything through, but for HTML, which is gathered and changed."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].rstrip("/") not in ("", "/index.html"):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def gather(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                if not _is_html(message):
                    await send(message)
                return
            if start is not None and not _is_html(start):
                await send(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False) and start is not None:
                page = self._dressed(bytes(body))
                headers = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(page)).encode())]})
                await send({"type": "http.response.body", "body": page})

        # Compressed HTML could not be changed; the layers outside of this one may compress it again.
        plain = [(k, v) for k, v in scope["headers"] if k.lower() != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, gather)

    def _dressed(self, page: bytes) -> bytes:
        page = _FOREIGN_META.sub(b"", page)
        page = _VIEWPORT.sub(
            b'content="width=device-width, initial-scale=1, minimum-scale=1, interactive-widget=resizes-content"', page
        )
        return page.replace(b"<head>", b"<head>" + self._first, 1)


def _is_html(start: Message) -> bool:
    return any(k.lower() == b"content-type" and v.startswith(b"text/html") for k, v in start["headers"])

"""What of Gradio's own routes the page needs; everything else of them is closed.

Gradio serves far more than a page: a proxy, a file server, uploads, a run history, deep links, monitoring. The list was
found by driving the page and noting what it asks for; a test in a real browser keeps it true.
"""

from __future__ import annotations

_PREFIX = "/gradio_api"
_EXACT = frozenset({"/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"})
_FOLDERS = ("/assets/", "/static/")  # the packaged scripts, styles and icons
_API_EXACT = frozenset(
    {
        f"{_PREFIX}/info",
        f"{_PREFIX}/queue/join",
        f"{_PREFIX}/queue/data",
        f"{_PREFIX}/startup-events",
        f"{_PREFIX}/theme.css",
    }
)
_API_FOLDERS = (f"{_PREFIX}/run/", f"{_PREFIX}/api/", f"{_PREFIX}/heartbeat/")
_OURS = frozenset({"/healthz", "/docs", "/openapi.json", "/login", "/logout"})
_OUR_FOLDERS = ("/api/", "/docs/", "/page/")


def is_ours(path: str) -> bool:
    """Whether our own routes answer there."""
    return path in _OURS or path.startswith(_OUR_FOLDERS)


def is_gradios(path: str) -> bool:
    """Whether the path lies below Gradio's own API."""
    return path == _PREFIX or path.startswith(f"{_PREFIX}/")


def is_needed(path: str) -> bool:
    """Whether the page needs this route of Gradio's."""
    if is_gradios(path):
        return path in _API_EXACT or path.startswith(_API_FOLDERS)
    return path in _EXACT or path.startswith(_FOLDERS)

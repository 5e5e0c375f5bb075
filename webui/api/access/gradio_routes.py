"""The routes of Gradio that the page needs; all others are closed.

Gradio serves far more than a page: a proxy, a file server, uploads, a run history, deep links, monitoring. The list was
found by using the page and noting its requests. None of the page's handlers uses Gradio's queue, so that is closed,
too.
"""

from __future__ import annotations

_PREFIX = "/gradio_api"
_EXACT = frozenset({"/theme.css", "/favicon.ico", f"{_PREFIX}/run/predict"})
_FOLDERS = ("/assets/", "/static/")  # the packaged scripts, styles and icons

# Named after their contents or, as Gradio's theme, asked for with a hash of them: the same for everybody and for good.
LASTING = ("/assets/", "/page/files/", "/theme.css")


def is_gradios(path: str) -> bool:
    """Whether the path belongs to Gradio's own API."""
    return path == _PREFIX or path.startswith(f"{_PREFIX}/")


def is_needed(path: str) -> bool:
    """Whether the page needs this route of Gradio's."""
    return path in _EXACT or path.startswith(_FOLDERS)

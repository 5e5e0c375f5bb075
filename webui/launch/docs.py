"""`python launch.py docs`: rewrites the tables of the manual from the declarations.

Like `serve.py` and `reindex.py`, and unlike the rest of the launcher, it needs the packages.
"""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import cast

from webui.api.http_errors import STATUS
from webui.app import build
from webui.docs.declared import Facts, table
from webui.docs.manual import FOLDER
from webui.docs.tables import Table, refreshed
from webui.errors import InvalidRequest, PromptError
from webui.launch.console import Console
from webui.launch.serve import read_settings
from webui.texts import Language, Texts

CHECK = "--check"  # writes nothing; the exit code is 1 where something would change
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The two that the API answers in FastAPI's form, and what a bug becomes.
_OTHER_STATUS = {InvalidRequest.kind: 422, PromptError.kind: 422, "internal": 500}


def docs(arguments: list[str], console: Console) -> int:
    """Writes the pages that change, and names them."""
    texts = Texts()
    facts = Facts(routes=_routes(), statuses=STATUS | _OTHER_STATUS)
    changed = 0
    for path in sorted(FOLDER.glob("*/*.md")):
        page = path.read_text(encoding="utf-8")
        language = cast(Language, path.parent.name)
        fresh = refreshed(page, partial(_table, language, facts, texts))
        if fresh != page:
            changed += 1
            console.line("docs_changed", page=str(path.relative_to(FOLDER.parent.parent)))
            if CHECK not in arguments:
                path.write_text(fresh, encoding="utf-8")
    console.line("docs_done", count=changed)
    return 1 if changed and CHECK in arguments else 0


def _table(language: Language, facts: Facts, texts: Texts, name: str) -> Table:
    return table(name, language, facts, texts)


def _routes() -> tuple[str, ...]:
    """All calls of the app, which is built for this and never served."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        paths = asyncio.run(_built(Path(folder)))
    return tuple(f"{method} {path}" for path, calls in paths.items() for method in _METHODS if method.lower() in calls)


async def _built(folder: Path) -> dict[str, dict[str, object]]:
    """The paths in the app's schema; inside an event loop, as Gradio would otherwise make one of its own and never
    close it.
    """
    paths: dict[str, dict[str, object]] = build(read_settings(["--data-dir", str(folder)])).openapi()["paths"]
    return paths

"""`/help`: the manual to read and to search, in the reader's language. Behind the login, like all that is not open.

A page's name is looked up in the list of pages and never becomes part of a path.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from webui.api.services import language_asked
from webui.docs.frame import CONTENT_SECURITY_POLICY, Frame
from webui.docs.manual import Manual
from webui.texts import LANGUAGES, Language, Texts


def help_routes(texts: Texts) -> APIRouter:
    """Contents and search at `/help`, and each page below it. `?lang=` goes before `Accept-Language`."""
    router = APIRouter(include_in_schema=False)
    manual = Manual()
    frame = Frame(manual, texts)

    @router.get("/help")
    def contents(call: Request, q: str = "", lang: str = "") -> Response:
        language = _language(call, lang)
        return _answer(frame.results(q, language) if q.strip() else frame.contents(language), language)

    @router.get("/help/{name:path}")
    def page(call: Request, name: str, lang: str = "") -> Response:
        language = _language(call, lang)
        found = manual.page(name, language)
        if found is None:
            return _answer(frame.unknown(language), language, status=404)
        return _answer(frame.page(found, language), language)

    return router


def _language(call: Request, asked: str) -> Language:
    return next((known for known in LANGUAGES if known == asked), language_asked(call))


def _answer(html: str, language: Language, status: int = 200) -> Response:
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Content-Language": language,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Language",
    }
    return HTMLResponse(html, status, headers)

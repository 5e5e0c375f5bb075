"""The Share dialog's data: the address that others can open, as text and as a QR code, or why there is none.

`webui.share.link` holds the state; this only puts it into words for the page.
"""

from __future__ import annotations

import io
from typing import Any

import segno

from webui.share.link import Share
from webui.texts import Language, Texts


def qr_code(address: str) -> str:
    """`address` as an inline SVG without a size of its own, near-black and transparent: the page puts white below."""
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", xmldecl=False, nl=False, border=2, omitsize=True, dark="#12100f", light=None
    )
    return out.getvalue().decode("utf-8")


def describe_share(share: Share, texts: Texts, language: Language) -> dict[str, Any]:
    """What the dialog shows, as JSON: `state`, `url`, `qr` (SVG), and `message` and `hint` if it failed."""
    described: dict[str, Any] = {"state": share.state, "url": share.url, "qr": "", "message": "", "hint": ""}
    if share.url:
        described["qr"] = qr_code(share.url)
    if share.error is not None:
        described["message"], described["hint"] = texts.word(share.error.kind, share.error.details, language)
    return described

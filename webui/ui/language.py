"""The page's words in English and Simplified Chinese: one catalogue for Gradio's labels and for our scripts.

A language is a file in `locales/`; a test checks that both have the same keys. `webui.texts` has the sentences for
errors.
"""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
from gradio.i18n import I18nData

LANGUAGES = ("en", "zh-CN")
_FOLDER = Path(__file__).parent / "locales"


class Words:
    """All strings of the page, by language and key."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self.by_language: dict[str, dict[str, str]] = {
            language: json.loads((folder / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES
        }
        self.catalogue = gr.I18n(**self.by_language)

    def __call__(self, key: str) -> I18nData:
        """The string `key`, in the form that Gradio translates in the browser. Raises KeyError if
        no language has it.
        """
        if key not in self.by_language["en"]:
            raise KeyError(key)
        return self.catalogue(key)

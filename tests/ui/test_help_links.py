"""Every group of controls has its passage in the manual, and every passage is there."""

from __future__ import annotations

import json

import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from webui.docs.manual import Manual
from webui.requests.field_controls import Group
from webui.texts import LANGUAGES, Language
from webui.ui import assets
from webui.ui.help_links import GROUPS, PARTS, help_data
from webui.ui.language import Words

PASSAGES = (*GROUPS.values(), *PARTS.values())


def test_every_group_has_a_passage() -> None:
    assert set(GROUPS) == set(Group)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_passage_is_in_the_manual(language: Language) -> None:
    manual = Manual()
    for passage in PASSAGES:
        page = manual.page(passage.page, language)
        assert page is not None, passage.page
        assert passage.anchor in {section.anchor for section in page.sections}, passage


def test_every_passage_has_a_name() -> None:
    assert {passage.name for passage in PASSAGES} <= Words().by_language["en"].keys()


def test_the_scripts_are_told(page: gr.Blocks) -> None:
    app = FastAPI()
    app.include_router(page.darkroom.files.routes())
    with TestClient(app) as client:
        data = client.get(page.darkroom.files.address(assets.GIVEN)).text
    assert f'"help": {json.dumps(help_data())}' in data
    assert help_data()["parts"]["share"] == {"page": "sharing", "anchor": "a-public-link", "name": "share"}

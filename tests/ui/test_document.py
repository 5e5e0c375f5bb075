"""The page's HTML and the files it loads: what is in them, in which order, how large, and what a change does."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import brotli
import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.ui.conftest import OneCheckpoint, checkpoint, page_of
from webui.settings import Settings
from webui.ui import controls
from webui.ui.assets import GIVEN, LATE_STYLES, MAIN, first_modules, modules, page_files
from webui.ui.gradio_frontend import frontend
from webui.ui.language import LANGUAGES, Words
from webui.ui.page import mount_page, routers_of
from webui.ui.page_files import PageFiles

HARMFUL = "</script><script>alert(1)</script><!--"
MOST_HTML_BYTES = 40_000  # compressed, as all below; goals of the page as a whole
MOST_OWN_BYTES = 120_000  # of all that comes first, each file by itself
MOST_SCRIPT_BYTES = 160_000  # with what comes when it is opened


def client_of(page: gr.Blocks) -> TestClient:
    async def mount() -> FastAPI:  # in a running loop, as Gradio leaves others behind
        app = FastAPI()
        for router in routers_of(page):
            app.include_router(router)
        return mount_page(app, page)

    return TestClient(asyncio.run(mount()))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    page = page_of(OneCheckpoint(checkpoint()), Settings(data_dir=tmp_path))
    with client_of(page) as client:
        yield client


class Tags(HTMLParser):
    """Every tag with its attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def config_in(html: str) -> dict[str, Any]:
    found = re.search(r"^window\.gradio_config = (.*);$", html, re.MULTILINE)
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config


def test_our_scripts_run_before_gradios(client: TestClient) -> None:
    html = client.get("/").text
    scripts = [attributes for tag, attributes in Tags(html).found if tag == "script"]
    early, main, gradio, config = scripts
    assert early.keys() == {"data-texts"}
    assert config == {}
    assert html.index("darkroom.language") < html.index("gradio_config")
    assert main["type"] == gradio["type"] == "module"
    assert str(main["src"]).rpartition("/")[2] == "main.js"
    assert str(gradio["src"]).startswith("./assets/")


def test_the_document_names_no_other_host(client: TestClient) -> None:
    answer = client.get("/")
    named = set(re.findall(r"https?://[^'\"\s)<\\]+", answer.text))
    assert named == {"http://www.w3.org/2000/svg"}  # the name of a language, in the icon
    assert "githubusercontent" not in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_every_module_of_the_page_itself_is_asked_for_at_once(client: TestClient) -> None:
    html = client.get("/").text
    links = [attributes for tag, attributes in Tags(html).found if tag == "link"]
    early = {str(one["href"]) for one in links if one["rel"] == "modulepreload"}
    folder = html[: html.index("/main.js")].rpartition('"')[2]
    assert {f"{folder}/{name}" for name in first_modules() - {MAIN, "texts/en.js"}} <= early
    assert all(client.get(address).status_code == 200 for address in early if address.startswith(folder))


def test_no_data_can_end_a_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(controls, "RATIOS", ("1:1", HARMFUL))
    with client_of(page_of(OneCheckpoint(checkpoint()), Settings(data_dir=tmp_path))) as client:
        html = client.get("/").text
    assert HARMFUL not in html
    assert HARMFUL in str(config_in(html))
    assert len([tag for tag, _ in Tags(html).found if tag == "script"]) == 4


def test_gradios_scripts_are_told_what_its_own_document_says(client: TestClient) -> None:
    ours = config_in(client.get("/").text)
    gradios = client.get("/config", params={"page": ""}).json()
    ours_alone = {"root": "", "i18n_translations": {}, "deep_link_state": "none"}
    assert ours == {**gradios, **ours_alone}


def test_the_words_of_each_language_are_a_script(client: TestClient) -> None:
    (early,) = [attrs["data-texts"] for tag, attrs in Tags(client.get("/").text).found if "data-texts" in attrs]
    addresses = json.loads(early)
    assert tuple(addresses) == LANGUAGES
    for language, words in client.get("/config").json()["i18n_translations"].items():
        first, late = (client.get(address).text for address in addresses[language])
        assert first.startswith("export const texts = ")
        assert late.startswith(f'import {{ texts }} from "../{language}.js";\nObject.assign(texts, ')
        found = json.loads(first[first.index("{") : first.rindex("};") + 1])
        assert found | json.loads(late[late.index("texts, ") + 7 : late.rindex(");")]) == words


def test_what_opens_seldom_comes_when_it_is_opened(client: TestClient) -> None:
    html = client.get("/").text
    (address,) = re.findall(r'href="([^"]+core/given\.js)"', html)
    given = client.get(address).text
    later = json.loads(given[given.index("{") : given.rindex("};") + 1])["later"]
    assert {"gallery/gallery.js", "paint/editor.js"} <= later.keys()
    for entry, names in later.items():
        assert entry in names
        assert not any(f"/{name}" in html for name in names if name != "texts/late/en.js")  # which is named there
        assert all(client.get(address.replace("core/given.js", name)).status_code == 200 for name in names)
    assert {name for names in later.values() for name in names} | first_modules() == {
        *modules(),
        GIVEN,
        "texts/en.js",
        "texts/late/en.js",
        *LATE_STYLES,
    }


def test_nothing_grows_too_large(client: TestClient) -> None:
    html = client.get("/").text
    addresses = re.findall(r'(?:src|href)="(/page/files/[^"]+)"', html)
    folder = addresses[0].rsplit("/", 1)[0]
    sizes = {
        name: len(brotli.compress(client.get(f"{folder}/{name}").content, quality=5))
        for name in ("page.css", GIVEN, "texts/en.js", "texts/zh-CN.js", *modules())
    }
    first = {"page.css", *first_modules()}
    assert {*addresses} == {f"{folder}/{name}" for name in first - {"texts/en.js"}}
    assert len(brotli.compress(html.encode(), quality=5)) <= MOST_HTML_BYTES
    assert sum(sizes[name] for name in modules()) <= MOST_SCRIPT_BYTES
    assert sum(sizes[name] for name in first) <= MOST_OWN_BYTES


def test_another_content_has_another_address() -> None:
    words = Words()
    one, same, other = (page_files(words, {"port": port}) for port in (1, 1, 2))
    assert one.address("main.js") == same.address("main.js") != other.address("main.js")
    assert PageFiles({"a": "bc"}).address("a") != PageFiles({"a": "b", "c": ""}).address("a")
    with pytest.raises(KeyError):
        one.address("other.js")


def test_a_page_of_yesterday_asks_in_vain(client: TestClient) -> None:
    (address,) = re.findall(r'src="([^"]+main\.js)"', client.get("/").text)
    assert client.get(address).headers["content-type"].startswith("text/javascript")
    old = re.sub(r"[0-9a-f]{16}", "0123456789abcdef", address)
    assert client.get(old).status_code == 404
    assert client.get(address.replace("main.js", "../main.js")).status_code == 404


def test_what_gradio_needs_is_read_off_its_bundles() -> None:
    found = frontend(["dropdown", "no_such_component"])
    names = {re.sub(r"-[\w-]{8}\d?\.", ".", name) for name in found.needed}
    assert {"core.js", "Blocks.js", "Index.css", "Index.js"} <= names
    assert len(found.needed) > len(frontend([]).needed) > 15
    assert not {found.script, found.style} & {*found.needed}


def test_a_gradio_without_an_entry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html></html>")
    with pytest.raises(ValueError, match="instead of a script"):
        frontend([], tmp_path)

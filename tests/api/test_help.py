"""`/help`: the manual behind the login, readable without scripts, in two languages."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Server
from webui.docs.manual import PAGES

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}


def test_every_page_is_there_and_listed(client: httpx.Client) -> None:
    contents = client.get("/help").text
    for name in PAGES:
        assert f'href="/help/{name}?lang=en"' in contents
        answer = client.get(f"/help/{name}")
        assert answer.status_code == 200
        assert 'aria-current="page"' in answer.text


def test_it_needs_no_script_and_nothing_from_elsewhere(client: httpx.Client) -> None:
    answer = client.get("/help/sampling")
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"


def test_the_language_is_the_browsers_or_the_one_asked_for(client: httpx.Client) -> None:
    for answer in (client.get("/help/sampling", headers=CHINESE), client.get("/help/sampling?lang=zh-CN")):
        assert answer.headers["content-language"] == "zh-CN"
        assert '<html lang="zh-CN">' in answer.text
        assert '<h2 id="sigmas">' in answer.text
        assert "噪声调度" in answer.text
    assert client.get("/help/sampling?lang=en", headers=CHINESE).headers["content-language"] == "en"
    assert client.get("/help/sampling?lang=tlh").headers["content-language"] == "en"


def test_what_is_not_translated_says_so(client: httpx.Client) -> None:
    text = client.get("/help/changes?lang=zh-CN").text
    assert "本页暂无中文版" in text
    assert '<main lang="en">' in text


def test_the_search_finds_sections_and_says_when_there_are_none(client: httpx.Client) -> None:
    assert 'href="/help/sampling?lang=en#schedulers"' in client.get("/help?q=schedulers").text
    nothing = client.get("/help", params={"q": '"><script>x'}).text
    assert "Nothing found for “&quot;&gt;&lt;script&gt;x”" in nothing
    assert "<script" not in nothing


@pytest.mark.parametrize("name", ["nothing", "sampling.md", "en/sampling", "__init__.py", "frame.css", "sampling/x"])
def test_an_unknown_name_has_a_page_of_its_own(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/help/{name}")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert 'href="/help/sampling?lang=en"' in answer.text


@pytest.mark.parametrize("way", ["..%2f..%2fapp.py", "%2e%2e/%2e%2e/secret", "..\\..\\app.py", "%00"])
def test_no_path_leads_out(client: httpx.Client, way: str) -> None:
    answer = client.get(f"/help/{way}")
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_it_is_behind_the_login(guarded: Server) -> None:
    with guarded.client() as stranger:
        assert stranger.get("/help/sampling").status_code == 401
        for_people = stranger.get("/help/sampling", headers={"Accept": "text/html"})
        assert for_people.headers["location"] == "/login?next=/help/sampling"
    with guarded.client("anna") as anna:
        assert anna.get("/help/sampling").status_code == 200

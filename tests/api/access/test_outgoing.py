"""How long what may be kept, and by whom."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.api.conftest import Server

FOREVER = "max-age=31536000, immutable"


def files_of(client: httpx.Client) -> list[str]:
    """The addresses of all scripts and styles that the page names."""
    return re.findall(r'(?:href|src)="\.?(/(?:assets|page)/[^"]+)"', client.get("/").text)


def test_scripts_and_styles_are_kept_for_good(client: httpx.Client) -> None:
    files = files_of(client)
    assert {file.split("/")[1] for file in files} == {"assets", "page"}
    for file in [*files, "/theme.css?v=1"]:
        answer = client.get(file)
        assert answer.status_code == 200, file
        assert answer.headers["cache-control"] == f"public, {FOREVER}", file
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    for file in ("/favicon.ico", "/static/img/logo.svg"):
        assert client.get(file).headers["cache-control"] == "public, max-age=86400", file


def test_behind_a_login_only_the_browser_keeps_them(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client() as stranger:
        for file in files_of(anna):
            assert anna.get(file).headers["cache-control"] == f"private, {FOREVER}"
            assert stranger.get(file).status_code == 401
            assert stranger.get(file).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/assets/index-gone.js", "/page/files/0123456789abcdef/page.js"])
def test_that_a_file_is_missing_is_not_kept(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_is_asked_for_each_time_and_sent_once(client: httpx.Client) -> None:
    first = client.get("/")
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get("/", headers={"If-None-Match": 'W/"other"'}).status_code == 200

"""The page on the line: how much of it comes, what is kept, and what happens when a file is not there any more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.benchmarks.delivery import idle_percent, open_page
from tests.browser.studio import Studio, Visit

MOST_HTML_BYTES = 40_000
MOST_COLD_BYTES = 450_000
MOST_WARM_BYTES = 60_000
MOST_IDLE_PERCENT = 1.5  # the goal is 0.5, which a slow machine with much else to do may miss


@pytest.fixture(scope="module")
def empty_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Without the pictures of other tests, which the page would load too."""
    with Studio(tmp_path_factory.mktemp("empty"), is_real=False) as studio:
        studio.wait_until_ready()
        yield studio


def test_the_page_is_small_and_smaller_the_second_time(browser: Browser, empty_studio: Studio) -> None:
    context = browser.new_context()
    cold, warm = (open_page(context, empty_studio.address) for _ in range(2))
    context.close()
    assert 0 < cold.html_bytes <= MOST_HTML_BYTES
    assert cold.html_bytes < cold.all_bytes <= MOST_COLD_BYTES
    assert 0 < warm.all_bytes <= MOST_WARM_BYTES


def test_all_of_gradios_files_are_asked_for_at_once(open_page: Callable[..., Visit], fake_studio: Studio) -> None:
    page = open_page(fake_studio).page
    preloaded, loaded = page.evaluate(
        """() => [
            [...document.querySelectorAll("link[rel=modulepreload], link[rel=preload]")].map((link) => link.href),
            performance.getEntriesByType("resource").map((entry) => entry.name),
        ]"""
    )
    first = {url for url in loaded if "/assets/index-" in url}  # what the document names itself
    assert len(first) == 2
    assert {url for url in loaded if "/assets/" in url} == {url for url in preloaded if "/assets/" in url} | first
    assert len(loaded) == len(set(loaded))  # nothing twice


def test_a_page_whose_files_are_gone_loads_itself_again_once(browser: Browser, fake_studio: Studio) -> None:
    context = browser.new_context()
    page = context.new_page()
    documents: list[str] = []
    page.on("request", lambda request: documents.append(request.url) if request.is_navigation_request() else None)

    def as_of_yesterday(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r"files/\w{16}/", "files/0123456789abcdef/", answer.text()))

    page.route(f"{fake_studio.address}/", as_of_yesterday, times=1)
    page.goto(fake_studio.address, wait_until="commit")
    expect(page.locator("html[data-settled]")).to_be_attached()
    assert len(documents) == 2
    page.route(f"{fake_studio.address}/", as_of_yesterday)  # from now on the server is at a loss itself
    page.goto(fake_studio.address, wait_until="load")
    assert len(documents) == 3
    context.close()


def test_the_page_is_hidden_until_it_has_its_style(browser: Browser, fake_studio: Studio) -> None:
    context = browser.new_context()
    page = context.new_page()
    held: list[Route] = []
    page.route("**/page/files/*/page.css", lambda route: held.append(route))
    page.goto(fake_studio.address, wait_until="commit")
    expect(page.locator("#generate").first).to_be_attached()
    expect(page.locator("#generate").locator("visible=true")).to_have_count(0)
    for route in held:
        route.continue_()
    page.unroute("**/page/files/*/page.css")
    expect(page.locator("#generate").locator("visible=true")).to_have_count(1)
    context.close()


def test_nobody_there_costs_nothing(empty_studio: Studio) -> None:
    assert idle_percent(empty_studio) <= MOST_IDLE_PERCENT

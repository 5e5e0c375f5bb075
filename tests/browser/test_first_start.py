"""The page that waits for the packages, where somebody is asked for a model: what is agreed to can be read there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from webui.launch.address import Address, free_port
from webui.launch.first_model import FirstModelQuestion, Model
from webui.launch.progress import ProgressMeter
from webui.launch.waiting_page import WaitingPage

MODELS = (
    Model("Quick", "Community", None, "https://hub.example/quick"),
    Model("<b>Other</b>", None, False, None),
)


@pytest.mark.parametrize(
    ("locale", "lines", "yes"),
    [
        (
            "en-US",
            [
                "Quick · licence: Community · selling the pictures has conditions · licence page",
                "<b>Other</b> · no licence stated · you may not sell the pictures",
            ],
            "Good. The download starts once Darkroom is running",
        ),
        (
            "zh-CN",
            [
                "Quick · 许可证：Community · 出售图片有附加条件 · 许可证页面",
                "<b>Other</b> · 未注明许可证 · 不可出售图片",
            ],
            "好的。Darkroom 启动后开始下载",
        ),
    ],
)
def test_the_question_says_what_is_agreed_to(
    browser: Browser, tmp_path: Path, locale: str, lines: list[str], yes: str
) -> None:
    address = Address("127.0.0.1", free_port(18400))
    context = browser.new_context(locale=locale)
    with WaitingPage(address, ProgressMeter(1, with_tests=False), FirstModelQuestion(tmp_path, MODELS)):
        page = context.new_page()
        page.goto(address.url)
        expect(page.locator("#models li")).to_have_text(lines)
        link = page.locator("#models a")
        assert (link.get_attribute("href"), link.get_attribute("target")) == ("https://hub.example/quick", "_blank")
        page.locator("#yes").click()
        expect(page.locator("#said")).to_contain_text(yes)
    context.close()


def test_without_a_question_no_model_is_named(browser: Browser) -> None:
    address = Address("127.0.0.1", free_port(18400))
    context = browser.new_context()
    with WaitingPage(address, ProgressMeter(1, with_tests=False)):
        page = context.new_page()
        page.goto(address.url)
        expect(page.locator("#title")).to_have_text("Setting up Darkroom")
        expect(page.locator("#question")).to_be_hidden()
        expect(page.locator("#models li")).to_have_count(0)
    context.close()

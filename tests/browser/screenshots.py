"""Takes the README's screenshots of the real app with the starter: `python -m tests.browser.screenshots`.

They lie in `webui/ui/screenshots/`, which is not among the files that browsers are given.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.studio import PHONE, ROOT, Studio, Visit, visit

FOLDER = ROOT / "webui" / "ui" / "screenshots"
PROMPTS = (
    "neon mountains at night",
    "beach at sunset",
    "futuristic city skyline with neon lights",
    "a calm lake surrounded by autumn trees",
)
HALFWAY = "() => { const d = document.querySelector('#stage').dataset; return d.state === 'running' && d.step >= 10; }"
SECONDS = 120.0
STYLE_SECONDS = 600.0


def take(page: Page, name: str) -> None:
    """One picture of the window as it is."""
    FOLDER.mkdir(exist_ok=True)
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.convert("RGB").save(FOLDER / f"{name}.webp", quality=82, method=6)
    sys.stdout.write(f"{name}\n")


def transfer_style(desktop: Visit) -> None:
    """The picture on the stage in a style of the gallery."""
    desktop.button("→ Style").click()
    desktop.page.get_by_role("button", name="Use the style Swirling oil").click()
    desktop.page.locator("#style_image[data-filled=yes], #style_image [data-filled=yes]").wait_for(state="attached")
    desktop.generate()
    desktop.wait_state("finished", seconds=STYLE_SECONDS)
    desktop.page.wait_for_timeout(1500)  # the last cross-fade


def main() -> None:
    """A light desktop after four pictures and after a style transfer, a dark one in mid-picture, and a phone."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with Studio(Path(folder)) as studio:
            studio.wait_until_ready()
            light = visit(chromium, studio)
            for prompt in PROMPTS:
                light.write(prompt)
                light.generate()
                light.wait_state("finished", seconds=SECONDS)
            light.rest()  # after the last cross-fade
            take(light.page, "light")
            transfer_style(light)
            take(light.page, "style")
            dark = visit(chromium, studio, locale="zh-CN", scheme="dark")
            dark.page.locator("#prompt textarea").fill("秋树环绕的宁静湖泊")
            dark.click_generate()
            dark.page.wait_for_function(HALFWAY, timeout=SECONDS * 1000)
            take(dark.page, "dark")
            dark.wait_state("finished", seconds=SECONDS)
            phone = visit(chromium, studio, PHONE)
            phone.rest()
            take(phone.page, "phone")


if __name__ == "__main__":
    main()

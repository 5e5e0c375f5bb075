"""The real app with the scriptable worker in place of the engine: `python -m tests.browser.fake_app --port …`."""

from __future__ import annotations

import sys

import uvicorn

from webui.app import build
from webui.launch.serve import read_settings


def main(arguments: list[str]) -> None:
    settings = read_settings(arguments)
    app = build(settings, worker_target="tests.fakes:serve")
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main(sys.argv[1:])

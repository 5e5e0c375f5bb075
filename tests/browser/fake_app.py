"""The real app with the scriptable worker in place of the engine: `python -m tests.browser.fake_app --port …`.

With `--share` and `FAKE_SHARE=https://…` in the environment the tunnel finds that address at once and opens nothing.
`FAKE_HUB=http://…` is where models come from.
"""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace


def main(arguments: list[str]) -> None:
    # Late on purpose: the worker's process reads this module again, and needs no page.
    import uvicorn

    from webui.app import build
    from webui.downloads.options import DownloadOptions
    from webui.launch.serve import read_settings
    from webui.share import tunnel

    if address := os.environ.get("FAKE_SHARE"):
        tunnel.networking.GRADIO_SHARE_SERVER_ADDRESS = "127.0.0.1:9"
        tunnel.check_program = lambda path: None
        tunnel.tunneling.Tunnel = lambda *arguments: SimpleNamespace(start_tunnel=lambda: address)
    settings = read_settings(arguments)
    hub = os.environ.get("FAKE_HUB")
    options = DownloadOptions(hub=hub, loopback=(hub,)) if hub else None
    app = build(settings, worker_target="tests.fakes:serve", download_options=options)
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main(sys.argv[1:])

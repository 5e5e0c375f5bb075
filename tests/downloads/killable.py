"""Downloads in a process of their own, to be killed: `python -m tests.downloads.killable MODELS DATA HUB REPOSITORY`.

Prints the state in which it ended, and the kind of its error. `--limit` is the size of the largest file it may write,
`--speed` a limit in bytes a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from webui.downloads.download import UNENDED
from webui.downloads.options import DownloadOptions
from webui.downloads.setup import open_shop
from webui.downloads.sources import Asked


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("hub")
    parser.add_argument("repository")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--speed", type=float)
    asked = parser.parse_args(arguments)
    if asked.limit:
        import resource  # there is none on Windows

        resource.setrlimit(resource.RLIMIT_FSIZE, (asked.limit, asked.limit))
    options = DownloadOptions(hub=asked.hub, loopback=(asked.hub,), bytes_per_second=asked.speed)
    downloads = open_shop(
        asked.models, asked.data, asked.data, lambda: options, usage=lambda _: (10**13, 10**13)
    ).downloads
    asked.models.mkdir(exist_ok=True)
    downloads.start()
    id = downloads.list()[0].id if downloads.list() else downloads.ask(Asked(repository=asked.repository)).id
    while downloads.get(id).state in UNENDED:
        time.sleep(0.005)
    view = downloads.get(id)
    downloads.close()
    sys.stdout.write(f"{view.state} {view.error.kind if view.error else ''}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

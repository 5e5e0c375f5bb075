"""Puts the parts of this room together, for the app and for tests alike."""

from __future__ import annotations

from pathlib import Path

from webui.downloads.civitai import Civitai
from webui.downloads.downloads import Downloads
from webui.downloads.files import RemoteFile
from webui.downloads.hub import Hub
from webui.downloads.options import DownloadOptions
from webui.downloads.pace import Pace
from webui.downloads.sources import Sources, no_offers
from webui.downloads.space import DiskUsage, Space, disk_usage
from webui.downloads.web import Login, Web


def make_downloads(
    models_dir: Path, data_dir: Path, options: DownloadOptions, *, usage: DiskUsage = disk_usage
) -> Downloads:
    """Not yet started. `usage` measures the disk. Raises AddressRefused for a mirror that is no https address."""
    web = Web(loopback=options.loopback)
    hub, civitai = Hub(web, options), Civitai(web, options)

    def login_for(file: RemoteFile) -> Login | None:
        return hub.login if file.repository is not None else civitai.login

    return Downloads(
        models_dir=models_dir,
        data_dir=data_dir,
        sources=Sources(hub, civitai, no_offers),
        web=web,
        pace=Pace(options.bytes_per_second),
        space=Space(models_dir, usage),
        logins=login_for,
        cached=hub.cached,
    )

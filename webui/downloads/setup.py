"""Puts the parts of this room together, for the app and for tests alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from webui.downloads.civitai import Civitai
from webui.downloads.downloads import Downloads
from webui.downloads.files import RemoteFile
from webui.downloads.hub import Hub
from webui.downloads.offers import Offers
from webui.downloads.options import Options
from webui.downloads.pace import Pace
from webui.downloads.sources import Sources
from webui.downloads.space import DiskUsage, Space, disk_usage
from webui.downloads.web import Login, Web


@dataclass(frozen=True)
class Shop:
    """What is offered, and how it gets here. The downloads are not yet started."""

    offers: Offers
    downloads: Downloads
    space: Space


def open_shop(
    models_dir: Path, data_dir: Path, presets_dir: Path, options: Options, *, usage: DiskUsage = disk_usage
) -> Shop:
    """`options` are asked again for each call, but for the speed, which `Pace` is told. `usage` measures the disk.
    Raises AddressRefused for a mirror that is no address, and ValueError for a file of offers that is not sound."""
    web = Web(loopback=options().loopback)
    hub, civitai = Hub(web, options), Civitai(web, options)
    _ = hub.endpoint
    offers = Offers(presets_dir, data_dir, hub)

    def login_for(file: RemoteFile) -> Login | None:
        if file.repository is None:
            return civitai.login
        hub.check_online()
        return hub.login

    space = Space(models_dir, usage)
    downloads = Downloads(
        models_dir=models_dir,
        data_dir=data_dir,
        sources=Sources(hub, civitai, offers.plan),
        web=web,
        pace=Pace(options().bytes_per_second),
        space=space,
        logins=login_for,
        cached=hub.cached,
    )
    return Shop(offers, downloads, space)

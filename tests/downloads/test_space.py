"""Room: refused before it starts, with what could go; and a disk that fills in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.downloads.conftest import Make, finished, listed, wait, weights
from tests.downloads.small_hub import Repo, SmallHub
from webui.downloads.download import DownloadFiles
from webui.downloads.sources import Asked
from webui.errors import DiskSpaceShort
from webui.settings import ROOT
from webui.texts import Texts

GB = 10**9


@pytest.mark.parametrize(
    ("total", "free", "fits"),
    [
        (50 * GB, 5 * GB + 10**6, True),
        (50 * GB, 5 * GB, False),
        (1000 * GB, 50 * GB + 10**6, True),
        (1000 * GB, 50 * GB, False),
    ],
)
def test_five_gigabytes_or_five_percent_stay_free(make: Make, total: int, free: int, fits: bool) -> None:
    downloads = make(usage=(total, free))
    if fits:
        assert finished(downloads, repository="anna/one").state == "finished"
    else:
        with pytest.raises(DiskSpaceShort):
            downloads.ask(Asked(repository="anna/one"))
        assert downloads.list() == ()


def test_the_refusal_names_what_could_go(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    (tmp_path / "models" / "loras").mkdir(parents=True)
    (tmp_path / "models" / "big").mkdir()
    (tmp_path / "models" / "starter").mkdir()
    for name, size in (("big/model.safetensors", 3 * 10**6), ("loras/a.safetensors", 2 * 10**6), ("starter/x", 10**7)):
        with open(tmp_path / "models" / name, "wb") as file:
            file.truncate(size)
    with pytest.raises(DiskSpaceShort) as caught:
        make(usage=(50 * GB, GB)).ask(Asked(repository="anna/one"))
    message, hint = Texts().word("disk_space_short", caught.value.details, "en")
    assert "1.0 GB are free" in message
    assert hint.endswith("big (0.0 GB), loras/a.safetensors (0.0 GB).")


def test_what_others_wait_for_counts(make: Make, hub: SmallHub) -> None:
    hub.repos["anna/two"] = Repo({"two.safetensors": weights(seed=2)})
    hub.behaviour.bytes_per_second = 1_000
    downloads = make(usage=(50 * GB, 5 * GB + 150_000))
    downloads.ask(Asked(repository="anna/one"))
    with pytest.raises(DiskSpaceShort):
        downloads.ask(Asked(repository="anna/two"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as the system does")
def test_a_disk_that_fills_in_the_middle(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "models"), str(tmp_path / "data"), hub.url, "anna/one", "--limit", "40000"]
    line = [sys.executable, "-m", "tests.downloads.killable", *arguments]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["failed", "disk_space_short"], done.stderr
    assert listed(tmp_path / "models") == set()
    (kept,) = DownloadFiles(tmp_path / "data" / "downloads").load()
    downloads = make()
    downloads.resume(kept.id)
    assert wait(downloads, kept.id).state == "finished"
    assert hub.sent["anna/one/one.safetensors"] < 2 * len(weights())
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()

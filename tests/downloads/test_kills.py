"""The program killed (SIGKILL) at any moment of a download: it goes on, to the same bytes, and fetches only what was
not written yet."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.downloads.conftest import folder, hidden, listed
from tests.downloads.small_hub import Repo, SmallHub
from webui.settings import ROOT

MOMENTS = 12
# Bytes under way by a kill: a tenth of a second, and two pieces of this Hub's, one sent and one not yet taken.
LOST_AT_MOST = 400_000 + 160_000

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")


@pytest.mark.slow
def test_killed_at_any_moment(hub: SmallHub, tmp_path: Path) -> None:
    files = folder(size=1_500_000)
    hub.repos["anna/sd"] = Repo(files)
    hub.behaviour.bytes_per_second = 4_000_000
    moments = random.Random(16)
    arguments = [str(tmp_path / "models"), str(tmp_path / "data"), hub.url, "anna/sd"]
    line = [sys.executable, "-m", "tests.downloads.killable", *arguments]
    kills = 0
    for _ in range(MOMENTS):
        process = subprocess.Popen(line, cwd=ROOT)
        before = sum(hub.sent.values())
        while process.poll() is None and sum(hub.sent.values()) == before:
            time.sleep(0.005)
        time.sleep(0.3 * moments.random())
        kills += process.poll() is None
        process.kill()
        process.wait()
        assert not any(name.startswith("sd/") for name in listed(tmp_path / "models")) or process.returncode == 0
    assert kills >= 10
    hub.behaviour.bytes_per_second = None
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["finished"], done.stderr
    got = {
        path.relative_to(tmp_path / "models/sd").as_posix() for path in (tmp_path / "models/sd").rglob("*.safetensors")
    }
    assert len(got) == 4
    assert all((tmp_path / "models/sd" / name).read_bytes() == files[name] for name in got)
    for name in got:
        assert hub.sent[f"anna/sd/{name}"] <= len(files[name]) + kills * LOST_AT_MOST
    assert sum(hub.sent.values()) <= sum(len(files[name]) for name in got) + kills * LOST_AT_MOST + 10_000
    assert hidden(tmp_path / "models") == set()

"""`python launch.py reindex`, told on the console in both languages."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.storage.conftest import raw
from webui.launch.console import Console
from webui.launch.launch_error import LaunchError
from webui.launch.reindex import reindex
from webui.launch.words import Language
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.owners import LOCAL


@pytest.mark.parametrize(("language", "found"), [("en", "Pictures found: 2, owners: 1"), ("zh-CN", "找到图片 2 张")])
def test_what_came_of_it_is_told(tmp_path: Path, language: Language, found: str) -> None:
    storage = Storage(tmp_path)
    for n in range(2):
        storage.pictures.save(LOCAL, f"job{n}", TextToImage(prompt="a lake", seed=n), raw(n))
    (next(tmp_path.glob("pictures/*/2*")) / "odd.png").write_bytes(b"nonsense")
    with pytest.raises(LaunchError, match="app"):
        reindex(["--data-dir", str(tmp_path)], Console(io.StringIO(), language))
    storage.close()
    said = io.BytesIO()
    stream = io.TextIOWrapper(said, encoding="utf-8", write_through=True)
    assert reindex(["--data-dir", str(tmp_path)], Console(stream, language)) == 0
    assert found in said.getvalue().decode()
    assert "before-reindex-" in said.getvalue().decode()
    assert len(list(tmp_path.glob("darkroom.sqlite3.before-reindex-*"))) == 1
    with pytest.raises(LaunchError):
        reindex(["--port", "x"], Console(io.StringIO(), language))

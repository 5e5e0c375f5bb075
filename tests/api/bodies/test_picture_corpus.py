"""Bad and odd pictures through every door: a sentence and nothing lost, and the next one works."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests import picture_corpus
from tests.api.conftest import Server
from tests.api.test_gallery import made
from tests.storage.conftest import raw
from webui.errors import PictureNotFound
from webui.requests.diffusion import TextToImage
from webui.settings import ROOT
from webui.storage import Storage
from webui.storage.bundle import zip_of
from webui.storage.listing import Wanted
from webui.storage.owners import LOCAL
from webui.storage.reindexing import reindex

PATIENCE_SECONDS = 20.0  # on a machine that does much else; a process of its own opens each
WHOLE, BROKEN, DAMAGES = picture_corpus.whole(), picture_corpus.broken(), picture_corpus.damages()
LINE = "a lake\nSteps: 3, Sampler: Euler a, Seed: 5, Size: 64x64"


def send(client: httpx.Client, path: str, content: bytes) -> httpx.Response:
    start = time.perf_counter()
    answer = client.post(path, files={"file": ("../../<img onerror>.png", content, "image/png")})
    assert time.perf_counter() - start < PATIENCE_SECONDS
    for secret in ("Traceback", str(ROOT), "/tmp/", "PIL"):
        assert secret not in answer.text
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["message"]
        assert error["hint"]
    return answer


def temporary(server: Server) -> list[Path]:
    return list(server.data_dir.rglob(".tmp-*"))


@pytest.mark.parametrize("name", WHOLE)
def test_an_odd_picture_is_taken(client: httpx.Client, server: Server, name: str) -> None:
    content = WHOLE[name]()
    stored = send(client, "/api/images", content)
    assert stored.status_code == 201, stored.text
    shown = client.get(f"/api/images/{stored.json()['id']}", params={"size": 128})
    assert shown.status_code == 200
    found = send(client, "/api/inspect", content)
    assert found.status_code == 200
    assert found.json()["source"] == "none"
    assert temporary(server) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_picture_gets_a_sentence(client: httpx.Client, server: Server, name: str) -> None:
    content = BROKEN[name]()
    assert send(client, "/api/images", content).status_code in (413, 415)
    assert send(client, "/api/inspect", content).status_code in (200, 415)
    assert temporary(server) == []


def test_they_come_no_further_inside_of_a_request_and_the_next_one_works(client: httpx.Client) -> None:
    for name in ("empty", "HTML", "a header that lies", "30000²", "PNG cut off at 50 %"):
        data = base64.b64encode(BROKEN[name]()).decode()
        body = {"prompt": "x", "init_image": f"data:image/png;base64,{data}"}
        assert client.post("/api/image-to-image", json=body).status_code in (413, 415, 422), name
    assert send(client, "/api/images", picture_corpus.plain()).status_code == 201


def test_texts_are_found_behind_a_foreign_chunk_and_a_body_has_an_end(client: httpx.Client) -> None:
    line = picture_corpus.chunk(b"tEXt", b"parameters\0" + LINE.encode())
    for megabytes, status in ((60, 200), (100, 413)):
        foreign = picture_corpus.chunk(b"prVt", bytes(megabytes * 2**20))
        answer = send(client, "/api/inspect", picture_corpus.with_chunks(foreign, line))
        assert answer.status_code == status
        assert status != 200 or answer.json()["settings"]["seed"] == 5


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_hides_nothing_else(client: httpx.Client, server: Server, name: str) -> None:
    prompt = f"damaged{list(DAMAGES).index(name)}x"
    before, damaged, after = made(client, *(f"{prompt} {n}" for n in range(3)))
    (path,) = server.data_dir.glob(f"pictures/*/*/*-{job_of(client, damaged)}-*.png")
    path.write_bytes(DAMAGES[name](path.read_bytes()))
    found = client.get("/api/gallery", params={"q": prompt}).json()
    assert [one["id"] for one in found["pictures"]] == [after, damaged, before]
    for query in ({"size": 256}, {}, {"format": "webp"}, {"format": "jpeg"}):
        answer = client.get(f"/api/images/{damaged}", params=query)
        assert answer.status_code in (200, 404)
        assert answer.status_code == 200 or answer.json()["error"]["message"]
        assert client.get(f"/api/images/{after}", params=query).status_code == 200
    url = client.post("/api/gallery/zip", json={"ids": [before, damaged, after], "format": "webp"}).json()["url"]
    bundle = zipfile.ZipFile(io.BytesIO(client.get(url).content))
    assert bundle.testzip() is None
    files = [one["file"] for one in json.loads(bundle.read("metadata.json"))]
    assert files[0] in bundle.namelist()
    assert files[2] in bundle.namelist()
    assert client.post("/api/gallery/star", json={"ids": [damaged]}).json() == {"ids": [damaged]}
    assert client.delete(f"/api/images/{damaged}").status_code == 202
    path.unlink()


def job_of(client: httpx.Client, id: str) -> str:
    return next(str(one["job"]) for one in client.get("/api/gallery").json()["pictures"] if one["id"] == id)


def test_a_database_is_made_again_past_all_of_them(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for n in range(len(DAMAGES) + 2):
        storage.pictures.save(LOCAL, f"job{n}", TextToImage(prompt=f"good{n}", seed=n), raw(n))
    pictures = storage.pictures.list(LOCAL)
    storage.close()
    for picture, damage in zip(pictures[1:-1], DAMAGES.values(), strict=True):
        picture.path.write_bytes(damage(picture.path.read_bytes()))
    contents: dict[str, Callable[[], bytes]] = {**WHOLE, **BROKEN}
    for n, make in enumerate(contents.values()):
        (pictures[0].path.parent / f"foreign{n}{('.png', '.jpg', '.webp')[n % 3]}").write_bytes(make())
    start = time.perf_counter()
    done = reindex(tmp_path, (LOCAL,), lambda looked: None)
    assert time.perf_counter() - start < PATIENCE_SECONDS
    assert done.rebuilt.pictures + len(done.rebuilt.unreadable) + done.rebuilt.foreign == len(contents) + len(pictures)
    storage = Storage(tmp_path)
    for good in (pictures[0], pictures[-1]):
        (again,) = storage.pictures.list(LOCAL, wanted=Wanted(query=good.request["prompt"]))
        assert again.sha256 == good.sha256
    found = storage.pictures.list(LOCAL)
    json.dumps([one.request for one in found], allow_nan=False)
    for one in found:
        try:
            storage.pictures.thumbnail(LOCAL, one.id, 128)
        except PictureNotFound:
            assert one.path.name != pictures[0].path.name
    assert sum(len(part) for part in zip_of(found, {}, "jpeg")) > 1000
    storage.close()

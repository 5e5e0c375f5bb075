"""Pictures over HTTP: upload, download, thumbnails, deleting with undo."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from collections import namedtuple

import httpx
import pytest
from PIL import Image

from tests.api.conftest import Server, follow, generate


def finished_picture(client: httpx.Client, **fields: object) -> dict[str, object]:
    job = generate(client, **fields)
    follow(client, job)
    return dict(client.get(f"/api/jobs/{job}").json()["images"][0])


def test_an_upload_is_kept_upright_and_can_be_had_again(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    Image.new("RGB", (60, 40), "blue").save(content, "JPEG", exif=exif)
    answer = client.post("/api/images", files={"file": ("holiday.jpg", content.getvalue(), "image/jpeg")})
    assert answer.status_code == 201
    assert (answer.json()["width"], answer.json()["height"]) == (40, 60)
    again = client.get(f"/api/images/{answer.json()['id']}")
    assert again.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(again.content)).size == (40, 60)
    small = client.get(f"/api/images/{answer.json()['id']}", params={"size": 128})
    assert small.headers["content-type"] == "image/webp"
    assert max(Image.open(io.BytesIO(small.content)).size) <= 128


@pytest.mark.parametrize(
    "name",
    ["../../x.png", "x" * 300, "a\u202egnp.exe", "<img src=x onerror=alert(1)>", "con", "", "a\nb: c.png", "雪.png"],
)
def test_a_files_name_means_nothing(client: httpx.Client, server: Server, png: bytes, name: str) -> None:
    answer = client.post("/api/images", files={"file": (name, png, "image/png")})
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert set(answer.json()) == {"id", "width", "height"}
        disposition = client.get(f"/api/images/{answer.json()['id']}").headers["content-disposition"]
        assert "\n" not in disposition
        assert "onerror" not in disposition
    assert not list(server.data_dir.parent.glob("*.png"))


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (b"", 415, "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not_an_image"),
        (b"%!PS-Adobe-3.0", 415, "not_an_image"),
    ],
)
def test_what_is_no_picture_is_refused(client: httpx.Client, content: bytes, status: int, kind: str) -> None:
    answer = client.post("/api/images", files={"file": ("x.png", content, "image/png")})
    assert answer.status_code == status
    assert answer.json()["error"]["kind"] == kind


def test_a_bomb_is_too_large(client: httpx.Client) -> None:
    content = io.BytesIO()
    Image.new("1", (13300, 13300)).save(content, "PNG")
    answer = client.post("/api/images", files={"file": ("x.png", content.getvalue(), "image/png")})
    assert answer.status_code == 413
    assert answer.json()["error"]["kind"] == "image_too_large"
    assert "13300×13300" in answer.json()["error"]["message"]


def test_an_upload_needs_its_form(client: httpx.Client, png: bytes) -> None:
    for type in ("image/png", "application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post("/api/images", content=png, headers={"Content-Type": type})
        assert answer.status_code == 415
        assert answer.json()["error"]["kind"] == "media_type"
    assert client.post("/api/images", content=png).status_code == 415
    assert client.post("/api/images", json={"file": "AAAA"}).status_code == 415
    assert client.post("/api/images", files={"picture": png}).status_code == 422
    assert client.post("/api/images", files={"file": (None, "text")}).status_code == 422
    assert client.post("/api/images", data={"file": "text"}).status_code == 415
    broken = {"Content-Type": "multipart/form-data"}
    assert client.post("/api/images", content=b"x", headers=broken).status_code == 422
    long = {"Content-Type": "multipart/form-data; boundary=" + "x" * 50_000}
    assert client.post("/api/images", content=b"--x", headers=long).status_code in (422, 431)


def test_a_picture_is_served_for_its_owner_to_keep(client: httpx.Client) -> None:
    picture = finished_picture(client)
    answer = client.get(str(picture["url"]))
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    unchanged = client.get(str(picture["url"]), headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304
    assert unchanged.content == b""
    assert client.head(str(picture["url"])).headers["content-length"] == str(len(answer.content))
    saved = client.get(str(picture["url"]), params={"download": 1})
    assert saved.headers["content-disposition"].startswith("attachment")
    assert ".png" in saved.headers["content-disposition"]
    for size in ("0", "-1", "99999", "x", str(2**63)):
        assert client.get(str(picture["url"]), params={"size": size}).status_code == 422


@pytest.mark.parametrize(
    "id",
    ["..", "%2e%2e%2fsecret", "*", "' OR 1=1 --", "sha256:../../secret", "x" * 5000, "%00", "~", "C:%5Cx", "\u00e9"],
)
def test_an_id_is_no_path(client: httpx.Client, id: str) -> None:
    for method in ("GET", "DELETE"):
        answer = client.request(method, f"/api/images/{id}")
        assert answer.status_code == 404, (method, id)
        assert "secret" not in answer.text


def test_deleting_can_be_undone(client: httpx.Client) -> None:
    picture = finished_picture(client)
    url = str(picture["url"])
    assert client.delete(url).status_code == 202
    assert client.get(url).status_code == 404
    assert picture["id"] not in client.get("/api/gallery").text
    assert client.post(f"{url}/restore").status_code == 202
    assert client.get(url).status_code == 200
    assert client.delete("/api/images/nobody").status_code == 404


def test_the_gallery_comes_in_pages_newest_first(client: httpx.Client) -> None:
    pictures = [finished_picture(client) for _ in range(3)]
    first = client.get("/api/gallery", params={"limit": 2}).json()
    assert [picture["id"] for picture in first["pictures"]] == [pictures[2]["id"], pictures[1]["id"]]
    second = client.get("/api/gallery", params={"limit": 2, "before": first["next"]}).json()
    assert second["pictures"][0]["id"] == pictures[0]["id"]
    shown = first["pictures"][0]
    assert shown["request"]["prompt"] == "a lake"
    assert client.get(shown["thumbnail_url"]).headers["content-type"] == "image/webp"
    assert client.get("/api/gallery", params={"before": "nobody"}).status_code == 404
    assert client.get("/api/gallery", params={"limit": 2**70}).status_code == 422


def test_a_small_body_does_not_become_a_large_one(client: httpx.Client) -> None:
    body = zlib.compress(json.dumps({"prompt": "x" * 10_000_000}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    assert client.post("/api/text-to-image", content=body, headers=headers).status_code == 422


def test_whoever_brings_too_much_hears_when_to_come_back(
    client: httpx.Client, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = "data:image/png;base64," + base64.b64encode(png).decode()
    with monkeypatch.context() as patch:
        patch.setattr("webui.storage.upload_keeping.UploadKeeper.is_too_much", lambda keeper, sizes: True)
        for answer in (
            client.post("/api/images", files={"file": png}),
            client.post("/api/image-to-image", json={"init_image": picture}),
        ):
            assert answer.status_code == 429
            assert answer.json()["error"]["kind"] == "uploads_full"
            assert "4 GB" in answer.json()["error"]["message"]
            assert answer.headers["retry-after"] == "3600"
    full = namedtuple("usage", "total used free")(2**40, 2**40, 0)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda folder: full)
        answer = client.post("/api/images", files={"file": png})
        assert answer.status_code == 503
        assert answer.json()["error"]["kind"] == "disk_full"
        assert "retry-after" in answer.headers
    assert client.post("/api/images", files={"file": png}).status_code == 201


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_a_picture_comes_in_other_formats(client: httpx.Client, png: bytes, form: str) -> None:
    url = str(finished_picture(client)["url"])
    answer = client.get(url, params={"format": form, "download": 1})
    assert answer.headers["content-type"] == f"image/{form}"
    assert re.search(rf'attachment; filename="darkroom-[\w-]+\.{form.replace("jpeg", "jpg")}"',
                     answer.headers["content-disposition"])  # fmt: skip
    assert "sandbox" in answer.headers["content-security-policy"]
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.size) == (form.upper(), Image.open(io.BytesIO(client.get(url).content)).size)
    assert b"<darkroom:json" in image.info["xmp"]
    assert client.get(url, params={"format": form}).headers["content-disposition"].startswith("inline")
    unchanged = client.get(url, params={"format": form}, headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304
    assert client.get(url, params={"format": "png"}).headers["content-type"] == "image/png"
    assert client.get(url, params={"format": form, "size": 128}).headers["content-type"] == "image/webp"
    assert client.get(url, params={"format": "tiff"}).status_code == 422
    assert client.get("/api/images/nobody", params={"format": form}).status_code == 404
    upload = client.post("/api/images", files={"file": ("x.png", png, "image/png")}).json()["id"]
    refused = client.get(f"/api/images/{upload}", params={"format": form})
    assert refused.status_code == 422
    assert client.get(f"/api/images/{upload}", params={"format": "png"}).status_code == 200


def test_texts_too_long_for_a_format_are_named(client: httpx.Client) -> None:
    asked = {"prompt": "湖" * 9_999, "negative_prompt": "🌊" * 9_000, "steps": 1}
    picture = finished_picture(client, **asked)
    short = finished_picture(client)
    for form, missing in (("png", None), ("webp", None), ("jpeg", "darkroom")):
        for call in (client.get, client.head):
            answer = call(str(picture["url"]), params={"format": form})
            assert answer.headers.get("darkroom-left-out") == missing
            assert answer.headers["content-type"] == f"image/{form}"
            assert "darkroom-left-out" not in call(str(short["url"]), params={"format": form}).headers
        chosen = {"ids": [picture["id"], short["id"]], "format": form}
        assert client.post("/api/gallery/zip", json=chosen).json()["left_out"] == (missing is not None)
    assert "content-length" not in client.head(str(picture["url"]), params={"format": "jpeg"}).headers


def test_where_and_with_what_a_photograph_was_taken_stays_behind(client: httpx.Client, server: Server) -> None:
    """Neither what is stored, nor a thumbnail, nor what is made of it in any format has a word of it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Secretmaker", "Hidden 7"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.5), 29: "2021:03:04"})
    exif.get_ifd(0x8769)[0xA431] = "SERIAL0815"
    photograph = io.BytesIO()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>48</exif:GPSLatitude></x:xmpmeta>'
    Image.new("RGB", (64, 48), "teal").save(photograph, "JPEG", exif=exif, xmp=xmp, comment=b"at home")
    secrets = [b"Secretmaker", b"Hidden 7", b"SERIAL0815", b"GPS", b"2021:03:04", b"at home"]
    assert all(secret in photograph.getvalue() for secret in secrets if secret != b"GPS")
    stored = client.post("/api/images", files={"file": ("home.jpg", photograph.getvalue(), "image/jpeg")}).json()["id"]
    inline = base64.b64encode(photograph.getvalue()).decode()
    left = [client.get(f"/api/images/{stored}").content, client.get(f"/api/images/{stored}?size=64").content]
    for picture in (stored, inline):
        request = {"init_image": picture, "mask": picture, "prompt": "a lake", "steps": 2}
        answer = client.post("/api/image-to-image", json=request)
        assert answer.status_code == 202, answer.text
        follow(client, answer.json()["id"])
        url = client.get(f"/api/jobs/{answer.json()['id']}").json()["images"][0]["url"]
        left += [client.get(url, params={"format": name}).content for name in ("png", "jpeg", "webp")]
    left += [path.read_bytes() for path in server.data_dir.rglob("*.png")]
    for content in left:
        assert len(content) > 50
        assert [secret for secret in secrets if secret in content] == []

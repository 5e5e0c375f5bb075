"""Jobs over HTTP, as `api.md` has it: submit, look, follow, cancel, fetch the picture."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.api.conftest import Server, events, follow, generate, serving
from webui.requests import to_dict
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.owners import LOCAL
from webui.worker.messages import RawImage


def test_a_prompt_becomes_a_picture(client: httpx.Client) -> None:
    answer = client.post("/api/text-to-image", json={"prompt": "a lake", "steps": 4, "width": 128, "num_images": 2})
    assert answer.status_code == 202
    assert set(answer.json()) == {"id", "position", "request"}
    told = follow(client, answer.json()["id"])
    names = [name for _, name, _ in told]
    assert names[0] == "queued"
    assert names[-1] == "finished"
    assert "started" in names
    assert [id for id, _, _ in told] == list(range(1, len(told) + 1))
    steps = [data for _, name, data in told if name == "step"]
    assert [(step["image"], step["index"]) for step in steps] == [(i, n) for i in (0, 1) for n in (1, 2, 3, 4)]
    assert all(set(s) == {"index", "total", "phase", "image", "preview", "seconds"} for s in steps)
    assert any(step["preview"].startswith("data:image/jpeg;base64,") for step in steps if step["preview"])
    job = client.get(f"/api/jobs/{answer.json()['id']}").json()
    assert set(job) >= {"id", "state", "request", "images", "error", "timings"}
    assert job["state"] == "finished"
    assert job["error"] is None
    assert None not in (job["request"][name] for name in ("checkpoint", "scheduler", "steps", "guidance_scale", "seed"))
    assert len(job["images"]) == 2
    for index, image in enumerate(job["images"]):
        assert set(image) == {"id", "url", "seed", "width", "height", "image", "score", "rank", "critic", "kept"}
        assert image["seed"] == (job["request"]["seed"] + index) % 2**32
        picture = client.get(image["url"])
        assert picture.headers["content-type"] == "image/png"
        found = Image.open(io.BytesIO(picture.content))
        assert found.size == (image["width"], image["height"]) == (128, job["request"]["height"])
        assert json.loads(found.text["darkroom"])["seed"] == image["seed"]
    assert job["images"] == told[-1][2]["images"]


def test_an_old_event_stream_goes_on_where_it_stopped(client: httpx.Client) -> None:
    job = generate(client)
    told = follow(client, job)
    assert follow(client, job, **{"Last-Event-ID": "3"}) == [event for event in told if (event[0] or 0) > 3]
    assert follow(client, job, **{"Last-Event-ID": "nonsense"}) == told
    assert follow(client, job, **{"Last-Event-ID": "9" * 30}) == told


def test_cancelling_is_safe_to_repeat(client: httpx.Client) -> None:
    job = generate(client, prompt="slow delay=0.2", steps=100)
    for _ in range(3):
        assert client.delete(f"/api/jobs/{job}").status_code == 202
    assert follow(client, job)[-1][1] == "cancelled"
    assert client.get(f"/api/jobs/{job}").json()["state"] == "cancelled"
    assert client.delete(f"/api/jobs/{job}").status_code == 202


def test_a_failure_is_worded_in_the_callers_language(client: httpx.Client) -> None:
    job = generate(client, prompt="oom", width=1024, height=1024)
    (_, name, english) = follow(client, job, **{"Accept-Language": "en"})[-1]
    (_, _, chinese) = follow(client, job, **{"Accept-Language": "zh-CN"})[-1]
    assert name == "failed"
    assert english["kind"] == chinese["kind"] == "out_of_memory"
    assert "768×768" in english["hint"]
    assert "768×768" in chinese["hint"]
    assert "内存不足" in chinese["message"]
    error = client.get(f"/api/jobs/{job}").json()["error"]
    assert error["message"] == english["message"]


def test_no_traceback_leaves_the_house(client: httpx.Client) -> None:
    told = follow(client, generate(client, prompt="fail"))
    assert told[-1][1] == "failed"
    assert told[-1][2]["kind"] == "internal"
    assert told[-1][2]["log_id"]
    assert told[-1][2]["log_id"] in told[-1][2]["hint"]
    assert "Traceback" not in json.dumps(told)
    assert ".py" not in json.dumps(told)


UNREADABLE = (
    'request = \'{"task": "text_to_video"}\'',
    "request = json_set(request, '$.looks', 1), state = 'running'",
    "request = '{'",
    "outcome = '[]'",
    "timings = '7'",
)


def stored_jobs(folder: Path) -> list[tuple[object, ...]]:
    with closing(Storage(folder)) as storage:
        return [tuple(row) for row in storage.database.rows("SELECT * FROM jobs ORDER BY number")]


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[httpx.Client]:
    """A server whose jobs, with a picture of the first, cannot be read: their rows are afterwards what they were."""
    request = TextToImage(prompt="a lake", checkpoint="starter", steps=2, seed=4, width=64, height=64)
    with closing(Storage(tmp_path)) as storage:
        for number, change in enumerate(UNREADABLE):
            storage.jobs.insert(f"odd-{number}", LOCAL, to_dict(request), "waiting")
            with storage.database.transaction() as connection:
                connection.execute(f"UPDATE jobs SET {change} WHERE id = ?", (f"odd-{number}",))
        image = RawImage(width=64, height=64, rgb=bytes(64 * 64 * 3), seed=4)
        storage.pictures.save(LOCAL, "odd-0", request, image)
    before = stored_jobs(tmp_path)
    with serving(tmp_path) as server, server.client() as client:
        yield client
    assert stored_jobs(tmp_path)[: len(before)] == before


def test_jobs_that_cannot_be_read_are_listed_as_failed(odd: httpx.Client, tmp_path: Path) -> None:
    listed = odd.get("/api/jobs").json()
    error = listed[0]["error"]
    with closing(sqlite3.connect(tmp_path / "darkroom.sqlite3")) as database:
        created = [moment for (moment,) in database.execute("SELECT created FROM jobs ORDER BY number")]
    assert listed[::-1] == [
        {
            "id": f"odd-{number}", "state": "failed", "request": None, "images": [], "timings": {},
            "created": moment, "steps_kept": [], "can_branch": False, "error": error,
        }
        for number, moment in enumerate(created)
    ]  # fmt: skip
    assert (error["kind"], "another version" in error["message"]) == ("job_unreadable", True)


@pytest.mark.parametrize("number", range(len(UNREADABLE)))
def test_a_job_that_cannot_be_read_only_says_so(odd: httpx.Client, number: int) -> None:
    path = f"/api/jobs/odd-{number}"
    job = odd.get(path).json()
    assert job in odd.get("/api/jobs").json()
    error = job["error"]
    assert "其他版本" in odd.get(path, headers={"Accept-Language": "zh-CN"}).json()["error"]["message"]
    for last_seen in ("0", "999999"):
        ((_, name, data),) = follow(odd, job["id"], **{"Last-Event-ID": last_seen})
        assert (name, data) == ("failed", error)
    for answer in (
        odd.post(f"{path}/keep", json={"step": 1}),
        odd.post(f"{path}/branch", json={"step": 1}),
        odd.get(f"{path}/strip"),
    ):
        assert answer.status_code == 409
        assert answer.json()["error"].items() <= error.items()
    assert odd.delete(path).status_code == 202
    assert odd.get(path).json() == job


def test_jobs_that_cannot_be_read_hold_up_no_others(odd: httpx.Client) -> None:
    listed = odd.get("/api/jobs").json()
    follow(odd, generate(odd))
    assert [job["id"] for job in odd.get("/api/jobs").json()][1:] == [job["id"] for job in listed]
    assert [picture["job"] for picture in odd.get("/api/gallery").json()["pictures"]][1:] == ["odd-0"]
    assert odd.get("/api/queue").json()["waiting"] == 0


def test_the_list_is_newest_first(client: httpx.Client) -> None:
    jobs = [generate(client) for _ in range(3)]
    assert [job["id"] for job in client.get("/api/jobs").json()][:3] == jobs[::-1]
    assert len(client.get("/api/jobs", params={"limit": 1}).json()) == 1
    assert client.get("/api/jobs", params={"limit": -1}).status_code == 422
    assert client.get("/api/jobs", params={"limit": 2**63}).status_code == 422


def test_inline_pictures_are_stored_and_replaced(client: httpx.Client, png: bytes) -> None:
    encoded = base64.b64encode(png).decode()
    stored = client.post("/api/images", files={"file": ("x.png", png, "image/png")}).json()
    assert set(stored) == {"id", "width", "height"}
    for picture in (encoded, f"data:image/png;base64,{encoded}", encoded + "\n", stored["id"]):
        answer = client.post("/api/image-to-image", json={"init_image": picture, "prompt": "x", "steps": 2})
        assert answer.status_code == 202, answer.text
        request = client.get(f"/api/jobs/{answer.json()['id']}").json()["request"]
        assert request["init_image"] == stored["id"]
    more = [{"image": encoded, "weight": 0.5}, {"image": stored["id"]}]
    body = {"content_image": encoded, "style_image": stored["id"], "style_images": more, "iterations": 2}
    answer = client.post("/api/style-transfer", json=body)
    assert answer.status_code == 202
    request = client.get(f"/api/jobs/{answer.json()['id']}").json()["request"]
    assert [style["image"] for style in request["style_images"]] == [stored["id"]] * 2
    assert follow(client, answer.json()["id"])[-1][1] == "finished"


def test_inline_pictures_that_are_none_are_refused(client: httpx.Client, png: bytes) -> None:
    def send(picture: object) -> httpx.Response:
        return client.post("/api/image-to-image", json={"init_image": picture})

    wrong = (
        "abc", "", None, 7, [], "data:", "data:image/png;base64", "data:text/html;base64,PHNjcmlwdD4=", "sha256:zz",
        "http://169.254.169.254/latest", "file:///etc/passwd", "/etc/passwd", "../../etc/passwd",
    )  # fmt: skip
    for picture in wrong:
        answer = send(picture)
        assert answer.status_code == 422, picture
        assert answer.json()["detail"][0]["loc"][:2] == ["body", "init_image"]
    for picture in (base64.b64encode(b"not a picture, whatever it says").decode(), "A" * 17):
        assert send(picture).status_code == 415
        assert send(picture).json()["error"]["kind"] == "not_an_image"
    assert send("sha256:" + "0" * 64).status_code == 404
    large = io.BytesIO()
    Image.new("1", (9000, 9000)).save(large, "PNG")
    answer = send(base64.b64encode(large.getvalue()).decode())
    assert answer.status_code == 413
    assert answer.json()["error"]["kind"] == "image_too_large"


def test_a_long_line_of_spaces_takes_no_time(client: httpx.Client) -> None:
    before = time.monotonic()
    assert client.post("/api/image-to-image", json={"init_image": "A" * 20 + " " * 2_000_000 + "!"}).status_code == 422
    assert time.monotonic() - before < 5


def test_the_pages_stream_tells_of_every_job(server: Server) -> None:
    told: list[tuple[int | None, str, dict[str, object]]] = []
    ready = threading.Event()

    def listen() -> None:
        with server.client() as client, client.stream("GET", "/api/stream") as answer:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-accel-buffering"] == "no"
            for event in events(answer.iter_lines()):
                told.append(event)
                ready.set()
                if {data.get("job") for _, _, data in told if data.get("event") == "finished"} >= set(jobs):
                    return

    jobs: list[str] = ["not known yet"]
    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(10)
    with server.client() as client:
        jobs[:] = [generate(client), generate(client)]
    thread.join(20)
    assert not thread.is_alive()
    assert told[0][1] == "hello"
    for job in jobs:
        mine = [data for _, _, data in told if data.get("job") == job]
        assert [data["event"] for data in mine][-1] == "finished"
        assert sorted(data["id"] for data in mine) == [data["id"] for data in mine]  # type: ignore[type-var]


@pytest.mark.parametrize("path", ["/api/jobs/nobody", "/api/jobs/nobody/events", "/api/images/nobody", "/api/nothing"])
def test_what_is_not_there_is_404(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"kind", "message", "hint"}


def test_many_watchers_do_not_hold_threads(server: Server) -> None:
    with server.client() as client:
        job = generate(client, prompt="slow delay=0.1", steps=100)
        with httpx.Client(
            base_url=server.url, trust_env=False, verify=False, limits=httpx.Limits(max_connections=100)
        ) as many:
            streams = [many.send(many.build_request("GET", f"/api/jobs/{job}/events"), stream=True) for _ in range(60)]
            before = time.monotonic()
            assert client.get("/healthz").status_code == 200
            assert client.get("/api/jobs").status_code == 200
            assert time.monotonic() - before < 3
            client.delete(f"/api/jobs/{job}")
            for stream in streams:
                assert list(events(stream.iter_lines()))[-1][1] == "cancelled"
                stream.close()


def test_one_persons_flood_is_theirs_alone(guarded: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.jobs.queue.MAX_WAITING_OF_OWNER", 3)
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        jobs, refused = [], None
        for _ in range(10):
            answer = anna.post("/api/text-to-image", json={"prompt": "delay=30", "steps": 9})
            if answer.status_code != 202:
                refused = answer
                break
            jobs.append(answer.json()["id"])
        assert refused is not None
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["kind"] == "too_many_jobs"
        assert ben.post("/api/text-to-image", json={"prompt": "x", "steps": 1}).status_code == 202
        for job in jobs:
            anna.delete(f"/api/jobs/{job}").raise_for_status()
        assert follow(anna, jobs[-1])[-1][1] == "cancelled"


def test_hundreds_of_listeners_hold_up_nobody(client: httpx.Client) -> None:
    job = generate(client, prompt="delay=0.5", steps=8)
    with ExitStack() as listeners:
        listening = httpx.Client(base_url=client.base_url, timeout=60, trust_env=False, limits=httpx.Limits())
        listeners.enter_context(listening)
        streams = [
            listeners.enter_context(listening.stream("GET", path))
            for path in (f"/api/jobs/{job}/events", "/api/stream")
            for _ in range(100)
        ]
        assert {stream.status_code for stream in streams} == {200}
        assert client.get("/api/jobs").status_code == 200
        for stream in streams[:100]:
            assert any(line == "event: finished" for line in stream.iter_lines())

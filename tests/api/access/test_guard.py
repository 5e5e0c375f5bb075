"""The guard in front of a real app: names, origins, logins, closed routes, body limits, headers."""

from __future__ import annotations

import base64
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from tests.api.conftest import LOGINS, Server, generate

OPEN = {"/healthz", "/login", "/logout"}
FOREIGN = "https://evil.example"


def all_routes(server: Server) -> list[tuple[str, str]]:
    """Method and a path for every route of the app, FastAPI's and Gradio's alike."""
    found: set[tuple[str, str]] = set()

    def walk(routes: object, prefix: str) -> None:
        for route in routes:  # type: ignore[attr-defined]
            if isinstance(route, Mount):
                app = route.app
                while not hasattr(app, "routes") and hasattr(app, "app"):
                    app = app.app
                found.add(("GET", prefix + route.path + "/index.html"))
                walk(getattr(app, "routes", []), prefix + route.path)
            elif isinstance(route, Route | APIRoute):
                path = "/".join("x" if "{" in part else part for part in (prefix + route.path).split("/"))
                found.update((method, path) for method in route.methods or {"GET"})
            elif hasattr(route, "original_router"):
                walk(route.original_router.routes, prefix)

    walk(server.app.routes, "")
    return sorted(found)


def test_no_route_answers_without_a_login(guarded: Server) -> None:
    routes = all_routes(guarded)
    paths = {path for _, path in routes}
    assert {"/api/jobs/x/events", "/gradio_api/queue/join", "/gradio_api/upload", "/docs", "/openapi.json"} <= paths
    assert len(routes) > 80
    extra = ["/gradio_api/file=/etc/passwd", "/gradio_api/proxy=https://a.example", "/docs/static/swagger-ui.css", "/x"]
    with guarded.client() as client:
        for method, path in [*routes, *(("GET", path) for path in extra)]:
            if path in OPEN:
                continue
            answer = client.request(method, path)
            assert answer.status_code == 401, (method, path, answer.status_code)
            if method != "HEAD":
                assert answer.json()["error"]["kind"] == "login_needed"
            as_person = client.request(method, path, headers={"Accept": "text/html"})
            assert as_person.status_code in (401, 303), (method, path)


def test_a_person_without_a_login_gets_the_form(guarded: Server) -> None:
    with guarded.client(Accept="text/html,*/*") as client:
        answer = client.get("/docs")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=/docs"
        form = client.get(answer.headers["location"])
        assert form.status_code == 200
        assert 'name="next" value="/docs"' in form.text
        assert "default-src 'none'" in form.headers["content-security-policy"]
        assert "登录" in client.get("/login", headers={"Accept-Language": "zh"}).text


def test_health_is_open_and_tells_nothing_of_anybody(guarded: Server) -> None:
    with guarded.client() as client:
        answer = client.get("/healthz")
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert set(answer.json()) == {"status", "worker"}
        assert client.head("/healthz").status_code == 200


@pytest.mark.parametrize("user", [login.split(":")[0] for login in LOGINS])
def test_basic_lets_in(guarded: Server, user: str) -> None:
    with guarded.client(user) as client:
        assert client.get("/api/jobs").status_code == 200
        assert client.get("/").status_code == 200


def test_the_form_lets_in_and_logout_out(guarded: Server) -> None:
    with guarded.client(Accept="text/html") as client:
        form = {"user": "ben", "password": "battery:staple", "next": "/docs"}
        answer = client.post("/login", data=form)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/docs"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert client.get("/api/jobs").status_code == 200
        assert client.get("/login").status_code == 303
        assert client.post("/logout").status_code == 303
        assert client.get("/api/jobs").status_code == 401
        over_tls = client.post("/login", data=form, headers={"X-Forwarded-Proto": "https"})
        assert "Secure" in over_tls.headers["set-cookie"]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", ""])
def test_the_form_leads_to_no_other_site(guarded: Server, target: str) -> None:
    with guarded.client() as client:
        answer = client.post("/login", data={"user": "anna", "password": "correct horse", "next": target})
        assert answer.headers["location"] == "/"


def test_what_is_typed_is_shown_as_text(guarded: Server) -> None:
    with guarded.client() as client:
        user = '"><script>alert(1)</script>'
        headers = {"X-Forwarded-For": "203.0.113.50"}
        answer = client.post("/login", data={"user": user, "password": "x"}, headers=headers)
        assert answer.status_code == 401
        assert "<script>" not in answer.text
        assert "wrong" in answer.text


def test_guessing_is_slowed_down_and_locked_out_but_only_there(guarded: Server) -> None:
    attacker, other = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "198.51.100.4"}
    with guarded.client() as client:
        before = time.monotonic()
        for _ in range(5):
            wrong = base64.b64encode(b"anna:wrong").decode()
            answer = client.get("/api/jobs", headers={**attacker, "Authorization": f"Basic {wrong}"})
            assert answer.status_code == 401
        assert time.monotonic() - before > 2
        right = {"user": "anna", "password": "correct horse"}
        locked = client.post("/login", data=right, headers=attacker)
        assert locked.status_code == 429
        assert 0 < int(locked.headers["retry-after"]) <= 15
        spoofed = {"X-Forwarded-For": "10.1.2.3, 203.0.113.9"}  # what stands first, the attacker wrote
        assert client.post("/login", data=right, headers=spoofed).status_code == 429
        assert client.post("/login", data=right, headers=other).status_code == 303
    with guarded.client("anna", **attacker) as client:
        assert client.get("/api/jobs").status_code == 429


def test_where_all_come_from_one_address_wrong_passwords_lock_nobody_out(guarded: Server) -> None:
    form = {"user": "ben", "password": "wrong"}
    with guarded.client() as client:
        for headers in ({}, {"X-Forwarded-For": "203.0.113.80, 127.0.0.1"}, {"X-Forwarded-For": "192.168.0.7"}):
            for _ in range(2):
                answer = client.post("/login", data=form, headers=headers)
                assert (answer.status_code, "retry-after" in answer.headers) == (401, False)
        began = time.monotonic()
        assert client.post("/login", data=form).status_code == 401
        slowed = time.monotonic() - began
        assert slowed > 0.9, "slower than the first ones"
        quickest = slowed
        for _ in range(3):  # whatever else this machine is doing
            began = time.monotonic()
            right = {"user": "anna", "password": "correct horse"}
            assert client.post("/login", data=right).status_code == 303
            quickest = min(quickest, time.monotonic() - began)
        assert quickest < slowed - 0.5, "another login"
    with guarded.client("ben") as ben:
        began = time.monotonic()
        assert ben.get("/api/jobs").status_code == 200
        assert time.monotonic() - began < 4.5


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Bearer abc", "Basic " + base64.b64encode(b"anna").decode(), "Basic /w==", "basic \xff"],
)
def test_a_header_that_says_nothing_is_no_login(guarded: Server, header: str) -> None:
    with guarded.client() as client:
        answer = client.get("/api/jobs", headers=[(b"Authorization", header.encode("latin-1"))])
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_browser_gets_no_dialog_of_its_own(guarded: Server) -> None:
    with guarded.client(**{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}) as client:
        assert "www-authenticate" not in client.get("/api/jobs").headers


def test_everybody_sees_only_their_own(guarded: Server, png: bytes) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        job = generate(anna)
        while anna.get(f"/api/jobs/{job}").json()["state"] != "finished":
            time.sleep(0.05)
        picture = anna.get(f"/api/jobs/{job}").json()["images"][0]
        upload = anna.post("/api/images", files={"file": ("x.png", png)}).json()["id"]
        assert anna.get(picture["url"]).status_code == 200
        assert anna.get(f"/api/images/{upload}").status_code == 200
        for path in (f"/api/jobs/{job}", f"/api/jobs/{job}/events", picture["url"], f"{picture['url']}?size=128",
                     f"/api/images/{upload}", f"/api/images/{upload}?size=128"):  # fmt: skip
            assert ben.get(path).status_code == 404, path
        assert ben.delete(f"/api/jobs/{job}").status_code == 404
        assert ben.delete(picture["url"]).status_code == 404
        assert ben.post(f"{picture['url']}/restore").status_code == 404
        assert ben.post("/api/image-to-image", json={"init_image": upload}).status_code == 404
        assert job not in ben.get("/api/jobs").text
        assert picture["id"] not in ben.get("/api/gallery").text
        assert ben.get("/api/gallery", params={"before": picture["id"]}).status_code == 404
        assert anna.get(picture["url"]).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://127.0.0.1:1", "http://localhost.evil.example", "file://"])
def test_other_sites_change_nothing(client: httpx.Client, method: str, origin: str) -> None:
    for path in ("/api/text-to-image", "/api/images", "/api/jobs/x", "/gradio_api/run/predict", "/logout"):
        answer = client.request(method, path, headers={"Origin": origin, "Content-Type": "text/plain"}, content=b"{}")
        assert answer.status_code == 403
        assert answer.json()["error"]["kind"] == "foreign_origin"
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_our_own_page_may(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip("/")
    answer = client.post(
        "/api/text-to-image", json={"steps": 1}, headers={"Origin": own, "Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 202
    behind_tls = {"Origin": "https://localhost", "Host": "localhost"}
    assert client.post("/api/text-to-image", json={"steps": 1}, headers=behind_tls).status_code == 202
    assert client.post("/api/text-to-image", json={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_other_sites_embed_nothing_but_may_link(client: httpx.Client) -> None:
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert client.get("/api/jobs", headers={**cross, "Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert client.get("/", headers={**cross, "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_no_answer_invites_other_sites(server: Server) -> None:
    for host in ("abcdef.gradio.live", urlsplit(server.url).netloc):
        with server.client(Host=host, Origin=FOREIGN) as client:
            for path in ("/", "/config", "/api/jobs", "/gradio_api/info"):
                headers = client.get(path).headers
                assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example", "a/b", "x@127.0.0.1"])
def test_answers_only_to_its_own_name(server: Server, host: str) -> None:
    with server.client(Host=host) as client:
        for path in ("/", "/api/jobs", "/healthz"):
            answer = client.get(path)
            assert answer.status_code == 403, path
            assert answer.json()["error"]["kind"] == "foreign_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:7860", "127.0.0.1", "[::1]:7860", "localhost."])
def test_loopbacks_names_are_ours(server: Server, host: str) -> None:
    with server.client(Host=host) as client:
        assert client.get("/healthz").status_code == 200


def test_behind_a_login_any_name_will_do(guarded: Server) -> None:
    with guarded.client("anna", Host="abcdef.gradio.live") as client:
        assert client.get("/api/jobs").status_code == 200


CLOSED = [
    "file=/etc/passwd", "file=https://evil.example/x", "file%3D/etc/passwd", "file/etc/passwd", "proxy=https://a.example",
    "upload", "upload_progress", "component_server", "cancel", "monitoring", "monitoring/summary", "deep_link", "runs",
    "queue/join", "queue/data", "call/predict", "heartbeat/x", "app_id", "token", "user", "login_check", "info",
    "dev/reload", "openapi.json", "startup-events", "stream/x", "run/other",
    "custom_component/x/client/component/index.js",
    "reset", "vibe-edit",
]  # fmt: skip


@pytest.mark.parametrize("path", CLOSED)
def test_gradios_other_routes_are_closed(client: httpx.Client, path: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, f"/gradio_api/{path}")
        assert answer.status_code == 403, answer.text
        assert answer.json()["error"]["kind"] == "forbidden"


@pytest.mark.parametrize(
    "path", ["/config", "/monitoring", "/svelte/x", "/robots.txt", "/manifest.json", "/nothing", "/pwa_icon"]
)
def test_what_nobody_needs_is_not_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/text-to-image", "POST"),
        ("OPTIONS", "/api/style-transfer", "POST"),
        ("PUT", "/api/jobs", "GET"),
        ("HEAD", "/api/jobs", "GET"),
        ("POST", "/api/jobs/x", "GET, DELETE"),
        ("DELETE", "/api/jobs/x/events", "GET"),
        ("PATCH", "/api/images", "POST"),
        ("PUT", "/api/images/x", "GET, HEAD, DELETE"),
        ("GET", "/api/images/x/restore", "POST"),
        ("TRACE", "/api/queue", "GET"),
    ],
)
def test_a_method_that_an_address_does_not_take(client: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert answer.json()["error"]["kind"] == "method_not_allowed"
        assert method in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/jobs/", "/api/jobs/x/y", "/api/jobs/x/events/"])
def test_an_address_that_is_not_there_takes_no_method(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert "allow" not in answer.headers


def raw(server: Server, request: bytes) -> bytes:
    """The first line that the server answers to these very bytes."""
    host, port = urlsplit(server.url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65536).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "path",
    [b"//evil.example/", b"/api/images/..%2f..%2fsecret", b"/assets/../../app.py", b"/static/%2e%2e/%2e%2e/app.py",
     b"/assets/..\\..\\app.py", b"/api/images/%00", b"/gradio_api//file=/etc/passwd", b"/gradio_api/./file=/etc/passwd",
     b"/docs/static/..%2fcore.py"],
)  # fmt: skip
def test_a_path_means_one_thing(server: Server, path: bytes) -> None:
    line = raw(server, b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert line.split()[1] in (b"403", b"404"), line


def test_too_much_is_refused_before_it_is_read(server: Server) -> None:
    head = b"POST /api/images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    assert b" 413 " in raw(server, head + b"Content-Length: 67108865\r\n\r\n")
    for path, most in ((b"/api/walk", 2 * 2**20), (b"/api/text-to-image", 64 * 2**20)):
        head = b"POST " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        assert b" 413 " in raw(server, head + b"Content-Length: %d\r\n\r\n" % (most + 1))
    assert raw(server, head + b"Content-Length: 99999999999999999999999\r\n\r\n").split()[1] in (b"400", b"413")


def test_too_much_without_a_length_is_refused_while_it_comes(client: httpx.Client) -> None:
    def endless() -> object:
        for _ in range(80):
            yield b" " * 2**20

    for path in ("/api/text-to-image", "/api/style-transfer"):
        answer = client.post(path, content=endless(), headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert answer.json()["error"]["kind"] == "body_too_large"


def test_every_answer_has_the_safe_headers(client: httpx.Client) -> None:
    for path in ("/", "/api/jobs", "/api/nothing", "/docs", "/healthz", "/gradio_api/upload"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]


def test_what_is_somebodys_own_stays_in_no_cache(client: httpx.Client, server: Server) -> None:
    for path in ("/api/jobs", "/api/gallery", "/api/queue", "/api/checkpoints", "/api/nothing", "/gradio_api/upload"):
        assert client.get(path).headers["cache-control"] == "no-store", path
    assert client.get("/").headers["cache-control"] == "private, no-cache"
    job = generate(client)
    assert client.get(f"/api/jobs/{job}").headers["cache-control"] == "no-store"
    with client.stream("GET", f"/api/jobs/{job}/events") as stream:
        assert stream.headers["cache-control"] == "no-store"


def test_no_page_names_another_host_to_load_from(client: httpx.Client) -> None:
    for path in ("/docs", "/login"):
        assert "https://" not in client.get(path).text.replace("https://json-schema.org", "")

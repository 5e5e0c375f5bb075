"""The gallery over HTTP: what is found, what can be done to many pictures, and whose they are."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Server, follow, generate


def made(client: httpx.Client, *prompts: str) -> list[str]:
    """Ids of new pictures."""
    ids = []
    for prompt in prompts:
        job = generate(client, prompt=f"{prompt} delay=0", steps=1)
        follow(client, job)
        ids.append(client.get(f"/api/jobs/{job}").json()["images"][0]["id"])
    return ids


def found(client: httpx.Client, **query: object) -> list[str]:
    answer = client.get("/api/gallery", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["pictures"])
    return [picture["id"] for picture in answer.json()["pictures"]]


def test_words_stars_and_boards(client: httpx.Client) -> None:
    fox, lake, both = made(client, "walkingpast a fox", "walkingpast 秋树湖泊", "walkingpast a fox 湖泊")
    assert found(client, q="walkingpast") == [both, lake, fox]
    assert found(client, q="walkingpast 湖") == [both, lake]
    assert found(client, q='fox"* OR (') == []
    assert client.post("/api/gallery/star", json={"ids": [fox, fox, "other"]}).json() == {"ids": [fox]}
    assert found(client, q="walkingpast", starred=True) == [fox]
    first = client.get("/api/gallery", params={"q": "walkingpast", "limit": 2}).json()
    assert (first["total"], first["next"], [one["starred"] for one in first["pictures"]]) == (3, lake, [False, False])
    rest = client.get("/api/gallery", params={"q": "walkingpast", "limit": 2, "before": first["next"]}).json()
    assert (rest["total"], rest["next"], [one["id"] for one in rest["pictures"]]) == (None, None, [fox])

    board = client.post("/api/boards", json={"name": "Foxes"}).json()
    assert client.post("/api/boards", json={"name": "Foxes"}).json() == board
    changed = client.post(f"/api/boards/{board['id']}/pictures", json={"add": [fox, both]}).json()
    assert (changed["count"], changed["cover_url"]) == (2, f"/api/images/{both}?size=256")
    assert client.get(changed["cover_url"]).status_code == 200
    assert found(client, board=board["id"]) == [both, fox]
    assert found(client, board="nobody's") == []
    (picture,) = client.get("/api/gallery", params={"q": "walkingpast fox", "starred": True}).json()["pictures"]
    assert picture["boards"] == [board["id"]]
    assert client.post(f"/api/boards/{board['id']}", json={"name": "Füchse"}).json()["name"] == "Füchse"
    assert client.delete(f"/api/boards/{board['id']}").status_code == 202
    assert board["id"] not in [one["id"] for one in client.get("/api/boards").json()]
    assert client.post(f"/api/boards/{board['id']}/restore").json()["count"] == 2
    other = client.post("/api/boards", json={"name": "Other"}).json()
    clash = client.post(f"/api/boards/{other['id']}", json={"name": "Füchse"})
    assert (clash.status_code, clash.json()["error"]["message"]) == (409, "A board named “Füchse” already exists.")
    for name in ("", " ", "x" * 81):
        answer = client.post("/api/boards", json={"name": name})
        assert answer.status_code == 422, name


def test_one_picture_as_the_list_has_it(client: httpx.Client) -> None:
    (id,) = made(client, "a picture to look at")
    board = client.post("/api/boards", json={"name": "looked at"}).json()["id"]
    client.post(f"/api/boards/{board}/pictures", json={"add": [id]}).raise_for_status()
    (listed,) = client.get("/api/gallery", params={"q": '"a picture to look at"'}).json()["pictures"]
    answer = client.get(f"/api/gallery/{id}")
    assert answer.status_code == 200
    assert answer.json() == listed
    assert (listed["id"], listed["boards"]) == (id, [board])
    client.delete(f"/api/images/{id}").raise_for_status()
    gone = client.get(f"/api/gallery/{id}")
    assert (gone.status_code, gone.json()["error"]["kind"]) == (404, "picture_not_found")
    client.post(f"/api/images/{id}/restore").raise_for_status()
    assert client.get(f"/api/gallery/{id}").json()["id"] == id
    assert client.get("/api/gallery/no-such-picture").status_code == 404


def test_deleting_many_and_bringing_them_back(client: httpx.Client) -> None:
    ids = made(client, "manygone 1", "manygone 2", "manygone 3")
    for _ in range(2):
        assert client.post("/api/gallery/delete", json={"ids": [*ids[:2], "other"]}).json() == {"ids": ids[:2]}
    assert found(client, q="manygone") == [ids[2]]
    for _ in range(2):
        assert client.post("/api/gallery/restore", json={"ids": ids}).json() == {"ids": ids}
    assert found(client, q="manygone") == ids[::-1]
    assert client.post("/api/gallery/delete", json={"ids": []}).json() == {"ids": []}


def test_a_job_names_only_the_pictures_that_are_still_there(client: httpx.Client) -> None:
    job = generate(client, prompt="lessandless delay=0", steps=1, num_images=2)
    follow(client, job)
    both = [image["id"] for image in client.get(f"/api/jobs/{job}").json()["images"]]

    def named() -> list[str]:
        listed = next(one for one in client.get("/api/jobs").json() if one["id"] == job)
        assert listed["images"] == client.get(f"/api/jobs/{job}").json()["images"]
        return [image["id"] for image in listed["images"]]

    client.post("/api/gallery/delete", json={"ids": both[:1]})
    assert named() == both[1:]
    client.post("/api/gallery/delete", json={"ids": both[1:]})
    assert named() == []
    client.post("/api/gallery/restore", json={"ids": both})
    assert named() == both


@pytest.mark.parametrize("what", ["star", "delete", "restore"])
def test_what_many_may_be(client: httpx.Client, what: str) -> None:
    for bad in (
        {},
        {"ids": "all"},
        {"ids": [1]},
        {"ids": ["x"] * 501},
        {"ids": ["x" * 101]},
        {"ids": [], "owner": "x"},
    ):
        assert client.post(f"/api/gallery/{what}", json=bad).status_code == 422, bad
    assert client.post(f"/api/gallery/{what}", json={"ids": ["%", "' OR 1=1 --"]}).status_code == 404
    assert client.post(f"/api/gallery/{what}", content=b"ids=1").status_code == 415


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 201}, {"limit": "all"}, {"q": "x" * 1001}, {"since": "nan"}, {"until": "inf"},
     {"since": -1}, {"starred": "perhaps"}, {"board": "x" * 101}],
)  # fmt: skip
def test_what_a_page_may_be(client: httpx.Client, query: dict[str, str | int]) -> None:
    assert client.get("/api/gallery", params=query).status_code == 422


def test_a_picture_of_anothers_is_none(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        (id,) = made(anna, "a picture of anna's")
        assert anna.get(f"/api/gallery/{id}").status_code == 200
        assert (ben.get(f"/api/gallery/{id}").status_code, ben.get("/api/gallery/none").status_code) == (404, 404)


def test_nobody_reaches_anothers(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben, guarded.client() as nobody:
        (hers,) = made(anna, "hers alone")
        board = anna.post("/api/boards", json={"name": "Secret"}).json()["id"]
        anna.post(f"/api/boards/{board}/pictures", json={"add": [hers]})
        anna.post("/api/gallery/star", json={"ids": [hers]})
        for path, body in (
            ("/api/gallery/star", {"ids": [hers], "starred": False}),
            ("/api/gallery/delete", {"ids": [hers]}),
            ("/api/gallery/restore", {"ids": [hers]}),
            (f"/api/boards/{board}", {"name": "Mine"}),
            (f"/api/boards/{board}/pictures", {"remove": [hers]}),
            (f"/api/boards/{board}/restore", {}),
        ):
            assert ben.post(path, json=body).status_code == 404, path
            assert nobody.post(path, json=body).status_code == 401, path
        assert ben.delete(f"/api/boards/{board}").status_code == 404
        assert (ben.get("/api/boards").json(), found(ben, q="hers"), found(ben, board=board)) == ([], [], [])
        mine = ben.post("/api/boards", json={"name": "Secret"}).json()["id"]
        assert ben.post(f"/api/boards/{mine}/pictures", json={"add": [hers]}).json()["count"] == 0
        assert found(anna, board=board, starred=True) == [hers]

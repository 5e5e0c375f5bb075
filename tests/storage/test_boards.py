"""Stars and boards: whose they are, that nothing is lost with them, and that they outlive the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.owners import ANN, BOB
from tests.storage.conftest import raw
from webui.errors import BoardExists, BoardNotFound, InvalidRequest, TooManyBoards
from webui.requests.diffusion import TextToImage
from webui.storage import Storage, boards
from webui.storage.adoption import marks_of, rebuild, write_marks
from webui.storage.listing import Wanted
from webui.storage.marks import MARKS_FILE, read_marks
from webui.storage.owners import Owner


def save(storage: Storage, request: TextToImage, count: int, owner: Owner = ANN) -> list[str]:
    return [storage.pictures.save(owner, f"{owner.name}-{n}", request, raw(n)).id for n in range(count)]


def on(storage: Storage, board: str, owner: Owner = ANN, **wanted: object) -> list[str]:
    return [picture.id for picture in storage.pictures.list(owner, wanted=Wanted(board=board, **wanted))]  # type: ignore[arg-type]


def test_stars(storage: Storage, request_: TextToImage) -> None:
    ids, theirs = save(storage, request_, 3), save(storage, request_, 1, BOB)
    for _ in range(2):
        assert storage.pictures.star(ANN, [*ids[:2], *theirs, "nobody's"]) == set(ids[:2])
    assert [picture.id for picture in storage.pictures.list(ANN, wanted=Wanted(starred=True))] == ids[1::-1]
    assert storage.pictures.count(ANN, Wanted(starred=True)) == 2
    assert not storage.pictures.get(BOB, theirs[0]).starred
    assert storage.pictures.star(ANN, ids[:1], starred=False) == {ids[0]}
    assert [picture.starred for picture in storage.pictures.list(ANN)] == [False, True, False]


def test_a_board_and_its_pictures(storage: Storage, request_: TextToImage) -> None:
    ids = save(storage, request_, 4)
    board = storage.boards.create(ANN, "  Boats\n at  sea ")
    assert board.name == "Boats at sea"
    assert storage.boards.create(ANN, "Boats at sea").id == board.id, "the same name is the same board"
    for _ in range(2):
        board = storage.boards.change(ANN, board.id, add=[ids[0], ids[2], "nobody's"])
    assert (board.count, board.cover) == (2, ids[2])
    assert on(storage, board.id) == [ids[2], ids[0]]
    assert on(storage, board.id, query="lake") == [ids[2], ids[0]]
    assert on(storage, board.id, query="hill") == []
    assert storage.pictures.count(ANN, Wanted(board=board.id)) == 2
    assert storage.boards.of(ANN, ids) == {ids[0]: (board.id,), ids[2]: (board.id,)}
    storage.pictures.star(ANN, [ids[0]])
    assert on(storage, board.id, starred=True) == [ids[0]]
    storage.pictures.delete(ANN, ids[2])
    assert storage.boards.list(ANN)[0].cover == ids[0]
    storage.pictures.restore(ANN, ids[2])
    assert on(storage, board.id) == [ids[2], ids[0]]
    assert storage.boards.change(ANN, board.id, remove=ids).count == 0
    assert len(storage.pictures.list(ANN)) == 4


def test_deleting_a_board_keeps_its_pictures_and_can_be_undone(storage: Storage, request_: TextToImage) -> None:
    ids = save(storage, request_, 2)
    board = storage.boards.create(ANN, "Boats")
    storage.boards.change(ANN, board.id, add=ids)
    for _ in range(2):
        storage.boards.delete(ANN, board.id)
    assert (storage.boards.list(ANN), on(storage, board.id)) == ([], [])
    assert storage.boards.of(ANN, ids) == {}
    assert len(storage.pictures.list(ANN)) == 2
    for _ in range(2):
        assert storage.boards.restore(ANN, board.id).count == 2
    storage.boards.delete(ANN, board.id)
    other = storage.boards.create(ANN, "Boats")
    assert other.id != board.id
    with pytest.raises(BoardExists) as caught:
        storage.boards.restore(ANN, board.id)
    assert caught.value.details == {"name": "Boats"}


def test_names(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["b", "A", "画板", "<script>alert(1)</script>", "'; DROP TABLE boards; --", "../../etc", "x" * 80]
    created = [storage.boards.create(ANN, name) for name in names]
    assert {board.name for board in storage.boards.list(ANN)} == set(names)
    assert [board.name for board in storage.boards.list(ANN)][-3:] == ["b", "x" * 80, "画板"]
    for bad in ("", " \n ", "\0", "x" * 81, "x" * 10**7):
        with pytest.raises(InvalidRequest):
            storage.boards.create(ANN, bad)
    assert storage.boards.rename(ANN, created[0].id, "b").name == "b"
    with pytest.raises(BoardExists):
        storage.boards.rename(ANN, created[0].id, "A")
    assert storage.boards.create(BOB, "A").count == 0, "other people's names are their own"
    monkeypatch.setattr(boards, "MAX_BOARDS", len(names))
    with pytest.raises(TooManyBoards):
        storage.boards.create(ANN, "one more")


@pytest.mark.parametrize("id", ["", "nothing", "%", "' OR 1=1 --", "x" * 10_000])
def test_nobody_touches_anothers_board(storage: Storage, request_: TextToImage, id: str) -> None:
    (mine,), (theirs,) = save(storage, request_, 1), save(storage, request_, 1, BOB)
    board = storage.boards.create(BOB, "Secret")
    storage.boards.change(BOB, board.id, add=[theirs, mine])
    assert on(storage, board.id, BOB) == [theirs]
    for other in (board.id, id):
        for refused in (
            lambda other=other: storage.boards.get(ANN, other),
            lambda other=other: storage.boards.rename(ANN, other, "Mine"),
            lambda other=other: storage.boards.delete(ANN, other),
            lambda other=other: storage.boards.restore(ANN, other),
            lambda other=other: storage.boards.change(ANN, other, add=[mine]),
        ):
            with pytest.raises(BoardNotFound):
                refused()
        assert on(storage, other) == []
    assert storage.boards.list(BOB)[0].name == "Secret"


def test_all_of_it_outlives_the_database(tmp_path: Path, request_: TextToImage) -> None:
    storage = Storage(tmp_path)
    ids = save(storage, request_, 5)
    seeds = {picture.id: picture.seed for picture in storage.pictures.list(ANN)}
    storage.pictures.star(ANN, ids[:3])
    storage.pictures.star(ANN, ids[:1], starred=False)
    boats, gone = storage.boards.create(ANN, "Boats"), storage.boards.create(ANN, "ProcessEnded")
    storage.boards.change(ANN, boats.id, add=[ids[1], ids[4]])
    storage.boards.change(ANN, boats.id, remove=[ids[4]])
    storage.boards.rename(ANN, boats.id, "Schiffe 船")
    storage.boards.delete(ANN, gone.id)
    storage.pictures.delete(ANN, ids[3])
    said = marks_of(storage.database, ANN)
    storage.close()
    marks = next(tmp_path.glob(f"pictures/*/{MARKS_FILE}"))
    with marks.open("ab") as file:
        file.write(b'{"picture": "half a li')  # killed in the middle of a line
    for path in tmp_path.glob("darkroom.sqlite3*"):
        path.unlink()
    storage = Storage(tmp_path)
    found = storage.pictures.list(ANN)
    assert [(picture.seed, picture.starred) for picture in found] == [(4, False), (2, True), (1, True), (0, False)]
    (board,) = storage.boards.list(ANN)
    assert (board.id, board.name, board.count) == (boats.id, "Schiffe 船", 1)
    assert [seeds[ids[1]]] == [picture.seed for picture in storage.pictures.list(ANN, wanted=Wanted(board=board.id))]
    storage.pictures.star(ANN, [found[0].id])
    assert read_marks(marks).pictures[found[0].path.relative_to(storage.pictures.folder).as_posix()] == {
        "starred": True
    }
    write_marks(storage.database, storage.pictures.marks)
    assert read_marks(marks) == marks_of(storage.database, ANN) != said
    assert rebuild(storage.pictures, storage.boards, storage.database).pictures == 0, "twice is once"
    storage.close()


@pytest.mark.parametrize(
    "line", ["", "null", "[]", "{", '{"board": 3, "name": "x"}', '{"picture": "a", "kept": "x"}', "[" * 9999]
)
def test_a_line_that_makes_no_sense_hides_no_other(tmp_path: Path, line: str) -> None:
    path = tmp_path / MARKS_FILE
    path.write_text(f'{line}\n{{"picture": "b", "starred": true}}\n')
    said = read_marks(path)
    assert said.pictures.pop("b") == {"starred": True}
    assert not any(said.pictures.values())
    assert (said.boards, said.on_boards) == ({}, {})

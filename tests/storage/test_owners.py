"""People and their private sessions, and how both stand in a column."""

from __future__ import annotations

import sqlite3

import pytest

from webui.storage.owners import Owner, PrivateOwner, owner_of_key

SESSIONS = [PrivateOwner("ann", "one"), PrivateOwner("ann", "two"), PrivateOwner("ann", "one", is_passing=True)]


@pytest.mark.parametrize("owner", [Owner("ann"), Owner("local"), Owner("李秀英"), Owner(""), *SESSIONS])
def test_a_column_says_whose_it_is(owner: Owner) -> None:
    connection = sqlite3.connect(":memory:")
    (column,) = connection.execute("SELECT ?", (owner,)).fetchone()
    connection.close()
    assert column == owner.key
    assert owner_of_key(column) == owner


def test_a_persons_column_is_their_name() -> None:
    assert Owner("ann").key == "ann"


def test_nobody_in_private_mode_is_the_person_or_another_session() -> None:
    assert len({Owner("ann"), *SESSIONS}) == 4
    assert len({owner.key for owner in (Owner("ann"), *SESSIONS)}) == 4
    assert [owner.is_private for owner in (Owner("ann"), *SESSIONS)] == [False, True, True, True]

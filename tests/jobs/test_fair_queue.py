"""Round robin between owners, in order within one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.owners import ANN, BOB
from webui.jobs.fair_queue import FairQueue
from webui.storage.owners import Owner


def drained(line: FairQueue) -> list[str]:
    taken = []
    while (job_id := line.take()) is not None:
        taken.append(job_id)
    return taken


def test_one_job_waits_for_one_of_a_thousand() -> None:
    line = FairQueue()
    for number in range(1000):
        line.add(ANN, f"ann{number}")
    assert line.take() == "ann0"
    line.add(BOB, "bob0")
    assert line.order().index("bob0") == 0
    assert line.take() == "bob0"
    assert line.take() == "ann1"


def test_a_job_put_back_comes_first() -> None:
    line = FairQueue()
    for owner in (ANN, BOB):
        for number in range(2):
            line.add(owner, f"{owner.name}{number}")
    job_id = line.take()
    assert job_id == "ann0"
    line.put_back(ANN, job_id)
    assert line.order() == ["ann0", "bob0", "ann1", "bob1"]


def test_removing() -> None:
    line = FairQueue()
    line.add(ANN, "one")
    assert line.remove(ANN, "one")
    assert not line.remove(ANN, "one")
    assert not line.remove(BOB, "one")
    assert line.take() is None
    assert len(line) == 0


@given(st.lists(st.tuples(st.sampled_from([Owner(name) for name in "abc"]), st.booleans()), max_size=40))
def test_the_order_told_is_the_order_taken(moves: list[tuple[Owner, bool]]) -> None:
    line, added, taken = FairQueue(), [], []
    for number, (owner, is_take) in enumerate(moves):
        if is_take:
            taken += [job_id] if (job_id := line.take()) else []
        else:
            line.add(owner, f"{owner.name}{number}")
            added.append(f"{owner.name}{number}")
    order = line.order()
    assert len(line) == len(order)
    assert drained(line) == order
    assert Counter(taken + order) == Counter(added)
    for owner in "abc":  # each owner's own jobs keep their order
        assert [j for j in taken + order if j[0] == owner] == [j for j in added if j[0] == owner]

"""Round robin between owners, in order within one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from webui.jobs.fair_queue import FairQueue


def drained(line: FairQueue) -> list[str]:
    taken = []
    while (job_id := line.take()) is not None:
        taken.append(job_id)
    return taken


def test_one_job_waits_for_one_of_a_thousand() -> None:
    line = FairQueue()
    for number in range(1000):
        line.add("ann", f"ann{number}")
    assert line.take() == "ann0"
    line.add("bob", "bob0")
    assert line.order().index("bob0") == 0
    assert line.take() == "bob0"
    assert line.take() == "ann1"


def test_a_job_put_back_comes_first() -> None:
    line = FairQueue()
    for owner in ("ann", "bob"):
        for number in range(2):
            line.add(owner, f"{owner}{number}")
    job_id = line.take()
    assert job_id == "ann0"
    line.put_back("ann", job_id)
    assert line.order() == ["ann0", "bob0", "ann1", "bob1"]


def test_removing() -> None:
    line = FairQueue()
    line.add("ann", "one")
    assert line.remove("ann", "one")
    assert not line.remove("ann", "one")
    assert not line.remove("bob", "one")
    assert line.take() is None
    assert len(line) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))
def test_the_order_told_is_the_order_taken(moves: list[tuple[str, bool]]) -> None:
    line, added, taken = FairQueue(), [], []
    for number, (owner, is_take) in enumerate(moves):
        if is_take:
            taken += [job_id] if (job_id := line.take()) else []
        else:
            line.add(owner, f"{owner}{number}")
            added.append(f"{owner}{number}")
    order = line.order()
    assert len(line) == len(order)
    assert drained(line) == order
    assert Counter(taken + order) == Counter(added)
    for owner in "abc":  # each owner's own jobs keep their order
        assert [j for j in taken + order if j[0] == owner] == [j for j in added if j[0] == owner]

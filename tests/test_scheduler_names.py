"""Names of schedulers: ours, the labels, and those of other programs."""

from __future__ import annotations

import pytest

from webui.scheduler_names import SCHEDULERS, canonical_scheduler, canonical_sigmas, has_sigmas


def test_every_name_leads_to_one_scheduler() -> None:
    for known in SCHEDULERS:
        for name in (known.id, known.name, *known.aliases):
            assert canonical_scheduler(f" {name.upper()} ") == (known.id, None)


@pytest.mark.parametrize("name", ["", "magic", "magic karras", "karras", "DPM++ 2M Magic"])
def test_an_unknown_name_is_none(name: str) -> None:
    assert canonical_scheduler(name) is None


def test_combined_names_carry_their_sigmas() -> None:
    assert canonical_scheduler("DPM++ 2M SDE Karras") == ("dpmpp_2m_sde", "karras")
    assert canonical_sigmas("Automatic") == "default"
    assert canonical_sigmas("KL Optimal") is None


def test_who_has_sigmas() -> None:
    assert has_sigmas("dpmpp_2m")
    assert not has_sigmas("ddim")

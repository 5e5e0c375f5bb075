"""Names of schedulers: ours, the labels, and those of other programs."""

from __future__ import annotations

import pytest

from webui.schedulers import (
    NEAREST,
    SCHEDULERS,
    adds_noise,
    canonical_scheduler,
    canonical_sigmas,
    has_sigmas,
    nearest_scheduler,
    nearest_sigmas,
)


def test_every_name_leads_to_one_scheduler() -> None:
    for known in SCHEDULERS:
        for name in (known.id, known.name, *known.aliases):
            assert canonical_scheduler(f" {name.upper()} ") == (known.id, None)


@pytest.mark.parametrize("name", ["", "magic", "magic karras", "karras", "DPM++ 2M Magic"])
def test_an_unknown_name_is_none(name: str) -> None:
    assert canonical_scheduler(name) is None


def test_combined_names_carry_their_sigmas() -> None:
    assert canonical_scheduler("DPM++ 2M SDE Karras") == ("dpmpp_2m_sde", "karras")
    assert canonical_scheduler("DPM++ 2M SDE Heun Exponential") == ("dpmpp_2m_sde_heun", "exponential")
    assert canonical_scheduler("DPM2 a Karras") == ("dpm2_a", "karras")
    assert canonical_scheduler("Euler Align Your Steps") == ("euler", "ays")
    assert canonical_scheduler("LMS Karras") == ("lms", "karras")
    assert canonical_scheduler("k_dpmpp_3m_sde_exp") == ("dpmpp_3m_sde", "exponential")
    assert canonical_scheduler("dpmpp_2m_k") == ("dpmpp_2m", "karras")
    assert canonical_scheduler("DDIM Karras") is None  # it has no such
    assert canonical_sigmas("SGM Uniform") == canonical_sigmas("SGMUniform") == "sgm_uniform"
    assert canonical_sigmas("Align Your Steps") == "ays"
    assert canonical_sigmas("Automatic") == canonical_sigmas("Uniform") == canonical_sigmas("normal") == "default"
    assert canonical_sigmas("Automatic", "euler_a") == "default"
    assert canonical_sigmas("Automatic", "dpmpp_2m") == "karras"
    assert canonical_sigmas("automatic", "dpmpp_3m_sde") == "exponential"
    assert canonical_sigmas("KL Optimal") is None
    assert nearest_sigmas("KL Optimal") == "Align Your Steps"
    assert nearest_sigmas("Polyexponential") == "Exponential"
    assert nearest_sigmas("magic") is None


def test_who_has_sigmas() -> None:
    assert has_sigmas("dpmpp_2m")
    assert not has_sigmas("ddim")


def test_a_rule_that_is_not_here_names_the_nearest() -> None:
    labels = {known.name for known in SCHEDULERS}
    for name, nearest in NEAREST.items():
        assert canonical_scheduler(name) is None
        assert nearest in labels
        assert nearest_scheduler(name.upper()) == nearest
    assert nearest_scheduler("DPM++ 2S a Karras") == "DPM++ SDE"
    assert nearest_scheduler("k_dpmpp_2s_a_ka") == "DPM++ SDE"
    assert nearest_scheduler("k_dpm_ad") == nearest_scheduler("k_dpm_fast") == "DPM++ 2M"
    assert nearest_scheduler("ddim_cfgpp") == "DDIM"
    assert nearest_scheduler("magic") is None


def test_eta_decides_whether_there_is_noise() -> None:
    assert (adds_noise("euler_a"), adds_noise("euler_a", 0.0)) == (True, False)
    assert (adds_noise("ddim"), adds_noise("ddim", 0.1)) == (False, True)
    assert (adds_noise("dpmpp_2m"), adds_noise("dpmpp_sde")) == (False, True)

"""How long a picture takes here, what fits, and which three are shown first."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.downloads.measured import MEASURED
from webui.downloads.bundles import read_offered
from webui.downloads.estimates import OVERHEAD, SLOW_SECONDS, estimate, recommend
from webui.downloads.machine import FILE_NAME, Machine, SelfMeasurement
from webui.settings import ROOT, Settings

SHIPPED = read_offered(ROOT / "presets")
TWO_CORES = Machine.model_validate(MEASURED)
LARGE_GPU = {"kind": "cuda", "convolution_flops": 2e14, "matmul_flops": 4e14, "device_memory_bytes": 141 * 10**9}


def machine(**changes: object) -> Machine:
    return Machine.model_validate(MEASURED | changes)


def seconds(id: str, on: Machine) -> float:
    bundle = SHIPPED.bundle(id)
    assert bundle is not None
    return estimate(bundle, SHIPPED.costs, on).seconds


def cards(on: Machine) -> dict[str, list[str]]:
    estimates = {bundle.id: estimate(bundle, SHIPPED.costs, on) for bundle in SHIPPED.bundles}
    by_card: dict[str, list[str]] = {}
    for id, found in recommend(SHIPPED.bundles, estimates).items():
        assert estimates[id].fits
        assert estimates[id].seconds <= SLOW_SECONDS
        for card in found:
            by_card.setdefault(card, []).append(id)
    return by_card


def test_seconds_follow_from_counted_work_and_measured_speed() -> None:
    work = SHIPPED.costs["sd15_512"]
    text, tiny = SHIPPED.costs["clip_l"], SHIPPED.costs["taesd_512"]
    expected = 4 * (work.convolution / 0.6 + work.matmul / 0.8) + text.matmul / 0.8 + tiny.convolution / 0.6
    assert seconds("sd15-lcm", TWO_CORES) == pytest.approx(OVERHEAD * expected)


def test_seconds_are_near_what_was_measured_and_published() -> None:
    assert 1.5 < seconds("sd-turbo", TWO_CORES) < 4  # 2 to 2.5 s derived for two cores with bf16
    assert 6 < seconds("sd15-lcm", TWO_CORES) < 11  # 7 to 8 s
    assert seconds("z-image-turbo", TWO_CORES) > 4 * 60


def test_half_the_speed_takes_twice_the_time() -> None:
    slower = machine(convolution_flops=3e11, matmul_flops=4e11)
    assert seconds("sdxl", slower) == pytest.approx(2 * seconds("sdxl", TWO_CORES))


def test_a_gpu_decodes_in_full() -> None:
    gpu = machine(kind="cuda")
    assert seconds("sd-turbo", gpu) > 1.5 * seconds("sd-turbo", TWO_CORES)


def test_a_small_machine_without_bf16_keeps_large_weights_in_16_bits() -> None:
    bundle = SHIPPED.bundle("sdxl-turbo")
    assert bundle is not None
    needed = {
        gigabytes: estimate(bundle, SHIPPED.costs, machine(precision="fp32", device_memory_bytes=gigabytes * 10**9))
        for gigabytes in (8, 16, 64)
    }
    assert needed[16].memory_bytes == needed[8].memory_bytes < 0.6 * needed[64].memory_bytes
    assert [one.fits for one in needed.values()] == [False, True, True]


def test_three_cards_on_two_cores() -> None:
    found = cards(TWO_CORES)
    assert found["quick"] == ["sd-turbo"]
    assert len(found["best"]) == len(found["edits"]) == 1
    assert "inpainting" in found["edits"][0]


def test_three_cards_on_a_large_gpu() -> None:
    assert cards(machine(**LARGE_GPU)) == {"quick": ["sd-turbo"], "best": ["qwen-image"], "edits": ["sdxl-inpainting"]}


def test_nothing_slow_is_ever_recommended() -> None:
    assert cards(machine(convolution_flops=1e9, matmul_flops=1e9)) == {}


def test_nothing_that_does_not_fit_is_recommended() -> None:
    assert cards(machine(device_memory_bytes=3 * 10**9, host_memory_bytes=3 * 10**9)) == {}
    small = machine(**LARGE_GPU | {"device_memory_bytes": 8 * 10**9, "host_memory_bytes": 16 * 10**9})
    assert all("qwen" not in id and "flux" not in id for ids in cards(small).values() for id in ids)


def test_this_machine_is_measured_once_and_remembered(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    measurement = SelfMeasurement(settings, "tests.downloads.measured")
    assert measurement.now() is None
    assert measurement.wait() == TWO_CORES
    again = SelfMeasurement(settings, "tests.no_such_module")
    assert again.wait() is None  # another program's figures are not these
    assert SelfMeasurement(settings, "tests.downloads.measured").now() == TWO_CORES
    assert SelfMeasurement(Settings(data_dir=tmp_path, device="cuda"), "tests.downloads.measured").now() is None


@pytest.mark.parametrize(("load", "is_disturbed"), [(9.0, True), (0.0, False)])
def test_a_measurement_beside_busy_programs_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: float, is_disturbed: bool
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    SelfMeasurement(Settings(data_dir=tmp_path), "tests.downloads.measured").wait()
    first = json.loads((tmp_path / FILE_NAME).read_text())
    assert first["is_disturbed"] is is_disturbed
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    assert SelfMeasurement(Settings(data_dir=tmp_path), "tests.downloads.measured").wait() == TWO_CORES
    assert (json.loads((tmp_path / FILE_NAME).read_text())["measured"] > first["measured"]) is is_disturbed


@pytest.mark.parametrize("content", ["", "[]", '{"key": 1}', '{"key": {}, "measured": 1, "machine": {"device": "x"}}'])
def test_a_file_that_cannot_be_read_is_measured_again(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert SelfMeasurement(Settings(data_dir=tmp_path), "tests.downloads.measured").wait() == TWO_CORES


def test_nothing_is_measured_while_a_picture_is_drawn(tmp_path: Path) -> None:
    measurement = SelfMeasurement(Settings(data_dir=tmp_path), "tests.downloads.measured", lambda: True)
    assert measurement.wait() is None
    assert list(tmp_path.iterdir()) == []


def test_a_measurement_ends_with_the_program(tmp_path: Path) -> None:
    measurement = SelfMeasurement(Settings(data_dir=tmp_path), "webui.engine.self_measurement")
    measurement.now()
    time.sleep(0.2)
    start = time.monotonic()
    measurement.close()
    assert time.monotonic() - start < 2
    assert measurement.now() is None


@pytest.mark.slow
def test_the_real_measurement_prints_what_is_read(tmp_path: Path) -> None:
    found = SelfMeasurement(Settings(data_dir=tmp_path, device="cpu"), "webui.engine.self_measurement").wait()
    assert found is not None
    assert found.is_cpu
    assert found.matmul_flops > 1e9
    assert json.loads((tmp_path / FILE_NAME).read_text())["machine"]["device"] == "CPU"

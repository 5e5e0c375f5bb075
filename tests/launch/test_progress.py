"""What pip's lines say of how far it is."""

from __future__ import annotations

from webui.launch.console import describe
from webui.launch.progress import ProgressMeter


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_download_has_name_speed_and_time_left() -> None:
    clock = Clock()
    meter = ProgressMeter(200_000_000, with_tests=False, clock=clock)
    meter.enter("torch")
    meter.feed("  Downloading torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl (191.8 MB)\n")
    for second in range(5):
        clock.seconds = float(second)
        meter.feed(f"Progress {second * 10_000_000} of 200000000\n")
    now = meter.snapshot()
    assert now.file.startswith("torch-2.13.0")
    assert (now.file_bytes, now.file_total_bytes) == (40_000_000, 200_000_000)
    assert now.bytes_per_second == 10_000_000
    assert now.seconds_left is not None
    assert 20 < now.seconds_left < 120
    assert 0.05 < now.fraction < 0.2
    assert describe(now, "en").startswith("torch · ")
    assert "10.0 MB/s" in describe(now, "en")
    assert "约剩" in describe(now, "zh-CN")


def test_the_fraction_never_falls_and_ends_below_one_until_it_starts() -> None:
    clock = Clock()
    meter = ProgressMeter(200_000_000, with_tests=True, clock=clock)
    fractions = []
    for stage in ("preparing", "torch", "packages", "installing", "starting"):
        meter.enter(stage)  # type: ignore[arg-type]
        for done in (0, 30_000_000, 60_000_000):
            clock.seconds += 1
            meter.feed(f"Progress {done} of 60000000\n")
            fractions.append(meter.snapshot().fraction)
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1


def test_wheels_from_the_cache_and_from_folders_are_named() -> None:
    meter = ProgressMeter(1, with_tests=False)
    meter.enter("packages")
    for line, name in [
        ("Processing /opt/wheels/torch-2.13.0+cpu-cp311.whl", "torch-2.13.0+cpu-cp311.whl"),
        ("  Using cached gradio-6.31.0-py3-none-any.whl (31.4 MB)", "gradio-6.31.0-py3-none-any.whl"),
        ("Collecting diffusers<0.50,>=0.40 (from x)", "diffusers"),
    ]:
        meter.feed(line)
        assert meter.snapshot().file == name


def test_unpacking_names_no_file() -> None:
    meter = ProgressMeter(1, with_tests=False)
    meter.enter("packages")
    meter.feed("Collecting gradio")
    meter.feed("Installing collected packages: a, b")
    assert meter.snapshot().file == ""
    assert describe(meter.snapshot(), "en").startswith("Unpacking")


def test_other_lines_change_nothing() -> None:
    meter = ProgressMeter(1, with_tests=False)
    before = meter.snapshot()
    meter.feed("WARNING: something\n")
    meter.feed("\n")
    assert meter.snapshot() == before

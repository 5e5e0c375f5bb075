"""How `.venv` is made and filled; pip is played by a script in its place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.launch.conftest import FakePip
from webui.launch import install as module
from webui.launch.environment import Environment
from webui.launch.install import install
from webui.launch.launch_error import LaunchError
from webui.launch.progress import ProgressMeter
from webui.launch.torch_wheel import TorchWheel

CPU = TorchWheel("CPU", "https://index.example/cpu", 1)
PLAIN = TorchWheel("Apple", None, 1)
ROOT = Path(__file__).resolve().parent.parent.parent


def run(environment: Environment, wheel: TorchWheel = PLAIN) -> ProgressMeter:
    meter = ProgressMeter(1, with_tests=False)
    install(environment, wheel, meter, lambda: None)
    return meter


def wanted(call: list[str]) -> list[str]:
    """What a call of pip asks for, without how."""
    return [word for word in call if "==" in word or ">=" in word]


def test_torch_comes_first_and_is_named_again_with_the_rest(environment: Environment, pip: FakePip) -> None:
    run(environment)
    assert [wanted(call) for call in pip.calls] == [["torch==2.13.0"], ["torch==2.13.0", "pillow>=12.3,<13"]]
    assert not any("index" in word for call in pip.calls for word in call)
    assert environment.is_installed()


def test_the_extra_is_installed_with_the_rest(root: Path, pip: FakePip) -> None:
    run(Environment(root, "test"))
    assert wanted(pip.calls[1]) == ["torch==2.13.0", "pillow>=12.3,<13", "pytest>=8.4,<10"]
    assert Environment(root, "test").is_installed()
    assert Environment(root).is_installed()


def test_only_torch_sees_the_index(environment: Environment, pip: FakePip) -> None:
    run(environment, CPU)
    assert pip.calls[0][-2:] == ["--extra-index-url", "https://index.example/cpu"]
    assert "--extra-index-url" not in pip.calls[1]


def test_an_index_that_is_lost_on_the_way_gives_the_plain_package(environment: Environment, pip: FakePip) -> None:
    pip.will((["WARNING: NewConnectionError"], 1))
    run(environment, CPU)
    assert [wanted(call) for call in pip.calls][:2] == [["torch==2.13.0"], ["torch==2.13.0"]]
    assert "--extra-index-url" not in pip.calls[1]
    assert environment.is_installed()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("ERROR: Failed to establish a new connection: [Errno 111]", "no_connection"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk_full"),
        ("ERROR: No matching distribution found for torch==2.13.0", "pip_failed"),
    ],
)
def test_what_pip_cannot_do_is_said(environment: Environment, pip: FakePip, line: str, kind: str) -> None:
    pip.will((["Collecting torch", line], 1))
    with pytest.raises(LaunchError) as raised:
        run(environment)
    assert raised.value.kind == kind
    assert not environment.is_installed()
    assert line in (environment.folder / "install.log").read_text()


def test_what_was_interrupted_goes_on(environment: Environment, pip: FakePip) -> None:
    pip.will(([], 0), (["ERROR: broken"], 1))
    with pytest.raises(LaunchError):
        run(environment)
    run(environment)
    assert environment.is_installed()
    assert len(pip.calls) == 4


def test_pips_lines_move_the_meter_and_raw_progress_stays_out_of_the_log(
    environment: Environment, pip: FakePip
) -> None:
    pip.will((["Downloading torch-2.13.0.whl (1 MB)", "Progress 5 of 10", "Progress 10 of 10"], 0))
    meter = run(environment)
    assert meter.snapshot().fetched_bytes == 10
    assert meter.snapshot().stage == "installing"
    log = (environment.folder / "install.log").read_text()
    assert "Downloading torch" in log
    assert "Progress" not in log


def test_an_old_pip_is_renewed_first(environment: Environment, pip: FakePip) -> None:
    script = environment.python.read_text().replace("26.3", "23.2.1")
    environment.python.write_text(script)
    run(environment)
    assert pip.calls[0][-3:] == ["install", "--upgrade", "pip"]
    assert not any("--progress-bar" in call for call in pip.calls)


def test_a_python_without_venv_is_told_of(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LaunchError) as raised:
        run(environment)
    assert raised.value.kind == "no_venv"


def test_a_folder_that_cannot_be_written_is_told_of(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(LaunchError) as raised:
        run(environment)
    assert raised.value.kind == "not_writable"


@pytest.mark.slow
def test_a_broken_environment_is_made_again(environment: Environment) -> None:
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text("#!/no/such/python\n")
    environment.python.chmod(0o755)
    assert not module.works(environment.python)
    module.make_environment(environment)
    assert module.works(environment.python)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_ended_launcher_ends_its_pip(root: Path, environment: Environment, pip: FakePip) -> None:
    script = environment.python.read_text().replace(
        "sys.exit(code)",
        "import os, time; (here / 'pid').write_text(str(os.getpid())); sys.stdout.flush(); time.sleep(60)",
    )
    environment.python.write_text(script)
    pip.will((["Collecting torch"], 0))
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["torch==2.13.0", "no-such-package-as-this>=1"]\n')
    code = (
        f"import sys; from pathlib import Path; from webui.launch.command import run; run(Path({str(root)!r}), ['-h'])"
    )
    variables = {**os.environ, "TORCH_INDEX_URL": "http://127.0.0.1:9"}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL, env=variables) as launcher:
        deadline = time.monotonic() + 20
        while not (environment.python.parent / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(20) == 128 + signal.SIGTERM
    pid = int((environment.python.parent / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

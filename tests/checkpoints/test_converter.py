"""The process that converts an old file: what it may do, how it is started and stopped, and what its end says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.jobs.conftest import eventually
from webui.checkpoints.converting import WORKER, Converter
from webui.checkpoints.refusals import Refusal, Unfinished

REAL_WORKER = (
    "import importlib.util, os, sys\n"
    f"spec = importlib.util.spec_from_file_location('convert_worker', {str(WORKER)!r})\n"
    "worker = importlib.util.module_from_spec(spec)\n"
    "spec.loader.exec_module(worker)\n"
)


def raised(tmp_path: Path, script: str) -> Refusal:
    """What comes of a process that runs `script` instead of the converter."""
    worker, source = tmp_path / "worker.py", tmp_path / "source"
    worker.write_text(script, encoding="utf-8")
    source.write_bytes(b"x")
    with source.open("rb") as file, pytest.raises(Refusal) as caught:
        Converter(worker).convert(file, tmp_path / "target")
    assert not (tmp_path / "target").exists()
    return caught.value


@pytest.mark.parametrize(
    "script",
    [
        "import os, sys; open(sys.argv[1], 'w'); os.kill(os.getpid(), 9)",
        "import a_library_that_is_missing",
        "print('[]')",
        "pass",
        "import sys; print('{\"tensors\": 1}'); sys.exit(1)",
    ],
    ids=["killed", "cannot start", "list", "silent", "failed"],
)
def test_an_end_without_a_reason_says_nothing_about_the_file(tmp_path: Path, script: str) -> None:
    error = raised(tmp_path, script)
    assert isinstance(error, Unfinished)
    assert error.reason == "convert_stopped"


def test_a_reason_that_the_process_gives_is_the_files(tmp_path: Path) -> None:
    error = raised(tmp_path, 'print(\'{"error": "convert_code"}\')')
    assert (type(error), error.reason) == (Refusal, "convert_code")


def test_what_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.checkpoints.converting.TIMEOUT_SECONDS", 0.1)
    assert isinstance(raised(tmp_path, "import time; time.sleep(600)"), Unfinished)


def test_it_finds_what_we_find_and_no_more_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "site" / "a_library_of_the_user.py"
    library.parent.mkdir()
    library.touch()
    monkeypatch.setattr(sys, "path", [*sys.path, "", str(library.parent)])
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setenv("A_SECRET", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise AssertionError", encoding="utf-8")
    script = (
        "import a_library_of_the_user, json, os\n"
        "assert os.environ['LD_LIBRARY_PATH'] and 'A_SECRET' not in os.environ\n"
        'print(\'{"error": "convert_large"}\')\n'
    )
    assert raised(tmp_path, script).reason == "convert_large"


def test_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    worker, source, target = tmp_path / "worker.py", tmp_path / "source", tmp_path / "target"
    script = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    worker.write_text(script, encoding="utf-8")
    source.write_bytes(b"x")
    converter = Converter(worker)
    errors: list[Refusal] = []

    def convert() -> None:
        try:
            with source.open("rb") as file:
                converter.convert(file, target)
        except Refusal as error:
            errors.append(error)

    thread = threading.Thread(target=convert)
    thread.start()
    eventually(lambda: target.exists() and target.read_text() != "", 60)
    if sys.platform != "win32":  # the terminal's Ctrl+C does not reach it
        assert os.getsid(int(target.read_text())) != os.getsid(0)
    converter.close()
    thread.join(60)
    convert()  # nothing is begun any more
    assert [type(error) for error in errors] == [Unfinished, Unfinished]
    assert not target.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_it_ends_with_the_program(tmp_path: Path) -> None:
    worker, source, target = tmp_path / "worker.py", tmp_path / "source", tmp_path / "target"
    script = (
        f"{REAL_WORKER}"
        "worker._end_with(int(sys.argv[2]))\n"
        "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
        "import time; time.sleep(600)\n"
    )
    worker.write_text(script, encoding="utf-8")
    source.write_bytes(b"x")
    program = (
        "import sys\nfrom pathlib import Path\nfrom webui.checkpoints.converting import Converter\n"
        "Converter(Path(sys.argv[1])).convert(open(sys.argv[2], 'rb'), Path(sys.argv[3]))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(worker), str(source), str(target)])
    try:
        eventually(lambda: target.exists() and target.read_text() != "", 60)
    finally:
        parent.kill()
        parent.wait()
    status = Path("/proc") / target.read_text() / "stat"
    eventually(lambda: not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z", 60)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who the parent is, and ends with it")
def test_it_does_not_begin_without_the_program(tmp_path: Path) -> None:
    command = [sys.executable, str(WORKER), str(tmp_path / "target"), str(os.getppid())]  # which is not its parent
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert not (tmp_path / "target").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limits")
def test_it_is_confined_before_it_looks_into_the_file(tmp_path: Path) -> None:
    """Also before the list of a zip is read. It uses one thread, as more cannot be begun."""
    source, witness = tmp_path / "source", tmp_path / "witness"
    source.write_bytes(b"x" * 100)
    script = (
        f"{REAL_WORKER}"
        "import json, resource, torch\n"
        "found = {}\n"
        "def look(name, answer):\n"
        "    try:\n"
        "        open(sys.argv[3], 'wb')\n"
        "    except OSError as error:\n"
        "        found[name] = [error.errno, resource.getrlimit(resource.RLIMIT_NPROC)[0], torch.get_num_threads()]\n"
        "    return answer\n"
        "worker.zipfile.is_zipfile = lambda file: look('zip', False)\n"
        "worker.load = lambda file: look('load', [])\n"
        "worker.main(sys.argv[1:3])\n"
        "print(json.dumps(found))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "target"), str(os.getpid()), str(witness)]
    with source.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, check=True)
    said, found = map(json.loads, done.stdout.splitlines())
    assert said == {"error": "convert_foreign"}
    assert found == {"zip": [24, 0, 1], "load": [24, 0, 1]}
    assert not witness.exists()

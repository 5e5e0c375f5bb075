"""Old pickled embeddings and upscalers become safetensors files, each once, in a process of its own that can do nothing
else (`webui/checkpoints/convert_worker.py`). What comes back is checked like any stranger's file.

Knows no torch.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from webui.checkpoints.converted import KINDS
from webui.checkpoints.kinds import kind_in
from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Broken, Refusal, Unrecognised
from webui.checkpoints.safetensors_header import read_header

MAX_BYTES = 2**30  # as the process has it
_TIMEOUT_SECONDS = 300.0
_REASONS = (
    "convert_large", "convert_packed", "convert_memory", "convert_code", "convert_unreadable", "convert_foreign",
)  # fmt: skip
WORKER = Path(__file__).with_name("convert_worker.py")
_log = logging.getLogger(__name__)


def convert(source: BinaryIO, target: Path) -> Kind:
    """Writes a copy of an open pickled file to `target`, where nothing may be; what kind it is.

    Raises Refusal with why it is none, OSError where it cannot be written; then nothing is there.
    """
    if os.fstat(source.fileno()).st_size > MAX_BYTES:
        raise Broken("convert_large")
    try:
        run_worker(source, target)
        kind = kind_in(read_header(target), target).kind
        if kind not in KINDS:
            raise Unrecognised("convert_foreign")
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return kind


def run_worker(source: BinaryIO, target: Path) -> None:
    """Has the confined process read the pickled `source` and write `target`. Raises Broken."""
    source.seek(0)
    # -I: the process takes nothing from the environment or from the folder that it is started in
    command = [sys.executable, "-I", str(WORKER), str(target)]
    try:
        done = subprocess.run(
            command, stdin=source, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False,
            env={"PATH": os.environ.get("PATH", ""), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Broken("convert_memory") from error
    try:
        said = json.loads(done.stdout[:1000])
        reason = said.get("error")
    except (ValueError, AttributeError):
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        _log.info("an old file could not be converted (status %d): %.200s", done.returncode, last)
        if "No space left on device" in last:
            raise OSError(28, last) from None
        reason = "convert_memory"
    if reason is not None or done.returncode != 0:
        raise Refusal(reason if reason in _REASONS else "convert_unreadable")

"""Starts Darkroom: `python launch.py`, or `python launch.py test` and `python launch.py bench`.

Standard library only: the packages may not be installed yet. Every call first makes sure that they are, in a `.venv`
beside this file unless the running interpreter has them already, and then continues in the interpreter that has them.
`webui/launch/` has the details; this file only gives the order. Knows no torch, no gradio, no settings.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 11)  # `requires-python` in pyproject.toml; older ones cannot even read the modules below


def main(arguments: list[str]) -> int:
    """Runs `launch.py` with these arguments and returns the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.stderr.write(
            f"Darkroom needs Python 3.11 or later; this is {found}. Install a newer one and start launch.py with it.\n"
            f"Darkroom 需要 Python 3.11 或更高版本;当前为 {found}。请安装较新的 Python,再用它运行 launch.py。\n"
        )
        return 1
    # Late, because an older Python stops here with a syntax error instead of the sentence above.
    from webui.launch.command import run

    return run(ROOT, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The whole suite: first what drives no browser, two tests at a time, then what does, one at a time and undisturbed.

A file's tests stay together, for what they share.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = (
    ("-m", "not browser", "-n", "2", "--dist", "loadfile"),
    ("-m", "browser"),
)


def main() -> int:
    """The exit code of the first part that fails, after all have run; 0 if none does."""
    codes = [subprocess.run([sys.executable, "-m", "pytest", *part], check=False).returncode for part in PARTS]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())

"""The project's own Python environment, `.venv` beside `launch.py`: whether it exists and matches today's
`pyproject.toml`. Standard library only. Knows where it is, not how it is filled (`install.py`).
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from webui.launch import requirements


@dataclass(frozen=True)
class Environment:
    """The environment for the program in `root`, or for the program with one of its extras."""

    root: Path
    extra: str | None = None

    @property
    def folder(self) -> Path:
        """The environment's folder, which may not exist yet."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def marker(self) -> Path:
        """A file written when everything is installed, so that an interrupted installation is not taken for a complete
        one.
        """
        return self.folder / "darkroom.json"

    def requirements(self) -> tuple[requirements.Requirement, ...]:
        """The program's packages, then those of the extra."""
        pyproject = self.root / "pyproject.toml"
        return requirements.read(pyproject) + (requirements.read(pyproject, self.extra) if self.extra else ())

    def is_running(self) -> bool:
        """Whether the running interpreter is this environment's."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def is_met_here(self) -> bool:
        """Whether the running interpreter has all packages, wherever they came from."""
        if self.is_running() and not self.is_installed():
            return False  # half installed: some packages may lie there without the others
        return not requirements.missing(self.requirements())

    def is_installed(self) -> bool:
        """Whether `.venv` was completely filled for what `pyproject.toml` asks for today."""
        if not self.python.exists():
            return False
        return self._fingerprints().get(self.extra or "") == self._fingerprint()

    def mark_installed(self) -> None:
        """Marks the installation as complete. Marks of other extras stay only if they were made for
        the same packages.
        """
        own = {self.extra or "": self._fingerprint()}
        plain = Environment(self.root)
        own[""] = plain._fingerprint()
        kept = self._fingerprints() if self._fingerprints().get("") == own[""] else {}
        temporary = self.marker.with_suffix(".part")
        temporary.write_text(json.dumps({**kept, **own}, indent=1), encoding="utf-8")
        temporary.replace(self.marker)

    def _fingerprint(self) -> str:
        return requirements.fingerprint(self.requirements())

    def _fingerprints(self) -> dict[str, str]:
        try:
            found = json.loads(self.marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or cut short: as good as none
            return {}
        return found if isinstance(found, dict) else {}

"""Files of the gallery that have no row: taken in again after the database was lost, or after a program was killed
between a file and its row. Reads our own PNGs alone.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from webui.storage.metadata import read_darkroom
from webui.storage.pictures import OWNER_FILE, Picture, Pictures, verdict_of

log = logging.getLogger(__name__)

# As `pictures.file_name` writes it.
_FILE_NAME = re.compile(r"\d{6}-\d+-(?P<job_id>[\w-]+)-(?P<position>\d+)\.png")


def adopt_job(pictures: Pictures, owner: str, job_id: str) -> int:
    """Makes rows for a job's files that have none; how many."""
    return _adopt(pictures, owner, pictures.owner_folder(owner).glob(f"*/*-{job_id}-*.png"))


def rebuild(pictures: Pictures) -> int:
    """Makes the rows of all files that have none; how many. A file that cannot be read is left alone."""
    return sum(
        _adopt(pictures, name.read_text("utf-8"), sorted(name.parent.glob("*/*.png")))
        for name in pictures.folder.glob(f"*/{OWNER_FILE}")
    )


def _adopt(pictures: Pictures, owner: str, paths: Iterable[Path]) -> int:
    adopted = 0
    for path in paths:
        picture = None if pictures.has_file(path) else read_picture(path, owner)
        if picture is not None:
            pictures.insert(picture)
            adopted += 1
    return adopted


def read_picture(path: Path, owner: str) -> Picture | None:
    """The picture that a file of ours holds, with a new id; None for a foreign or damaged one."""
    named = _FILE_NAME.fullmatch(path.name)
    if named is None:
        return None
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.load()
            said = read_darkroom(image)
            width, height = image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        log.warning("%s is not taken into the gallery: %s", path.name, error)
        return None
    if said is None:
        return None
    return Picture(
        id=secrets.token_urlsafe(16),
        owner=owner,
        job_id=named["job_id"],
        position=int(named["position"]),
        path=path,
        task=str(said["request"].get("task", "")),
        request=said["request"],
        seed=said["seed"],
        width=width,
        height=height,
        sha256=hashlib.sha256(content).hexdigest(),
        created=path.stat().st_mtime,
        **verdict_of(said["info"] if isinstance(said.get("info"), dict) else {}),
    )

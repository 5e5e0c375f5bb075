"""`python -m models.starter.recipe.icons`: fetch the two sets of drawings, and make pictures of those that are used.

Fluent Emoji (flat) by Microsoft, MIT; Noto Emoji by Google, Apache-2.0: both as packages of npm, pinned by version and
hash, fetched by npm itself from whatever registry it is set up for. Nothing of them is committed. What is kept, in
`STARTER_DRAWINGS` or in `drawings/` beside this file, is a PNG a drawing, cut to what it shows, 320 pixels long.
"""

import argparse
import base64
import hashlib
import io
import json
import logging
import os
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.starter.recipe.drawings import DRAWN, all_drawings

log = logging.getLogger("icons")
LONGEST = 320  # pixels of a drawing's longer side
CANVAS = 512  # pixels that it is drawn at before it is cut
CACHED = 900  # drawings kept in memory, 0.4 MB each
NO_SHAPE = 8  # opacity of 255 below which nothing shows


@dataclass(frozen=True)
class Package:
    """An npm package, and the checksum of its file."""

    name: str
    version: str
    sha512: str  # in base64, as npm has it

    def fetch(self, folder: Path) -> Path:
        """Downloads the file into `folder`. Raises ValueError if it is another file, and CalledProcessError if npm
        finds none.
        """
        asked = ["npm", "pack", f"{self.name}@{self.version}", "--json", "--pack-destination", str(folder)]
        told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        path = folder / json.loads(told)[0]["filename"]
        if base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode() != self.sha512:
            raise ValueError(f"{self.name} {self.version} is not what it was")
        return path


PACKAGES = {
    "fluent": Package(
        "@iconify-json/fluent-emoji-flat", "1.2.6",
        "RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
    ),
    "noto": Package(
        "@iconify-json/noto", "1.2.9",
        "DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
    ),
}  # fmt: skip


def drawings_folder() -> Path:
    """The folder with the drawings."""
    named = os.environ.get("STARTER_DRAWINGS")
    return Path(named) if named else Path(__file__).with_name("drawings")


@lru_cache(CACHED)
def read_drawing(name: str) -> NDArray[np.uint8]:
    """The drawing `set/icon`, (height, width, 4), with opacity last and not yet multiplied into its colours.

    Raises FileNotFoundError if the drawings have not been fetched.
    """
    path = drawings_folder() / f"{name}.png"
    if not path.exists():
        raise FileNotFoundError(f"{path}: run python -m models.starter.recipe.icons")
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGBA"))


def read_package(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The icons of a package's file, and their names by code point."""
    with tarfile.open(path) as archive:

        def member(name: str) -> dict[str, Any]:
            file = archive.extractfile(f"package/{name}")
            assert file is not None
            content: dict[str, Any] = json.load(file)
            return content

        chars = {code.replace("-fe0f", ""): name for code, name in member("chars.json").items()}
        return member("icons.json"), chars


def svg_of(icons: dict[str, Any], name: str) -> str:
    """One icon as an SVG document."""
    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
    )


def rasterise(svg: str) -> Image.Image:
    """The drawing, cut to what it shows. Raises ValueError if it shows nothing."""
    import skia  # late: needed by those alone who draw

    document = skia.SVGDOM.MakeFromStream(skia.MemoryStream(svg.encode(), True))
    document.setContainerSize(skia.Size(CANVAS, CANVAS))
    surface = skia.Surface(CANVAS, CANVAS)
    document.render(surface.getCanvas())
    encoded = surface.makeImageSnapshot().encodeToData(skia.EncodedImageFormat.kPNG, 100)
    picture = Image.open(io.BytesIO(bytes(encoded))).convert("RGBA")
    shown = picture.getchannel("A").point([255 * (value >= NO_SHAPE) for value in range(256)]).getbbox()
    if shown is None:
        raise ValueError("an empty drawing")
    picture = picture.crop(shown)
    scale = LONGEST / max(picture.size)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
                          Image.Resampling.LANCZOS)  # fmt: skip


def write_drawings(files: dict[str, Path], folder: Path) -> int:
    """Makes the missing pictures from the packages' files; returns how many there are now."""
    sets = {of: read_package(path) for of, path in files.items()}
    codes = {name: code for code, name in reversed(sets["fluent"][1].items())}
    wanted = sorted({name for thing in DRAWN for name in all_drawings(thing)})
    for name in wanted:
        of, icon = name.split("/")
        target = folder / f"{name}.png"
        if not target.exists():
            icons, chars = sets[of]
            target.parent.mkdir(parents=True, exist_ok=True)
            rasterise(svg_of(icons, chars[codes[icon]])).save(target)
    return len(wanted)


def main() -> None:
    """Fetches the packages and draws the pictures."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with tempfile.TemporaryDirectory() as folder:
        files = {of: package.fetch(Path(folder)) for of, package in PACKAGES.items()}
        log.info("%d drawings in %s", write_drawings(files, drawings_folder()), drawings_folder())


if __name__ == "__main__":
    main()

"""Stable Diffusion 1.5 at full size on the processor, with random weights: the time and the memory of a picture.

In few steps with the tiny decoder and as it is usually drawn; with weights in float32 and in 16 bits. Each is a process
of its own. Its memory is what it has for itself: pages of mapped files can be dropped at any time, and are not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tests.benchmarks.figures import Figure
from tests.toys import save_tokenizer
from webui.checkpoints.unet_families import COMPONENTS_DIR
from webui.engine.device import narrow_dtype
from webui.settings import ROOT

_CONFIGS = COMPONENTS_DIR / "sd15"
_QUICK = {"steps": 4, "guidance_scale": 1.0, "scheduler": "lcm", "decoder": "tiny"}
_USUAL = {"steps": 20, "guidance_scale": 7.5, "scheduler": "euler", "decoder": "full"}

_DRAW = """
import json, sys, threading, time
from pathlib import Path
import psutil
from tests.settling import SettlingEngine
from webui.checkpoints import kept_weights
from webui.engine.context import Context
from webui.events import Loading
from webui.requests.diffusion import TextToImage
from webui.settings import Settings

models, asked, share = Path(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3])
kept_weights.WIDE_SHARE = share
most, process, has_ended = 0, psutil.Process(), threading.Event()

def look():
    global most
    while not has_ended.wait(0.01):
        memory = process.memory_info()
        most = max(most, memory.rss - getattr(memory, "shared", 0))

looking = threading.Thread(target=look)
looking.start()
engine = SettlingEngine(Settings(models_dir=models, data_dir=models / "data", device="cpu", precision="fp32"))
engine.preload("sd15", lambda: None)
start = time.perf_counter()
request = TextToImage(prompt="a red cat", checkpoint="sd15", seed=1, width=512, height=512, sigmas="default", **asked)
(image,) = engine.run(request, Context(lambda _event: None, lambda: None, lambda: False, lambda _reference: b""))
seconds = time.perf_counter() - start
has_ended.set()
looking.join()
print(json.dumps({"seconds": seconds, "bytes": most}))
"""


def measure_processor(*, quick: bool) -> Iterator[Figure]:
    """Few steps with the tiny decoder, the weights in float32 and in 16 bits; and, unless `quick`, the usual way."""
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        _save(models / "sd15")
        for name, share in (("weights in fp32", 1.0), ("weights in fp16", 0.0)):
            yield from _figures(f"4 steps, tiny decoder, {name}", models, _QUICK, share)
        if not quick:
            yield from _figures("20 steps, guidance, full decoder, weights in fp32", models, _USUAL, 1.0)


def _figures(name: str, models: Path, asked: dict[str, object], share: float) -> Iterator[Figure]:
    line = [sys.executable, "-c", _DRAW, str(models), json.dumps(asked), str(share)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    yield Figure(name, (measured["seconds"],))
    yield Figure("  its peak memory", (measured["bytes"] / 1e9,), "GB")


def _save(folder: Path) -> None:
    """2.1 GB, as a published checkpoint in fp16 has."""
    torch.manual_seed(0)
    parts = {
        "unet": UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(_CONFIGS / "unet")),
        "vae": AutoencoderKL.from_config(AutoencoderKL.load_config(_CONFIGS / "vae")),
        "text_encoder": CLIPTextModel(CLIPTextConfig.from_pretrained(_CONFIGS / "text_encoder")),
    }
    pipeline = StableDiffusionPipeline(
        **{name: part.to(narrow_dtype("F16")) for name, part in parts.items()},
        tokenizer=CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer")),
        scheduler=PNDMScheduler.from_config(PNDMScheduler.load_config(_CONFIGS / "scheduler")),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    AutoencoderTiny().save_pretrained(folder / "tiny_vae", safe_serialization=True)

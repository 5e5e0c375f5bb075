"""`python -m models.starter.recipe.clip`: train the small CLIP that says how well a picture fits a prompt.

An ordinary `CLIPModel` on the starter's tokenizer, trained from nothing on the renderer's pictures and the grammar's
captions: InfoNCE over a batch, to which every picture adds its caption with one word changed. A caption of another
picture that happens to be true of this one is no wrong answer and left out (`compatible`).

Three things make it learn within minutes. One set of linear read-outs asks both towers' embeddings for the attributes
of the scene, so that they mean the same by the same direction before they are ever compared. The picture's patches
start as their principal components. And where there is a judge, it teaches: its last features have a cell for each
patch.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPModel, CLIPTokenizer

from models.starter.recipe.architecture import build_tokenizer
from models.starter.recipe.attributes import answers
from models.starter.recipe.captions import caption
from models.starter.recipe.claims import claims_of, compatible, truths_of
from models.starter.recipe.clip_model import CLIP, build_clip, embed_pictures, embed_texts, save_clip, start_patches
from models.starter.recipe.judge import (
    JUDGE,
    JUDGE_CHANNELS,
    Judge,
    fresh_pictures,
    judging_loss,
    load_judge,
    tally,
)
from models.starter.recipe.questions import with_one_word_changed
from models.starter.recipe.thumbnails import Augmentation, Pool
from models.starter.recipe.tokenizer import MAX_TOKENS
from models.starter.recipe.training import REPORT_STEPS, Options, Session, options_of, training_arguments
from models.starter.recipe.values import ATTRIBUTES, VALUES, Values, classes
from webui.engine.device import mixed_precision

log = logging.getLogger("clip")
PEAK_RATE = 1.5e-3
BATCH = 96
AVERAGE_DECAY = 0.99
REFRESH_STEPS = 200
READING_SHARE = 0.5  # of the time in which the read-outs' part of the loss falls from 1 to LAST_READING
LAST_READING = 0.2
LESSON_WEIGHT = 4.0
MAX_LOGIT_SCALE = float(np.log(100))  # as published
CANDIDATES = 100  # captions among which a picture has to find its own


@dataclass(frozen=True)
class Texts:
    """Captions as tokens (N, length), and what each says: a class number for each attribute, -1 for nothing, (N, 8)."""

    tokens: Tensor
    claims: Tensor


def to_texts(captions: Sequence[str], tokenizer: CLIPTokenizer) -> Texts:
    """Padded to the longest only, for speed."""
    tokens = tokenizer(list(captions), padding=True, max_length=MAX_TOKENS, truncation=True, return_tensors="pt")
    return Texts(tokens.input_ids, torch.tensor([claims_of(text) for text in captions]))


def contrastive_loss(pictures: Tensor, texts: Tensor, scale: Tensor, fits: Tensor) -> Tensor:
    """InfoNCE in both directions: (P, D) against (T >= P, D) of unit length, of which the first P are the pictures'
    own.

    `fits` (P, T) marks pairs that are not wrong answers; they are left out, except for a picture's own caption.
    """
    number = len(pictures)
    logits = scale.exp() * pictures @ texts.T
    others = fits & ~torch.eye(number, len(texts), dtype=torch.bool, device=fits.device)
    logits = logits.masked_fill(others, -1e4)
    own = torch.arange(number, device=fits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits[:, :number].T, own)) / 2


class Trainee(nn.Module):
    """The CLIP with the read-outs that both towers share while it learns."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.clip = build_clip(tokenizer)
        self.heads = nn.Linear(CLIP.projection, classes())
        self.patch_heads = nn.Linear(CLIP.picture_width, classes())
        self.patch_lessons = nn.Linear(CLIP.picture_width, JUDGE_CHANNELS)


def train_step(model: Trainee, pixels: Tensor, texts: Texts, truths: Tensor, targets: Tensor,
               reading: float, teacher: Judge | None = None) -> tuple[Tensor, dict[str, float]]:  # fmt: skip
    """The loss of one batch, and shares of right answers; the first len(pixels) texts are the pictures' own."""
    number, clip = len(pixels), model.clip
    with mixed_precision(pixels.device):
        seen, patches = embed_pictures(clip, pixels)
        read = embed_texts(clip, texts.tokens)
    seen, read = seen.float(), read.float()
    claims = texts.claims
    pictures, captions = F.normalize(seen, dim=1), F.normalize(read, dim=1)
    fits = compatible(truths, claims)
    loss = contrastive_loss(pictures, captions, clip.logit_scale, fits)
    logits = model.heads(seen)
    asked = judging_loss(logits, targets) + judging_loss(model.heads(read), claims)
    asked = asked + judging_loss(model.patch_heads(patches.float().mean(dim=1)), targets)
    if teacher is not None:
        asked = asked + LESSON_WEIGHT * F.mse_loss(model.patch_lessons(patches.float()), lessons(teacher, pixels))
    right = {name: one.share for name, one in tally(logits, targets).items()}
    own = (pictures * captions[:number]).sum(dim=1)
    right["word"] = float((own > (pictures * captions[number:]).sum(dim=1)).float().mean())
    return loss + reading * asked, right


@torch.no_grad()
def lessons(teacher: Judge, pixels: Tensor) -> Tensor:
    """The judge's features in each of 8 by 8 cells, (B, 64, 192), of unit deviation."""
    with mixed_precision(pixels.device):
        cells = teacher.body(pixels.contiguous(memory_format=torch.channels_last))
    cells = cells.float().flatten(2).transpose(1, 2)
    return F.layer_norm(cells, cells.shape[-1:])


class Batches:
    """Pictures with a caption each, and the same caption with one word changed."""

    def __init__(self, pool: Pool, tokenizer: CLIPTokenizer, rng: np.random.Generator, batch: int) -> None:
        self._pool, self._tokenizer, self._rng, self._batch = pool, tokenizer, rng, batch
        self._augmented = Augmentation(rng, pool.examples())
        self._order = np.empty(0, int)

    def refresh(self) -> None:
        """Takes up new pictures."""
        if self._pool.refresh():
            self._order = np.empty(0, int)

    def next(self) -> tuple[Tensor, Texts, Tensor, Tensor]:
        """Pixels (B, 3, 128, 128), 2B texts, truths (B, 8), and answers (B, 8) with -1 for what cannot be seen."""
        if len(self._order) < self._batch:
            self._order = self._rng.permutation(len(self._pool.scenes))
        chosen, self._order = self._order[: self._batch], self._order[self._batch :]
        scenes = [self._pool.scenes[int(index)] for index in chosen]
        own = [caption(scene, self._rng) for scene in scenes]
        changed = [with_one_word_changed(text, self._rng) for text in own]
        wrong = [text if change is None else change[0] for text, change in zip(own, changed, strict=True)]
        pixels = self._augmented(self._pool.pictures(chosen))
        targets = torch.stack([answers(scene) for scene in scenes])
        truths = torch.tensor([truths_of(scene) for scene in scenes])
        return pixels, to_texts([*own, *wrong], self._tokenizer), truths, targets


def train_clip(thumbnails: Path, state_path: Path, options: Options, teacher: Judge | None = None) -> CLIPModel:
    """Trains for `options.minutes` in all, resuming from `state_path`; returns the model with averaged weights."""
    torch.manual_seed(options.seed)
    tokenizer, pool, device = build_tokenizer(), Pool(thumbnails), options.device
    model = Trainee(tokenizer)
    start_patches(model.clip, pool.examples())
    model = model.to(device)
    teacher = None if teacher is None else teacher.to(device)
    rate = PEAK_RATE * options.rate_factor
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=2e-2)
    session = Session(state_path, options, model, optimizer, AVERAGE_DECAY, tokenizer.get_vocab())
    rng = np.random.default_rng((options.seed, session.step))
    batches = Batches(pool, tokenizer, rng, BATCH * options.batch_factor)
    model.train()
    while session.clock.progress < 1:
        if session.step % REFRESH_STEPS == 0:
            batches.refresh()
        reading = max(LAST_READING, 1 - session.clock.progress / READING_SHARE)
        pixels, texts, truths, targets = batches.next()
        texts = Texts(texts.tokens.to(device), texts.claims.to(device))
        loss, right = train_step(
            model, pixels.to(device), texts, truths.to(device), targets.to(device), reading, teacher
        )
        session.update(loss, rate, 100)
        with torch.no_grad():
            model.clip.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
        if session.step % REPORT_STEPS == 0:
            log.info("right: %s", ", ".join(f"{name} {share:.2f}" for name, share in right.items()))
    session.average.copy_to(model.parameters())
    return model.clip.eval().to("cpu")


@torch.inference_mode()
def retrieval(
    clip: CLIPModel, tokenizer: CLIPTokenizer, number: int, chinese: bool, seed: int, values: Values = VALUES
) -> dict[str, float]:
    """On fresh pictures of scenes in these words: how often the best of 100 captions is true, and
    beats one word changed.

    Also the other way, the best of 100 pictures for a caption. Shares in [0, 1], and by attribute for the changed word.
    """
    pixels, scenes = fresh_pictures(number, values=values)
    rng = np.random.default_rng((seed, int(chinese)))
    own = [caption(scene, rng, chinese) for scene in scenes]
    changes = [with_one_word_changed(text, rng) for text in own]
    wrong = [text if change is None else change[0] for text, change in zip(own, changes, strict=True)]
    texts = to_texts([*own, *wrong], tokenizer)
    seen = F.normalize(torch.cat([embed_pictures(clip, part)[0] for part in pixels.split(BATCH)]), dim=1)
    read = F.normalize(torch.cat([embed_texts(clip, part) for part in texts.tokens.split(BATCH)]), dim=1)
    truths = torch.tensor([truths_of(scene) for scene in scenes])
    to_caption, to_picture = [], []
    for first in range(0, number - CANDIDATES + 1, CANDIDATES):
        rows = slice(first, first + CANDIDATES)
        cosines = seen[rows] @ read[rows].T
        fits = compatible(truths[rows], texts.claims[rows])
        to_caption += fits.gather(1, cosines.argmax(dim=1, keepdim=True)).flatten().tolist()
        to_picture += fits.T.gather(1, cosines.T.argmax(dim=1, keepdim=True)).flatten().tolist()
    beats = (seen * read[:number]).sum(dim=1) > (seen * read[number:]).sum(dim=1)
    found = {"caption": float(np.mean(to_caption)), "picture": float(np.mean(to_picture))}
    changed = {name: [bool(beat) for beat, change in zip(beats, changes, strict=True) if change and change[1] == name]
               for name in ATTRIBUTES}  # fmt: skip
    found["word"] = float(np.mean([beat for rows in changed.values() for beat in rows]))
    return found | {f"word_{name}": float(np.mean(rows)) for name, rows in changed.items() if rows}


def main() -> None:
    """Trains, saves into the checkpoint, and measures what was saved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", type=int, default=500, help="pictures to measure it on")
    parser.add_argument("--judge", type=Path, default=JUDGE, help="the judge that teaches, if it is there")
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parents[1] / "clip")
    arguments = training_arguments(parser)
    teacher = load_judge(arguments.judge) if arguments.judge.exists() else None
    trained = train_clip(arguments.thumbnails, arguments.state / "clip.pt", options_of(arguments), teacher)
    save_clip(trained, arguments.output)
    clip = CLIPModel.from_pretrained(arguments.output, dtype=torch.float32).eval()
    for chinese in (False, True):
        found = retrieval(clip, build_tokenizer(), arguments.fresh, chinese, arguments.seed)
        shares = ", ".join(f"{name} {share:.3f}" for name, share in found.items())
        log.info("%s: %s", "Chinese" if chinese else "English", shares)


if __name__ == "__main__":
    main()

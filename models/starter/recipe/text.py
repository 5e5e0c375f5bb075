"""Teaches the text encoder to read, before the U-Net listens to it.

From the end token on, every position must know what the caption said: linear read-outs, thrown away later, ask for each
attribute of the scene. Without this the U-Net learns to draw long before it learns that there is a text at all, for
nine in ten of the 77 positions that it attends to are padding.
"""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from models.starter.recipe.architecture import TEXT_WIDTH, build_text_encoder, build_tokenizer
from models.starter.recipe.captions import caption
from models.starter.recipe.checkpoint import read_text_encoder
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.scene import Scene
from models.starter.recipe.tokenizer import MAX_TOKENS
from models.starter.recipe.training import CPU, Clock, learning_rate, load_state, save_state, set_learning_rate
from models.starter.recipe.values import ALL_VALUES
from webui.engine.device import mixed_precision

log = logging.getLogger("text")
PEAK_RATE = 1e-3
BATCH = 32


def attribute_numbers(scene: Scene) -> Tensor:
    """The scene as one class number for each attribute, (12,)."""
    return torch.tensor([values.index(getattr(scene, name)) for name, values in ALL_VALUES.items()])


def reading_loss(logits: Tensor, tokens: Tensor, targets: Tensor, end: int) -> tuple[Tensor, Tensor]:
    """Cross-entropy over all positions from the end token on, and the share of right answers, (12,).

    Shapes: logits (B, 77, sum of classes), tokens (B, 77), targets (B, 12).
    """
    after = ((tokens == end).cumsum(dim=1) > 0).float()
    after = after / after.sum(dim=1, keepdim=True)
    loss, right, first = logits.new_zeros(()), [], 0
    for column, values in enumerate(ALL_VALUES.values()):
        part = logits[..., first : first + len(values)]
        first += len(values)
        target = targets[:, column, None].expand(-1, part.shape[1])
        loss = loss + (F.cross_entropy(part.transpose(1, 2), target, reduction="none") * after).sum(dim=1).mean()
        right.append(((part.argmax(dim=-1) == target).float() * after).sum(dim=1).mean())
    return loss, torch.stack(right)


def _batch(tokenizer: CLIPTokenizer, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    scenes = [sample_scene(rng) for _ in range(BATCH)]
    texts = [caption(scene, rng) for scene in scenes]
    tokens = tokenizer(texts, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt")
    return tokens.input_ids, torch.stack([attribute_numbers(scene) for scene in scenes])


def train_text(state_path: Path, minutes: float, seed: int, checkpoint: Path | None = None) -> None:
    """Trains for `minutes` in all, resuming from `state_path`; the first time from `checkpoint`, if given."""
    torch.manual_seed(seed)
    tokenizer = build_tokenizer()
    encoder = read_text_encoder(checkpoint, tokenizer) if checkpoint else build_text_encoder(tokenizer)
    heads = nn.Linear(TEXT_WIDTH, sum(len(values) for values in ALL_VALUES.values()))
    model = nn.ModuleDict({"encoder": encoder, "heads": heads})
    saved = load_state(state_path)
    if saved:
        model.load_state_dict(saved["model"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=1e-2)
    clock = Clock(minutes, saved["seconds"] if saved else 0.0)
    step = int(saved["step"]) if saved else 0
    rng = np.random.default_rng((seed, 77, step))
    while clock.progress < 1:
        tokens, targets = _batch(tokenizer, rng)
        set_learning_rate(optimizer, learning_rate(PEAK_RATE, step, clock.progress, 60))
        with mixed_precision(CPU):
            logits = heads(encoder(tokens).last_hidden_state)
        loss, right = reading_loss(logits.float(), tokens, targets, tokenizer.eos_token_id)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 50 == 0 or clock.progress >= 1:
            shares = ", ".join(f"{name} {share:.2f}" for name, share in zip(ALL_VALUES, right.tolist(), strict=True))
            log.info("step %d, loss %.3f, %.0f s; right: %s", step, loss.item(), clock.spent_seconds, shares)
            save_state(state_path, {"model": model.state_dict(), "step": step, "seconds": clock.spent_seconds})


def load_text_weights(state_path: Path, encoder: CLIPTextModel) -> bool:
    """Puts what `train_text` learned into the encoder; False if there is nothing."""
    saved = load_state(state_path)
    if saved is None:
        return False
    prefix = "encoder."
    encoder.load_state_dict(
        {name[len(prefix) :]: value for name, value in saved["model"].items() if name.startswith(prefix)}
    )
    return True

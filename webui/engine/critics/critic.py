"""How well pictures fit a text: the cosine of their embeddings by a CLIP model.

Any folder that `CLIPModel.from_pretrained` takes will do, with a tokenizer and `preprocessor_config.json` beside the
weights; `webui/checkpoints/critics.py` finds them. Scores compare pictures for one text; they say nothing across
models. Knows no requests and no jobs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from webui.checkpoints.refusals import Broken
from webui.engine.device import Device, is_out_of_memory

BATCH = 16  # pictures at once
_log = logging.getLogger(__name__)


class Critic:
    """One CLIP model, ready to score. Embeddings are (N, D) in float32 on the CPU, each of length 1."""

    def __init__(self, model: Any, tokenizer: Any, processor: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._processor = processor
        self._length: int = model.config.text_config.max_position_embeddings

    @property
    def model(self) -> nn.Module:
        """The network, for moving it to a device and for stopping it."""
        network: nn.Module = self._model
        return network

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embeds plain texts without weights, (N, D); tokens beyond the model's positions (77 for most) are cut off."""
        tokens = self._tokenizer(
            list(texts), padding="max_length", max_length=self._length, truncation=True, return_tensors="pt"
        ).input_ids
        pooled = self._model.text_model(input_ids=tokens.to(self._model.device)).pooler_output
        return _unit(self._model.text_projection(pooled))

    @torch.inference_mode()
    def embed_pictures(self, pictures: Sequence[Image.Image], check: Callable[[], None] = lambda: None) -> Tensor:
        """Embeds pictures of any size, (N, D); each is scaled and cropped to the model's size. Raises whatever `check`
        raises, which is called between batches.
        """
        parts = []
        for first in range(0, len(pictures), BATCH):
            check()
            batch = [picture.convert("RGB") for picture in pictures[first : first + BATCH]]
            pixels = self._processor(batch, return_tensors="pt").pixel_values
            seen = self._model.vision_model(pixel_values=pixels.to(self._model.device, self._model.dtype))
            parts.append(_unit(self._model.visual_projection(seen.pooler_output)))
        return torch.cat(parts) if parts else torch.empty(0, self._model.config.projection_dim)

    def score(
        self, pictures: Sequence[Image.Image], text: str, check: Callable[[], None] = lambda: None
    ) -> list[float]:
        """The cosine of each picture with `text`, in [-1, 1]; higher fits better."""
        scores: list[float] = (self.embed_pictures(pictures, check) @ self.embed_texts([text])[0]).tolist()
        return scores


def load_critic(folder: Path, device: Device) -> Critic:
    """Loads the CLIP model in `folder` onto `device`. Raises Broken if it cannot be read or is not a CLIP model.

    On a CPU it computes in fp32: the scores of good pictures differ by less than bf16 can tell apart.
    """
    dtype = torch.float32 if device.is_cpu else device.dtype
    try:
        model, report = CLIPModel.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        # The class that works on pictures of PIL: the other one needs torchvision and scales a little differently.
        processor = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # on weights and configs that do not fit each other the libraries raise all sorts
        if is_out_of_memory(error):
            raise
        _log.error("the CLIP model in %s cannot be read: %s", folder, error)
        raise Broken("does_not_load") from error
    if report["missing_keys"]:
        _log.error("%s has no %s", folder, ", ".join(sorted(report["missing_keys"])[:5]))
        raise Broken("missing_tensors")
    if model.config.text_config.vocab_size < len(tokenizer):
        raise Broken("tokenizer_mismatch")
    for parameter in model.parameters():  # never a view of the file, which may shrink while this is in use
        parameter.data = parameter.data.to(device.torch_device, copy=device.is_cpu)
    return Critic(model.to(device.torch_device).eval(), tokenizer, processor)


def _unit(embeddings: Tensor) -> Tensor:
    return functional.normalize(embeddings.float(), dim=-1).cpu()

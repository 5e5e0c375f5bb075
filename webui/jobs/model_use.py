"""Whether a job needs a model: then it is neither renamed nor deleted meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from webui.checkpoints.model import Model
from webui.errors import PromptError
from webui.prompts.reading import loras_in
from webui.prompts.settle import prompts_of
from webui.requests.diffusion import ResolvedPrompt
from webui.requests.settled import Settled
from webui.requests.style_transfer import StyleTransfer


def needs_model(request: Settled, model: Model) -> bool:
    """By its id, or for LoRAs and embeddings by their name in the prompts."""
    if isinstance(request, StyleTransfer):
        return False
    match model.kind:
        case "checkpoint":
            return request.checkpoint == model.id
        case "vae":
            return request.vae == model.id
        case "lora":
            return any(_means(name, model) for name in _loras(request.prompt_dialect, _prompts(request)))
        case "embedding":
            texts = [f"{one.prompt}\n{one.negative_prompt}".casefold() for one in _prompts(request)]
            return any((model.prompt_name or model.name).casefold() in text for text in texts)
    return False


def _prompts(request: Settled) -> Iterator[ResolvedPrompt]:
    if not isinstance(request, StyleTransfer):
        yield from (prompts_of(request, index) for index in range(request.num_images))


def _loras(dialect: str, prompts: Iterator[ResolvedPrompt]) -> Iterator[str]:
    for one in prompts:
        try:
            yield from (lora.name for lora in loras_in(one.prompt, dialect))
        except PromptError:  # of another version, which read it otherwise
            continue


def _means(name: str, model: Model) -> bool:
    return name == model.prompt_name or f"/{model.id}".endswith(f"/{name}")

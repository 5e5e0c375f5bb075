"""A1111's dialect on real CLIP text encoders of toy size: weights, chunks, embeddings by name, changes on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import save_file

from tests.jobs.conftest import eventually
from webui.checkpoints.addons import Addons
from webui.checkpoints.converted import ConvertedFiles
from webui.checkpoints.places import Kind
from webui.engine.prompts.encoder import PromptEmbeds, PromptEncoder, Reading
from webui.engine.prompts.text_encoders import text_encoders
from webui.engine.prompts.textual_inversion import TextualInversions
from webui.errors import PromptError

NEVER: Callable[[], None] = lambda: None  # noqa: E731
ORIGINAL = Reading()
NO_NORM = Reading("a1111", "no_norm")


@pytest.fixture(scope="module", params=["toy-sd15", "toy-sd2", "toy-sdxl"])
def pipeline(request: pytest.FixtureRequest, toy_models: Path) -> Any:
    """With a mean in its embeddings, as trained encoders have and a fresh normalised layer has not."""
    made = DiffusionPipeline.from_pretrained(toy_models / request.param)
    made.text_encoder.final_layer_norm.bias.data += 0.2
    return made


def schedule(
    pipeline: Any,
    prompt: str,
    negative: str = "",
    *,
    steps: int = 1,
    is_guided: bool = True,
    reading: Reading = ORIGINAL,
    encoder: PromptEncoder | None = None,
) -> tuple[PromptEmbeds, ...]:
    with torch.inference_mode():
        return (encoder or PromptEncoder()).schedule(
            pipeline, prompt, negative, steps=steps, is_guided=is_guided, check=NEVER, reading=reading
        )


def embeds(pipeline: Any, prompt: str, **options: Any) -> torch.Tensor:
    return schedule(pipeline, prompt, **options)[0].prompt_embeds


def test_weights_are_multiplied_and_the_mean_restored(pipeline: Any) -> None:
    plain = embeds(pipeline, "a red cat")
    weights = torch.ones(77)
    weights[3] = 1.5  # start, "a", "red", "cat"
    multiplied = plain * weights[None, :, None]
    assert torch.allclose(embeds(pipeline, "a red (cat:1.5)", reading=NO_NORM), multiplied)
    sides = plain.split([encoder.width for encoder in text_encoders(pipeline)], dim=-1)
    new_sides = multiplied.split([side.shape[-1] for side in sides], dim=-1)
    restored = torch.cat([new * (old.mean() / new.mean()) for old, new in zip(sides, new_sides, strict=True)], dim=-1)
    assert torch.allclose(embeds(pipeline, "a red (cat:1.5)"), restored, atol=1e-5)
    assert not torch.allclose(restored, multiplied)


@pytest.mark.parametrize("prompt", ["a red (cat:1.0)", "a red [(cat)]", "a red cat # dog", "# dog\na red cat"])
def test_what_changes_nothing_changes_nothing(pipeline: Any, prompt: str) -> None:
    assert torch.equal(embeds(pipeline, prompt), embeds(pipeline, "a red cat"))


def test_more_weight_changes_more(pipeline: Any) -> None:
    plain = embeds(pipeline, "a cat")
    distances = [float((embeds(pipeline, f"a (cat:{weight})", reading=NO_NORM) - plain).norm()) for weight in (1.1, 2)]
    assert 0 < distances[0] < distances[1]
    assert bool(embeds(pipeline, "(a cat:0)").isfinite().all())


def test_the_pooled_text_has_no_weights(pipeline: Any) -> None:
    if not hasattr(pipeline, "text_encoder_2"):
        assert schedule(pipeline, "a cat")[0].pooled_prompt_embeds is None
        return
    plain, weighed = (schedule(pipeline, text)[0].pooled_prompt_embeds for text in ("a cat", "a (cat:1.5)"))
    assert torch.equal(plain, weighed)


def test_break_and_long_texts_make_chunks_of_their_own(pipeline: Any) -> None:
    first, second = embeds(pipeline, "a cat"), embeds(pipeline, "a dog")
    assert torch.equal(embeds(pipeline, "a cat BREAK a dog"), torch.cat([first, second], dim=1))
    long = "red " * 70 + "cat, blue dog lake night red photo"
    head, tail = "red " * 70 + "cat,", "blue dog lake night red photo"
    assert torch.equal(embeds(pipeline, long), torch.cat([embeds(pipeline, head), embeds(pipeline, tail)], dim=1))
    both = schedule(pipeline, long, "dog")[0]
    assert both.negative_prompt_embeds is not None
    assert both.negative_prompt_embeds.shape == both.prompt_embeds.shape


def test_editing_and_alternation_change_the_step_that_they_say(pipeline: Any) -> None:
    heard = schedule(pipeline, "a [cat:dog:0.5] [red|blue]", "[night::1] photo", steps=4)
    texts = ["a cat red", "a cat blue", "a dog red", "a dog blue"]
    negatives = ["night photo", " photo", " photo", " photo"]
    for step, (text, negative) in enumerate(zip(texts, negatives, strict=True)):
        alone = schedule(pipeline, text, negative)[0]
        assert torch.equal(heard[step].prompt_embeds, alone.prompt_embeds), step
        assert torch.equal(heard[step].negative_prompt_embeds, alone.negative_prompt_embeds), step
        if alone.pooled_prompt_embeds is not None:
            assert torch.equal(heard[step].pooled_prompt_embeds, alone.pooled_prompt_embeds)
    constant = schedule(pipeline, "a cat", steps=4)
    assert all(step is constant[0] for step in constant)


def test_every_text_is_encoded_once(pipeline: Any) -> None:
    passes: list[int] = []
    hook = pipeline.text_encoder.register_forward_pre_hook(lambda _module, _inputs: passes.append(1))
    try:
        schedule(pipeline, "[cat|dog] lake", "night", steps=40)
    finally:
        hook.remove()
    assert len(passes) == 3


def test_and_gives_several_texts_with_weights(pipeline: Any) -> None:
    heard = schedule(pipeline, "a cat :1.2 AND a [dog:lake:1] AND " + "night " * 80 + ":-0.5", "photo", steps=2)
    assert heard[0].weights == (1.2, 1.0, -0.5)
    assert heard[0].prompt_embeds.shape[:2] == (3, 2 * 77)
    empty = embeds(pipeline, "")
    assert torch.equal(heard[0].prompt_embeds[:1], torch.cat([embeds(pipeline, "a cat"), empty], dim=1))
    assert torch.equal(heard[0].prompt_embeds[1:2, :77], embeds(pipeline, "a dog"))
    assert torch.equal(heard[1].prompt_embeds[1:2, :77], embeds(pipeline, "a lake"))
    assert schedule(pipeline, "cat", "a AND b")[0].negative_prompt_embeds.shape[0] == 1


def test_and_is_guided_in_any_case(pipeline: Any) -> None:
    assert schedule(pipeline, "a AND b", is_guided=False)[0].negative_prompt_embeds is not None
    assert schedule(pipeline, "a b", is_guided=False)[0].negative_prompt_embeds is None


@pytest.fixture
def addons(tmp_path: Path, pipeline: Any) -> Addons:
    """`toystyle` with two vectors for these encoders, and `wide`, which fits none."""
    folder = tmp_path / "embeddings"
    folder.mkdir()
    torch.manual_seed(0)
    widths = [encoder.width for encoder in text_encoders(pipeline)]
    names = ["emb_params"] if len(widths) == 1 else ["clip_l", "clip_g"]
    vectors = {name: torch.randn(2, width) for name, width in zip(names, widths, strict=True)}
    save_file(vectors, folder / "toystyle.safetensors")
    save_file({"emb_params": torch.randn(2, 7)}, folder / "wide.safetensors")
    return Addons(tmp_path)


def test_an_embedding_stands_for_its_name(pipeline: Any, addons: Addons) -> None:
    encoder = PromptEncoder(addons)
    without = embeds(pipeline, "a toystyle cat")
    named = embeds(pipeline, "a ToyStyle cat", encoder=encoder)
    assert not torch.equal(named, without)
    assert torch.equal(embeds(pipeline, "a wide cat", encoder=encoder), embeds(pipeline, "a wide cat"))
    # its vectors are read in the places of two tokens: the same as two words whose embeddings they are
    first, second = "dog", "lake"
    saved = [(e, e.model.get_input_embeddings().weight.data.clone()) for e in text_encoders(pipeline)]
    try:
        for e, table in saved:
            vectors = TextualInversions(addons).fitting(text_encoders(pipeline), "toystyle")["toystyle"]
            number = [x.model for x in text_encoders(pipeline)].index(e.model)
            changed = table.clone()
            for word, vector in zip((first, second), vectors.by_encoder[number], strict=True):
                (id,) = e.ids(word)
                changed[id] = vector
            e.model.get_input_embeddings().weight.data = changed
        replaced = embeds(pipeline, "a dog lake cat")
    finally:
        for e, table in saved:
            e.model.get_input_embeddings().weight.data = table
    assert torch.equal(named, replaced)
    assert not any(e.model.get_input_embeddings()._forward_hooks for e in text_encoders(pipeline))


def test_an_embedding_takes_a_weight_and_is_not_torn(pipeline: Any, addons: Addons) -> None:
    encoder = PromptEncoder(addons)
    plain = embeds(pipeline, "toystyle cat", encoder=encoder)
    weights = torch.ones(77)
    weights[1:3] = 1.5
    weighed = embeds(pipeline, "(toystyle:1.5) cat", encoder=encoder, reading=NO_NORM)
    assert torch.allclose(weighed, plain * weights[None, :, None])
    assert embeds(pipeline, "cat " * 74 + "toystyle", encoder=encoder).shape[1] == 2 * 77


def test_a_changed_embedding_is_read_again(pipeline: Any, addons: Addons, tmp_path: Path) -> None:
    encoder = PromptEncoder(addons)
    before = embeds(pipeline, "toystyle", encoder=encoder)
    path = tmp_path / "embeddings" / "toystyle.safetensors"
    widths = [e.width for e in text_encoders(pipeline)]
    names = ["emb_params"] if len(widths) == 1 else ["clip_l", "clip_g"]
    save_file({name: torch.ones(3, width) for name, width in zip(names, widths, strict=True)}, path)
    assert not torch.equal(embeds(pipeline, "toystyle", encoder=encoder), before)


def test_a_network_that_takes_guidance_as_an_input_knows_no_and(pipeline: Any) -> None:
    class Distilled:
        class unet:
            class config:
                time_cond_proj_dim = 32

    with pytest.raises(PromptError) as caught:
        schedule(Distilled(), "a AND b", is_guided=False)
    assert caught.value.details["reason"] == "prompt_and_unguided"


def test_an_embedding_is_read_from_its_converted_copy(pipeline: Any, addons: Addons, tmp_path: Path) -> None:
    plain = embeds(pipeline, "a toystyle cat", encoder=PromptEncoder(addons))
    vectors = (tmp_path / "embeddings" / "toystyle.safetensors").rename(tmp_path / "vectors")
    (tmp_path / "embeddings" / "toystyle.pt").write_bytes(b"an old one")

    def convert(source: BinaryIO, target: Path) -> Kind:
        shutil.copyfile(vectors, target)
        return "embedding"

    copies = ConvertedFiles(tmp_path / "converted")
    copies.start(convert)
    with_copies = Addons(tmp_path, converted=copies)
    eventually(lambda: "toystyle" in with_copies.embeddings(), 30)
    copies.close()
    assert torch.equal(embeds(pipeline, "a toystyle cat", encoder=PromptEncoder(with_copies)), plain)

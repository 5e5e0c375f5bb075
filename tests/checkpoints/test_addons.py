"""LoRAs and embeddings in the models folder: found by name, told apart by their headers, and nothing else is."""

from __future__ import annotations

import threading
import unicodedata
from pathlib import Path

import pytest

from tests.model_files import save
from webui.checkpoints import addons as module
from webui.checkpoints.addons import Addons
from webui.checkpoints.safetensors_header import Header

KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
PEFT = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight"


@pytest.mark.parametrize(
    ("shapes", "metadata", "family"),
    [
        ({KOHYA: (4, 768)}, None, "sd15"),
        ({KOHYA: (4, 1024)}, None, "sd2"),
        ({PEFT: (4, 2048)}, None, "sdxl"),
        ({"lora_te1_x.lora_down.weight": (4, 8)}, {"ss_base_model_version": "sdxl_base_v1-0"}, "sdxl"),
        ({"a.lora_A.weight": (4, 8)}, {"modelspec.architecture": "stable-diffusion-v1/lora"}, "sd15"),
        ({"transformer.single_transformer_blocks.0.x.lora_A.weight": (4, 8)}, None, "FluxPipeline"),
        ({"x.lora_up.weight": (4, 8)}, None, None),
    ],
)
def test_a_loras_family(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None, family: str | None
) -> None:
    save(tmp_path / "loras" / "ink.safetensors", shapes, metadata)
    assert Addons(tmp_path).loras()["ink"].family == family


def test_names(tmp_path: Path) -> None:
    for folder in ("loras", "loras/b"):
        save(tmp_path / folder / "ink.safetensors", {KOHYA: (4, 768)})
    save(tmp_path / "loras" / "vae.safetensors", {"decoder.conv_in.weight": (4, 4)})
    (tmp_path / "loras" / "broken.safetensors").write_bytes(b"<html>")
    (tmp_path / "loras" / "pickled.pt").write_bytes(b"x")
    save(tmp_path / "loras" / ".hidden.safetensors", {KOHYA: (4, 768)})
    found = Addons(tmp_path).loras()
    assert set(found) == {"ink", "b/ink", "broken"}
    assert {name: file.problem for name, file in found.items()} == {"ink": None, "b/ink": None, "broken": "lora_broken"}
    assert found["ink"].path.parent.name == "loras"


def test_names_whose_accents_were_taken_apart_are_as_prompts_have_them(tmp_path: Path) -> None:
    apart = unicodedata.normalize("NFD", "café が")
    save(tmp_path / "loras" / apart / f"{apart}.safetensors", {KOHYA: (4, 768)})
    save(tmp_path / "embeddings" / f"{apart}.safetensors", {"emb_params": (3, 768)})
    (tmp_path / "embeddings" / f"{apart}.pt").write_bytes(b"x")
    addons = Addons(tmp_path)
    assert set(addons.loras()) == {"café が", "café が/café が"}
    assert set(addons.embeddings()) == addons.pickled_embeddings() == {"café が"}


def test_what_was_seen_last_is_told_while_somebody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "loras" / "ink.safetensors", {KOHYA: (4, 768)})
    addons = Addons(tmp_path)
    assert addons.loras_last_seen() == {}
    addons.loras()
    save(tmp_path / "loras" / "new.safetensors", {KOHYA: (4, 768)})
    reading, goes_on = threading.Event(), threading.Event()
    read = module.read_header

    def slowly(path: Path) -> Header:
        reading.set()
        goes_on.wait(60)
        return read(path)

    monkeypatch.setattr(module, "read_header", slowly)
    looking = threading.Thread(target=addons.loras)
    looking.start()
    assert reading.wait(60)
    assert set(addons.loras_last_seen()) == {"ink"}
    goes_on.set()
    looking.join()
    assert set(addons.loras_last_seen()) == {"ink", "new"}


LAYER = KOHYA.removesuffix(".lora_down.weight")
DOWN_AND_UP: dict[str, tuple[int, ...]] = {f"{LAYER}.lora_down.weight": (4, 8), f"{LAYER}.lora_up.weight": (8, 4)}


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        (DOWN_AND_UP, None),
        (DOWN_AND_UP | {f"{LAYER}.alpha": ()}, None),
        (DOWN_AND_UP | {f"{LAYER}.dora_scale": (8, 1)}, "DoRA"),
        ({"unet.a.lora_A.weight": (4, 8), "unet.a.lora_magnitude_vector": (8,)}, "DoRA"),
        ({f"{LAYER}.oft_blocks": (2, 4, 4), f"{LAYER}.alpha": ()}, "OFT"),
        ({"unet.a.oft_r.default.weight": (2, 4)}, "OFT"),
        ({f"{LAYER}.weight": (8,), f"{LAYER}.on_input": ()}, "(IA)³"),
        ({f"{LAYER}.a1.weight": (4, 8), f"{LAYER}.b1.weight": (4, 8)}, "GLoRA"),
        ({f"{LAYER}.diff": (8, 8)}, "diff"),
        (DOWN_AND_UP | {"diffusion_model.norm.diff_b": (8,)}, "diff"),
        ({"unet.a.lora_A.weight": (4, 8), "unet.a.lora_B.bias": (8,)}, "bias"),
        (DOWN_AND_UP | {"bundle_emb.word.string_to_param.*": (2, 8)}, "?"),
        (DOWN_AND_UP | {f"{LAYER}.hada_w1_a": (4, 8)}, "?"),
        ({f"{LAYER}.alpha": (), "lora_unet_b.lora_down.weight": (4, 8)}, "?"),
    ],
)
def test_the_kind_of_a_lora_is_told_by_its_header(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], kind: str | None
) -> None:
    save(tmp_path / "loras" / "ink.safetensors", shapes)
    found = Addons(tmp_path).loras()["ink"]
    assert (found.problem, found.kind) == (None if kind is None else "lora_kind", kind)


def test_a_lora_of_whole_numbers_is_not_read(tmp_path: Path) -> None:
    path = save(tmp_path / "loras" / "ink.safetensors", DOWN_AND_UP)
    path.write_bytes(path.read_bytes().replace(b"F16", b"I16"))
    assert Addons(tmp_path).loras()["ink"].kind == "?"


@pytest.mark.parametrize(
    ("said", "problem"),
    [('{"unet.use_dora": true}', "lora_kind"), ("[1]", "lora_broken"), ("{", "lora_broken"), ("{}", None)],
)
def test_what_the_metadata_of_a_lora_says_counts(tmp_path: Path, said: str, problem: str | None) -> None:
    save(tmp_path / "loras" / "ink.safetensors", DOWN_AND_UP, {"lora_adapter_metadata": said})
    assert Addons(tmp_path).loras()["ink"].problem == problem


@pytest.mark.parametrize(
    ("shapes", "vectors", "fits"),
    [
        ({"emb_params": (3, 768)}, 3, (768,)),
        ({"<cat>": (768,)}, 1, (768,)),
        ({"clip_l": (2, 768), "clip_g": (2, 1280)}, 2, (768, 1280)),
        ({"clip_g": (2, 1280)}, 2, (1280,)),
    ],
)
def test_embeddings_fit_encoders_of_their_width(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], vectors: int, fits: tuple[int, ...]
) -> None:
    save(tmp_path / "embeddings" / "style.safetensors", shapes)
    (found,) = set(Addons(tmp_path).embeddings())
    embedding = Addons(tmp_path).embeddings()[found]
    assert (found, embedding.vectors) == ("style", vectors)
    assert embedding.fits(fits)
    assert not embedding.fits((7,))
    assert not embedding.fits((*fits, 7))
    assert not embedding.fits(())


@pytest.mark.parametrize(
    "shapes",
    [
        {"emb_params": (100, 768)},
        {"emb_params": (2, 2, 768)},
        {"clip_l": (2, 768), "clip_g": (3, 1280)},
        {"a": (2, 768), "b": (2, 768)},
    ],
)
def test_what_is_no_embedding_is_left_out(tmp_path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    save(tmp_path / "embeddings" / "odd.safetensors", shapes)
    assert Addons(tmp_path).embeddings() == {}


def test_it_looks_again(tmp_path: Path) -> None:
    addons = Addons(tmp_path)
    assert addons.embeddings() == {}
    assert addons.loras() == {}
    path = save(tmp_path / "embeddings" / "style.safetensors", {"emb_params": (3, 768)})
    assert addons.embeddings()["style"].vectors == 3
    save(path, {"emb_params": (4, 768)})
    assert addons.embeddings()["style"].vectors == 4
    path.rename(path.with_name("other.safetensors"))
    assert set(addons.embeddings()) == {"other"}
    path.with_name("old.pt").write_bytes(b"x")
    assert addons.pickled_embeddings() == {"old"}

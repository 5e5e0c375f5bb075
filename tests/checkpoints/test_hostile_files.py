"""Headers and LoRAs as no program writes them: read in time or refused with a reason, and never half."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webui.checkpoints.addons import Addons
from webui.checkpoints.architecture import recognise
from webui.checkpoints.lora_kinds import split, unread_kind
from webui.checkpoints.published_names import published_names
from webui.checkpoints.refusals import Broken, Refusal
from webui.checkpoints.safetensors_header import Header, TensorInfo, read_header
from webui.checkpoints.scaled_weights import is_needed, scales_of

SECONDS_PER_BYTE = 0.05 / 10_000
BOUNDED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
NAMES = st.lists(
    st.sampled_from(
        [
            *(
                "model",
                "diffusion_model",
                "input_blocks",
                "0",
                "1",
                "weight",
                "bias",
                "first_stage_model",
                "vae",
                "out",
            ),
            *("cond_stage_model", "conditioner", "embedders", "transformer", "text_model", "encoder", "embeddings"),
            *("lora_unet_a", "lora_down", "lora_up", "lora_mid", "lora_A", "lora_B", "default", "alpha", "hada_w1_a"),
            *("lokr_w1", "dora_scale", "oft_blocks", "diff", "weight_scale", "scale_weight", "comfy_quant", "v_pred"),
            *("edm_mean", "scaled_fp8", "é", ""),
        ]
    ),
    max_size=7,
).map(".".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
DTYPES = st.sampled_from(["F16", "F32", "BF16", "F8_E4M3", "F8_E8M0", "F4", "U8", "I8", "I64"])
SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
INFOS = st.builds(TensorInfo, DTYPES, SHAPES, st.just(0), st.just(0))
HEADERS = st.builds(
    Header,
    st.dictionaries(NAMES, INFOS, max_size=12),
    st.dictionaries(
        st.sampled_from(["_quantization_metadata", "lora_adapter_metadata", "modelspec.prediction_type"]),
        JSON.map(lambda value: json.dumps(value)) | st.text(max_size=12),
        max_size=3,
    ),
)


def packed(text: bytes, data_bytes: int = 0) -> bytes:
    return struct.pack("<Q", len(text)) + text + bytes(data_bytes)


@BOUNDED
@given(content=st.binary(max_size=200) | st.binary(max_size=200).map(packed) | JSON.map(lambda v: packed(_text(v))))
def test_no_bytes_are_more_than_a_refusal(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any.safetensors"
    path.write_bytes(content)
    with pytest.raises(Broken):
        read_header(path)


@BOUNDED
@given(entries=st.dictionaries(NAMES | st.just("__metadata__"), JSON, min_size=1, max_size=4), size=st.integers(0, 40))
def test_entries_of_any_kind_are_sound_or_refused(entries: dict[str, object], size: int, tmp_path: Path) -> None:
    path = tmp_path / "any.safetensors"
    path.write_bytes(packed(_text(entries), size))
    try:
        header = read_header(path)
    except Broken:
        return
    assert sum(info.end - info.start for info in header.tensors.values()) == size


@BOUNDED
@given(header=HEADERS)
def test_any_header_is_recognised_or_refused(header: Header) -> None:
    with pytest.raises(Refusal):  # none of these is a whole checkpoint
        recognise(header)


@BOUNDED
@given(header=HEADERS)
def test_no_tensor_is_lost_or_scaled_by_what_is_no_scale(header: Header) -> None:
    try:
        names = published_names(header.tensors)
        scales = scales_of(header)
    except Refusal:
        return
    assert len(set(names.values())) == len(header.tensors)
    for weight, scale in scales.items():
        assert is_needed(weight)
        assert not is_needed(scale)
        assert header.tensors[scale].shape in ((), (1,)) or set(header.tensors[scale].shape[1:]) <= {1}
    assert all(info.dtype[0] in "FB" for name, info in header.tensors.items() if name.endswith(".weight"))


@BOUNDED
@given(header=HEADERS)
def test_a_lora_is_understood_to_its_last_tensor_or_refused(header: Header) -> None:
    kind = unread_kind(header.tensors, header.metadata)
    assert (kind is not None) or all(split(name) is not None for name in header.tensors)


@BOUNDED
@given(content=st.binary(max_size=120).map(packed), name=NAMES)
def test_a_folder_of_anything_is_looked_through(content: bytes, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "loras"
    folder.mkdir(exist_ok=True)
    (folder / "any.safetensors").write_bytes(content)
    entry = {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}
    (folder / "one.safetensors").write_bytes(packed(_text({name: entry}), 2))
    found = Addons(tmp_path).loras()
    assert found["any"].problem == "lora_broken"
    assert "one" not in found or found["one"].problem is not None or split(name) is not None


@pytest.mark.parametrize("name", ["a." * 100, "lora_" * 50, "x.weight_scale" * 15, "_" * 256, ".lora.down" * 25])
def test_long_names_take_no_time(name: str) -> None:
    tensors = {f"{name[:240]}{number}": TensorInfo("F16", (1,), 0, 0) for number in range(2_000)}
    started = time.process_time()
    unread_kind(tensors, {})
    with pytest.raises(Refusal):
        recognise(Header(tensors, {}))
    assert time.process_time() - started < SECONDS_PER_BYTE * sum(map(len, tensors))


def _text(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")

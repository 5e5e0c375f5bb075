from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from webui.engine.device import Device
from webui.engine.pictures.images import to_tensor
from webui.engine.style import objective
from webui.engine.style.kept import KeptStyle
from webui.engine.style.style_losses import Gram
from webui.engine.style.tiles import tiles_of
from webui.engine.style.vgg import LAYERS, random_vgg19
from webui.errors import Cancelled, WeightsBroken
from webui.events import EngineEvent, Step

from .pictures import REFERENCE, as_tensor, china, flower, transfer

LAYER = ("conv2_1",)


def pixels(picture: Image.Image, width: int, height: int) -> torch.Tensor:
    """(1, 3, height, width) in [0, 1]"""
    return (to_tensor(picture.resize((width, height), Image.Resampling.LANCZOS)) + 1) / 2


def distances(result: torch.Tensor) -> tuple[float, float]:
    """Of a result of china in the style of flower: pixel distance to china, and distance of texture to flower."""
    height, width = result.shape[-2:]
    content, style = pixels(china(), width, height), pixels(flower(), width, height)
    network = random_vgg19([content, style], 3, torch.float32)
    gram, places = Gram(), (-(-height // 2)) * (-(-width // 2))
    found, wanted = (gram.summary(network(one, LAYER)["conv2_1"], places) for one in (result, style))
    return (result - content).square().mean().item(), gram.distance(found, wanted).item()


def test_the_style_comes_nearer_and_the_content_stays() -> None:
    result = as_tensor(transfer(china(), flower(), size=96, iterations=20))
    assert tuple(result.shape) == (1, 3, 64, 96)
    content = pixels(china(), 96, 64)
    _, before = distances(content)
    _, after = distances(result)
    assert after < 0.5 * before
    # what was bright against its surroundings still is: shapes outlive a change of colours
    brightness, original = result.mean(1).flatten(), content.mean(1).flatten()
    assert torch.corrcoef(torch.stack([brightness, original]))[0, 1] > 0.5


def test_both_weights_act_steadily() -> None:
    by_content = [distances(as_tensor(transfer(china(), flower(), content_weight=w)))[0] for w in (0.0, 1.0, 10.0)]
    assert by_content[0] > by_content[1] > by_content[2]
    by_style = [distances(as_tensor(transfer(china(), flower(), style_weight=w)))[1] for w in (0.0, 0.1, 1.0)]
    assert by_style[0] > by_style[1] > by_style[2]


@pytest.mark.parametrize("content_weight", [0.0, 1.0])
@pytest.mark.parametrize("size", [64, 192])  # one scale, and two
def test_without_any_style_weight_the_content_is_kept(content_weight: float, size: int) -> None:
    result = transfer(china(), flower(), style_weight=0.0, content_weight=content_weight, size=size, iterations=4)
    assert (as_tensor(result) - pixels(china(), result.width, result.height)).abs().max() < 0.01


def test_the_same_seed_gives_the_same_picture() -> None:
    first, second, other = (transfer(china(), flower(), iterations=6, seed=seed) for seed in (3, 3, 4))
    assert first.rgb == second.rgb
    assert first.rgb != other.rgb
    assert first.seed == 3


def test_every_iteration_is_a_step_and_some_have_previews() -> None:
    events: list[EngineEvent] = []
    result = transfer(china(), flower(), events=events, size=192, iterations=9)
    assert all(isinstance(event, Step) and event.phase == "optimise" and event.total == 9 for event in events)
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.index for step in steps] == list(range(1, 10))
    assert all(step.seconds > 0 for step in steps)
    previews = [step.preview for step in steps if step.preview]
    assert len(set(previews)) >= 4
    assert steps[-1].preview
    assert (result.width, result.height) == (192, 128)
    assert result.info["scales"] == "96×5 136×2 192×2"
    assert result.info["features"] == "random VGG-19"
    assert result.info["iterations"] == 9


@pytest.mark.parametrize("stop_at", [1, 3, 12, 20])
def test_it_stops_within_an_iteration(stop_at: int) -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise Cancelled

    events: list[EngineEvent] = []
    with pytest.raises(Cancelled):
        transfer(china(), flower(), events=events, check=check, iterations=50)
    assert calls == stop_at
    assert len(events) < 5


GROUND = {"black": 0, "white": 255}


@pytest.mark.parametrize(
    ("content", "style"),
    [
        ((64, 48), (1, 1)),
        ((1, 1), (64, 48)),
        ((900, 3), (40, 60)),
        ((40, 60), (3, 900)),
        ((20_000, 30), (1, 1)),
    ],
)
@pytest.mark.parametrize("ground", ["black", "white"])
def test_odd_pictures_never_give_nonsense(content: tuple[int, int], style: tuple[int, int], ground: str) -> None:
    flat = Image.new("L", content, GROUND[ground])
    result = transfer(flat, Image.new("RGB", style, (200, 40, 90)), iterations=3, content_weight=0.0)
    assert max(result.width, result.height) == 64
    red, green, blue = as_tensor(result).mean(dim=(0, 2, 3)).tolist()
    assert red > green
    assert red > blue


def test_all_black_works() -> None:
    black = Image.new("RGB", (64, 48))
    assert as_tensor(transfer(black, black, iterations=3)).max() < 0.05


def test_modes_are_converted() -> None:
    transfer(china().convert("L"), flower().convert("P"), iterations=1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_fp16_is_never_computed_in(dtype: torch.dtype) -> None:
    result = transfer(china(), flower(), iterations=2, device=Device(torch.device("cpu"), dtype, "CPU"))
    assert result.info["precision"] == ("bf16" if dtype == torch.bfloat16 else "fp32")


@pytest.fixture(scope="module")
def with_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with weights as trained ones are laid out; random, scaled as He et al. 2015."""
    folder = tmp_path_factory.mktemp("models")
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for layer in LAYERS:
        weight = torch.randn(layer.outputs, layer.inputs, 3, 3, generator=generator)
        tensors[f"features.{layer.index}.weight"] = (weight * (2 / (9 * layer.inputs)) ** 0.5).half()
        tensors[f"features.{layer.index}.bias"] = torch.zeros(layer.outputs).half()
    (folder / "vgg19").mkdir()
    save_file(tensors, folder / "vgg19" / "weights.safetensors")
    return folder


def test_weights_in_the_models_folder_are_used(with_weights: Path) -> None:
    result = transfer(china(), flower(), models_dir=with_weights, iterations=4)
    assert result.info["features"] == "weights.safetensors"
    assert distances(as_tensor(result))[1] < distances(pixels(china(), 64, 43))[1]


def test_broken_weights_are_an_error_not_a_fallback(tmp_path: Path) -> None:
    (tmp_path / "vgg19").mkdir()
    (tmp_path / "vgg19" / "x.safetensors").write_bytes(b"no")
    with pytest.raises(WeightsBroken):
        transfer(china(), flower(), models_dir=tmp_path)


@pytest.mark.parametrize("style_loss", ["gram", "wasserstein", "sliced_wasserstein"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_every_loss_and_optimizer_brings_the_style_nearer(style_loss: str, optimizer: str) -> None:
    before = distances(pixels(china(), 96, 64))[1]
    result = transfer(china(), flower(), size=96, iterations=10, style_loss=style_loss, optimizer=optimizer)
    assert distances(as_tensor(result))[1] < 0.7 * before


def mean_colour(image: torch.Tensor) -> torch.Tensor:
    return image.mean(dim=(0, 2, 3))


def test_several_styles_are_mixed_by_their_weights() -> None:
    red, blue = Image.new("RGB", (40, 40), (220, 30, 30)), Image.new("RGB", (40, 40), (30, 30, 220))

    def blueness(weight: float) -> float:
        more = [{"image": REFERENCE, "weight": weight}]
        result = transfer(china(), red, further_styles=[blue], style_images=more, content_weight=0.0, iterations=12)
        found = mean_colour(as_tensor(result))
        return (found[2] - found[0]).item()

    only_red, mixed, mostly_blue = blueness(0.0), blueness(1.0), blueness(10.0)
    assert only_red < -0.3
    assert only_red + 0.1 < mixed < mostly_blue - 0.1


@pytest.mark.parametrize("keep_colours", ["luminance", "coral", "histogram"])
def test_the_contents_colours_are_kept(keep_colours: str) -> None:
    content = mean_colour(pixels(china(), 96, 64))
    kept = mean_colour(as_tensor(transfer(china(), flower(), size=96, iterations=12, keep_colours=keep_colours)))
    lost = mean_colour(as_tensor(transfer(china(), flower(), size=96, iterations=12)))
    assert (kept - content).abs().max() < 0.06 < (lost - content).abs().max()


def test_luminance_keeps_every_pixels_hue() -> None:
    result = as_tensor(transfer(china(), flower(), size=96, iterations=8, keep_colours="luminance"))
    content = pixels(china(), 96, 64)
    difference = result - content  # a change of luminance moves all three alike, but where it would leave [0, 1]
    assert (difference.amax(1) - difference.amin(1)).median() < 0.01


def test_every_beginning_leads_to_the_content() -> None:
    for init in ("noise", "style_statistics", "instant"):
        result = as_tensor(transfer(china(), flower(), size=96, iterations=60, init=init))
        brightness, original = result.mean(1).flatten(), pixels(china(), 96, 64).mean(1).flatten()
        assert torch.corrcoef(torch.stack([brightness, original]))[0, 1] > 0.3


def test_other_settings_change_the_picture() -> None:
    plain = transfer(china(), flower())
    for fields in ({"style_scale": 2.0}, {"total_variation_weight": 10.0}, {"layer_weights": {"conv1_1": 5.0}}):
        assert transfer(china(), flower(), **fields).rgb != plain.rgb  # type: ignore[arg-type]


def test_more_smoothing_leaves_less_grain() -> None:
    def grain(weight: float) -> float:
        result = as_tensor(transfer(china(), flower(), total_variation_weight=weight, iterations=16))
        return (result[..., 1:] - result[..., :-1]).square().mean().item()

    assert grain(10.0) < 0.8 * grain(0.0)


def test_a_large_picture_in_tiles_has_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = as_tensor(transfer(china(), flower(), size=192, iterations=12))
    monkeypatch.setattr(objective, "LARGEST_WHOLE", 96 * 96)
    monkeypatch.setattr(objective, "tiles_of", lambda h, w, margin, side=64: tiles_of(h, w, margin, 64))
    tiled = as_tensor(transfer(china(), flower(), size=192, iterations=12))
    assert tiled.shape == whole.shape
    steps = (tiled[..., 1:] - tiled[..., :-1]).abs().mean(dim=(0, 1, 2))  # from column to column
    seams = torch.stack([steps[column - 1] for column in (64, 128)])
    assert seams.max() < 1.5 * steps.median()
    assert distances(tiled)[1] < 1.5 * distances(whole)[1]


def test_what_there_was_when_it_was_stopped_can_be_kept_at_once() -> None:
    events: list[EngineEvent] = []

    def check() -> None:
        if len(events) >= 5:
            raise Cancelled

    kept = KeptStyle()
    with pytest.raises(Cancelled):
        transfer(china(), flower(), events=events, check=check, kept=kept, iterations=50)
    stopped_at = len(events)
    more: list[EngineEvent] = []
    image = transfer(china(), flower(), events=more, kept=kept, iterations=50, stop_after=stopped_at)
    assert more == []
    assert image.rgb == transfer(china(), flower(), iterations=50, stop_after=stopped_at).rgb
    assert image.info["iterations"] == stopped_at
    assert transfer(china(), flower(), kept=kept, iterations=50, stop_after=3).rgb != image.rgb


def test_each_step_tells_the_loss_and_it_falls() -> None:
    events: list[EngineEvent] = []
    transfer(china(), flower(), events=events, iterations=20)
    losses = [event.loss for event in events if isinstance(event, Step) and event.loss is not None]
    assert len(losses) == 20
    assert losses[-1] < 0.7 * losses[0]


def test_weights_of_another_network_and_with_holes_are_refused(with_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "vgg19").mkdir()
    save_file({"features.0.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "vgg19" / "other.safetensors")
    with pytest.raises(WeightsBroken):
        transfer(china(), flower(), models_dir=tmp_path)
    tensors = load_file(with_weights / "vgg19" / "weights.safetensors")
    tensors["features.0.bias"][3] = float("nan")
    save_file(tensors, tmp_path / "vgg19" / "other.safetensors")
    with pytest.raises(WeightsBroken, match="not finite"):
        transfer(china(), flower(), models_dir=tmp_path)

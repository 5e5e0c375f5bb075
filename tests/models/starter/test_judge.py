"""The judge: what it is asked, how it is trained and kept, and whether the one that is kept may judge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.starter.recipe import judge as judging
from models.starter.recipe.attributes import answers, split
from models.starter.recipe.judge import (
    JUDGE,
    Judge,
    Tally,
    judging_loss,
    load_judge,
    save_judge,
    shortfalls,
    tally,
    train_judge,
)
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.thumbnails import SIZE, Augmentation, Loss, Pool, shrink, to_input, write_file
from models.starter.recipe.training import Options
from models.starter.recipe.values import ATTRIBUTES, VALUES, classes, knows

pytestmark = pytest.mark.native_bf16


def scenes(number: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(1)
    return [answers(sample_scene(rng)) for _ in range(number)]


def write_pool(folder: Path, number: int = 70) -> Path:
    """Thumbnails of one colour for each place, so that there is something to learn at once."""
    rng = np.random.default_rng(2)
    drawn = [sample_scene(rng) for _ in range(number)]
    colours = {place: rng.integers(0, 256, 3) for place in VALUES["place"]}
    pictures = [np.full((40, 40, 3), colours[scene.place], np.uint8) for scene in drawn]
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "00000.npz", iter(zip(pictures, drawn, strict=True)), lambda picture: 255 - picture, 0)
    return folder


def test_right_answers_cost_nothing_and_unanswerable_questions_count_for_nothing() -> None:
    targets = torch.stack(scenes(40))
    logits = torch.zeros(40, classes())
    for column, part in enumerate(split(logits).values()):
        asked = targets[:, column] >= 0
        part[asked, targets[asked, column]] = 50.0
    assert float(judging_loss(logits, targets)) == pytest.approx(0, abs=1e-5)
    found = tally(logits, targets)
    assert list(found) == list(ATTRIBUTES)
    assert all(one.right == one.asked for one in found.values())
    assert found["colour"].asked == int((targets[:, ATTRIBUTES.index("colour")] >= 0).sum()) < 40
    assert float(judging_loss(-logits, targets)) > 10


def test_who_is_wrong_too_often_is_no_judge() -> None:
    found = {"place": Tally(990, 1000), "thing": Tally(989, 1000), "colour": Tally(0, 0)}
    assert shortfalls(found) == ["thing", "colour"]


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_it_learns_and_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "BATCH", 16)
    folder = write_pool(tmp_path / "thumbnails")
    state = tmp_path / "judge.pt"
    train_judge(folder, state, Options(minutes=0.2, checkpoint=None))
    first = torch.load(state, weights_only=True)
    judge = train_judge(folder, state, Options(minutes=1, checkpoint=None))
    second = torch.load(state, weights_only=True)
    assert second["step"] > first["step"] > 0
    pool = Pool(folder)
    logits = judge(to_input(pool.examples(70)))
    found = tally(logits.detach(), torch.stack([answers(scene) for scene in pool.scenes]))
    assert found["place"].share > 2 / len(VALUES["place"])


@pytest.mark.parametrize("channels", [judging.CHANNELS, judging.SECOND_CHANNELS])
def test_it_is_kept_with_its_words(tmp_path: Path, channels: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    judge = Judge({**VALUES, "place": ["here", "elsewhere"]}, channels).eval()
    path = tmp_path / "judge.safetensors"
    save_judge(judge, {"place": Tally(1, 2)}, path)
    picture = Image.effect_noise((300, 200), 80)
    wanted, got = judge.read([picture]), load_judge(path).read([picture])
    for name in ATTRIBUTES:
        assert got[name].shape == (1, len(judge.values[name]))
        assert float(got[name].exp().sum()) == pytest.approx(1, abs=1e-4)
        torch.testing.assert_close(got[name], wanted[name], atol=0.1, rtol=0.1)
    assert load_judge(path).values == judge.values
    assert path.stat().st_size < 3.5 * 2**20


def test_thumbnails_are_read_back_and_new_ones_found(tmp_path: Path) -> None:
    folder = write_pool(tmp_path / "thumbnails", 30)
    pool = Pool(folder)
    assert pool.pictures(np.array([29, 0])).shape == (2, SIZE, SIZE, 3)
    assert not pool.refresh()
    (write_pool(tmp_path / "more", 20) / "00000.npz").rename(folder / "00001.npz")
    assert pool.refresh()
    assert len(pool.scenes) == 50
    assert pool.pictures(np.array([49])).shape == (1, SIZE, SIZE, 3)
    with pytest.raises(FileNotFoundError):
        Pool(tmp_path)


def test_augmentation_leaves_a_picture_what_it_is() -> None:
    small = np.random.default_rng(4).integers(0, 256, (12, 8, 8, 3)).astype(np.uint8)
    pictures = np.stack([shrink(Image.fromarray(picture)) for picture in small])
    augmented = Augmentation(np.random.default_rng(5), pictures)
    for _ in range(10):
        changed = augmented(pictures)
        assert changed.shape == (12, 3, SIZE, SIZE)
        torch.testing.assert_close(changed.mean(dim=(2, 3)), to_input(pictures).mean(dim=(2, 3)), atol=0.05, rtol=0)
    values, loss = to_input(pictures), Loss(pictures)
    torch.testing.assert_close(loss(values, 192), values, atol=1e-3, rtol=0)
    errors = [float((loss(values, kept) - values).square().mean()) for kept in (4, 16, 64)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > errors[-1] + 1e-4


def test_a_judge_of_old_words_is_asked_about_no_others() -> None:
    rng = np.random.default_rng(8)
    old = dict(load_judge().values)
    assert "second" not in old
    scenes = [sample_scene(rng) for _ in range(300)]
    known = [scene for scene in scenes if knows(old, scene)]
    assert 30 < len(known) < 200
    for scene in known:
        assert not scene.drawing
        assert len(answers(scene, old)) == len(old)
    assert all(knows(VALUES, scene) for scene in scenes)


@pytest.mark.slow
@pytest.mark.skipif(not JUDGE.exists(), reason="no judge was trained yet")
def test_the_judge_that_is_kept_reads_fresh_pictures() -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    judge = load_judge()
    found = judging.accuracy(judge, *judging.fresh_pictures(120, values=judge.values))
    for name, one in found.items():
        assert one.share > 0.95, name

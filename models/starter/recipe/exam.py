"""The checkpoint's examination: prompts that it was never trained on, and what the judge sees in its pictures.

Each function draws, has the judge read, and returns rows of the table. Seeds of scenes and pictures are fixed and were
chosen before any result was seen; nothing is drawn twice for a better one.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.starter.recipe.judge import Judge
from models.starter.recipe.lots import HELD_OUT, sample_scene, sample_with
from models.starter.recipe.measures import mean_distance, mean_interval, share_interval, ssim_outside
from models.starter.recipe.questions import Question, ask, ask_for, weighted, with_one_word_changed
from models.starter.recipe.report import Row
from models.starter.recipe.sample import Studio
from models.starter.recipe.scene import Scene
from models.starter.recipe.values import ATTRIBUTES, VALUES, Values, knows
from webui.engine.critics.critic import Critic

SEED = 4242  # of the examination's scenes; training drew from others
THRESHOLDS = {
    "place": 0.95, "time": 0.95, "season": 0.95, "weather": 0.95, "style": 0.95, "thing": 0.90, "colour": 0.85,
    "count": 0.70, "second": 0.80,
}  # fmt: skip
PAIRS_THRESHOLD, LANGUAGE_GAP, WEIGHT_THRESHOLD, DIVERSITY_THRESHOLD = 0.80, 0.03, 0.90, 0.80
WEIGHT = 1.4
LOCAL = ("thing", "colour", "count")  # attributes that stand in one part of the picture
SEEDS_A_PROMPT = 4
log = logging.getLogger("exam")


@dataclass(frozen=True)
class Answer:
    """A picture for a question, and the log probabilities that the judge gives to each attribute's values."""

    question: Question
    seed: int
    picture: Image.Image
    read: dict[str, Tensor]
    values: Values = field(default_factory=lambda: VALUES)  # those that the judge knows

    def is_right(self, attribute: str) -> bool:
        """Whether the judge reads what the scene has."""
        return int(self.read[attribute].argmax()) == self.values[attribute].index(
            getattr(self.question.scene, attribute)
        )

    def odds(self, attribute: str) -> float:
        """Log odds of the scene's value: they still rise where the probability is nearly 1."""
        own = self.values[attribute].index(getattr(self.question.scene, attribute))
        values = self.read[attribute].double()
        others = torch.cat([values[:own], values[own + 1 :]])
        return float(values[own] - others.logsumexp(dim=0))


def answer(studio: Studio, judge: Judge, questions: Sequence[Question], seeds: Sequence[int]) -> list[Answer]:
    """One picture for each question."""
    pictures = studio.draw_all([question.prompt for question in questions], seeds)
    read = judge.read(pictures)
    return [
        Answer(question, seed, picture, {name: values[index] for name, values in read.items()}, judge.values)
        for index, (question, seed, picture) in enumerate(zip(questions, seeds, pictures, strict=True))
    ]


def _known_scene(rng: np.random.Generator, values: Values) -> Scene:
    """A scene in these words."""
    while not knows(values, scene := sample_scene(rng, is_examined=True)):
        pass
    return scene


def ask_in_both_languages(number: int, values: Values = VALUES) -> list[Question]:
    """`number` prompts, half of them Chinese, two for each scene in these words."""
    questions = []
    for index in range(number // 2):
        rng = np.random.default_rng((SEED, index))
        scene = _known_scene(rng, values)
        questions += [ask(rng, False, scene), ask(rng, True, scene)]
    return questions


def share_row(name: str, rights: Sequence[bool], threshold: float | None, doubt: str = "") -> Row:
    """A row for how many of these are true."""
    if not rights:
        return Row(name=name, value=None, threshold=threshold)
    right, asked = sum(rights), len(rights)
    return Row(name=name, value=right / asked, number=asked, interval=share_interval(right, asked),
               threshold=threshold, doubt=doubt)  # fmt: skip


def attribute_rows(answers: Sequence[Answer], doubts: dict[str, str]) -> list[Row]:
    """How often each attribute that a prompt names is in its picture, in both languages and in each."""
    rows, by_language = [], {}
    names = [name for name in ATTRIBUTES if not answers or name in answers[0].read]  # those that the judge knows
    for chinese in (False, True):
        ours = [one for one in answers if one.question.chinese is chinese]
        by_language[chinese] = {
            name: [one.is_right(name) for one in ours if name in one.question.named] for name in names
        }
    for name in names:
        rights = by_language[False][name] + by_language[True][name]
        rows.append(share_row(name, rights, THRESHOLDS[name], doubts.get(name, "")))
    for chinese, language in ((False, "English"), (True, "Chinese")):
        every = [right for rights in by_language[chinese].values() for right in rights]
        rows.append(share_row(f"all of these, {language}", every, None))
    english, chinese_row = rows[-2:]
    if english.value is not None and chinese_row.value is not None and english.number and chinese_row.number:
        gap = english.value - chinese_row.value
        half = 1.96 * sum(row.value * (1 - row.value) / row.number for row in (english, chinese_row)) ** 0.5  # type: ignore[operator]
        rows.append(Row(name="English better than Chinese by", value=gap, interval=(gap - half, gap + half),
                        threshold=LANGUAGE_GAP, at_most=True))  # fmt: skip
    return rows


def held_out_rows(studio: Studio, judge: Judge, number: int, doubts: dict[str, str]) -> list[Row]:
    """Pairs that never stood together in training: both values seen in the picture."""
    questions, pairs = [], []
    pairs_known = [pair for pair in HELD_OUT if all(value in judge.values.get(name, ()) for name, value in pair)]
    for index in range(number):
        rng = np.random.default_rng((SEED, 1, index))
        pair = pairs_known[index % len(pairs_known)]
        question = ask_for(
            rng,
            index // len(pairs_known) % 2 == 1,
            frozenset(name for name, _ in pair),
            sample_with(rng, pair, judge.values),
        )
        if question is not None:
            questions.append(question)
            pairs.append(pair)
    answers = answer(studio, judge, questions, range(len(questions)))
    both = [all(one.is_right(name) for name, _ in pair) for one, pair in zip(answers, pairs, strict=True)]
    doubt = "; ".join(doubts[name] for name in sorted({name for pair in pairs for name, _ in pair} & doubts.keys()))
    rows = [share_row("both values of a pair", both, PAIRS_THRESHOLD, doubt)]
    for pair in pairs_known:
        ours = [right for right, of in zip(both, pairs, strict=True) if of == pair]
        rows.append(share_row(" + ".join(str(value) for _, value in pair), ours, None))
    return rows


def weight_row(studio: Studio, judge: Judge, answers: Sequence[Answer]) -> Row:
    """How often an attribute's odds rise when its word gets more weight, at the same seed."""
    rises = []
    for index, before in enumerate(answers):
        rng = np.random.default_rng((SEED, 2, index))
        names = sorted(before.question.named & before.read.keys())
        prompts = {name: weighted(before.question, name, WEIGHT) for name in names}
        choices = [name for name in names if prompts[name] is not None]
        if choices:
            name = choices[int(rng.integers(len(choices)))]
            picture = studio.draw(str(prompts[name]), before.seed)
            read = {attribute: values[0] for attribute, values in judge.read([picture]).items()}
            rises.append(
                Answer(before.question, before.seed, picture, read, judge.values).odds(name) > before.odds(name)
            )
    return share_row(f"a word weighted {WEIGHT} raises its attribute's odds", rises, WEIGHT_THRESHOLD)


def change_rows(studio: Studio, answers: Sequence[Answer]) -> list[Row]:
    """What one changed word leaves of the picture at the same seed, and for comparison what another seed leaves."""
    same_seed, other_seed = [], []
    for index, before in enumerate(answers):
        rng = np.random.default_rng((SEED, 3, index))
        changed = with_one_word_changed(before.question.prompt, rng, before.question.scene, LOCAL)
        if changed is not None:
            same_seed.append(ssim_outside(before.picture, studio.draw(changed[0], before.seed)))
            other = studio.draw(before.question.prompt, before.seed + 100_000)
            other_seed.append(ssim_outside(before.picture, other))
    named = ("one word changed, same seed: SSIM outside the change", "same prompt, other seed, for comparison")
    return [
        Row(name=name, value=float(np.mean(values)) if values else None, unit="", number=len(values),
            interval=mean_interval(values) if values else None)
        for name, values in zip(named, (same_seed, other_seed), strict=True)
    ]  # fmt: skip


def diversity_row(studio: Studio, critic: Critic, prompts: int, size: int, values: Values = VALUES) -> Row:
    """How far pictures of one prompt lie apart in CLIP space, as a share of what the renderer's own do."""
    from models.starter.recipe.render import render  # late: its library is needed by those alone who draw

    ours, theirs = [], []
    for index in range(prompts):
        rng = np.random.default_rng((SEED, 4, index))
        scene = _known_scene(rng, values)
        question = ask(rng, index % 2 == 1, scene)
        drawn = [studio.draw(question.prompt, seed) for seed in range(SEEDS_A_PROMPT)]
        rendered = [
            Image.fromarray(render(scene, np.random.default_rng((SEED, 5, index, seed)), size))
            for seed in range(SEEDS_A_PROMPT)
        ]
        ours.append(mean_distance(critic.embed_pictures(drawn)))
        theirs.append(mean_distance(critic.embed_pictures(rendered)))
    if not ours:
        return Row(name="distance of seeds", value=None)
    value = sum(ours) / sum(theirs)
    spread = np.random.default_rng(SEED).integers(prompts, size=(1000, prompts))
    ratios = np.array(ours)[spread].sum(axis=1) / np.array(theirs)[spread].sum(axis=1)
    low, high = np.quantile(ratios, (0.025, 0.975))
    return Row(name="pictures of one prompt, apart in CLIP space, against the renderer's own", value=value,
               number=prompts, interval=(float(low), float(high)), threshold=DIVERSITY_THRESHOLD)  # fmt: skip

"""A1111's prompt dialect, read in linear time.

`(x)` `((x))` `(x:1.2)` `[x]`, escapes with a backslash, `BREAK`, `a AND b :1.2`, prompt editing `[from:to:when]`
`[to:when]` `[from::when]`, alternation `[a|b]`, `<lora:name:weight>`, in capitals too, and comments from `#` to the end
of the line.

Comments and LoRAs are removed first. `AND` then divides the rest into prompts of their own; each has a timeline of
texts (timeline.py), and each of those texts has weights (attention.py). A negative prompt has no `AND`. Whatever is not
syntax is text. Knows no tokens and no files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from webui.errors import PromptError
from webui.prompts.attention import BREAK
from webui.prompts.lexer import MAX_PARTS, MAX_WEIGHT, plain_number
from webui.prompts.timeline import Timeline

MAX_LORAS = 32
MAX_BREAKS = 64  # each costs one more pass through the text encoder
MAX_LORA_WEIGHT = 10.0  # either way; A1111's users invert some of them, and none is meant to go so far
MAX_NAME_CHARACTERS = 200

_COMMENT = re.compile(r"(<(?i:lora|lyco|hypernet):[^<>\n]*+>)|#[^\n]*+")  # the first is none: a name may have that sign
_NETWORK = re.compile(r"<(lora|lyco|hypernet):([^<>]*+)>", re.IGNORECASE)
_AND = re.compile(r"\bAND\b")


@dataclass(frozen=True)
class Lora:
    """A LoRA that the prompt asks for, by its file's name, with its weights for the U-Net and for the text encoders."""

    name: str
    weight: float = 1.0
    text_weight: float = 1.0
    position: int = 0

    def times(self, factor: float) -> Lora:
        """The same LoRA with its weights multiplied by `factor`."""
        return replace(self, weight=self.weight * factor, text_weight=self.text_weight * factor)


@dataclass(frozen=True)
class Part:
    """One prompt between `AND`s, with its weight in the guidance, in [-3, 3]."""

    timeline: Timeline
    weight: float = 1.0


@dataclass(frozen=True)
class A1111Prompt:
    """One or several prompts that guide the picture together."""

    parts: tuple[Part, ...]
    loras: tuple[Lora, ...] = ()

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights of the parts."""
        return tuple(part.weight for part in self.parts)


def parse(text: str, *, is_negative: bool = False) -> A1111Prompt:
    """Reads `text`. Raises PromptError if there is too much of something, for a LoRA without a name or with an invalid
    weight, and for a LoRA in the negative prompt; everything else has a meaning.
    """
    text = without_comments(text)
    breaks = [match.start() for match in BREAK.finditer(text)]
    if len(breaks) > MAX_BREAKS:
        raise PromptError(reason="prompt_breaks", position=breaks[MAX_BREAKS], limit=MAX_BREAKS)
    loras, text = take_loras(text, is_negative=is_negative)
    if is_negative:
        return A1111Prompt((Part(Timeline.of(text)),), loras)
    texts = _split_at_and(text)
    return A1111Prompt(tuple(Part(Timeline.of(part), weight) for part, weight in texts), loras)


def without_comments(text: str) -> str:
    """`text` with spaces in place of comments, from `#` to the end of the line, so that every other character keeps its
    place.

    As in A1111, a `#` begins a comment anywhere in the line, except in the names of LoRAs.
    """
    return _COMMENT.sub(lambda match: match[1] or " " * len(match[0]), text)


def take_loras(text: str, *, is_negative: bool = False) -> tuple[tuple[Lora, ...], str]:
    """The LoRAs, and the text without them. Raises the same PromptErrors for them as `parse`."""
    loras = []
    for match in _NETWORK.finditer(text):
        if match[1].lower() == "hypernet":
            raise PromptError(reason="prompt_hypernet", position=match.start())
        if is_negative:
            raise PromptError(reason="prompt_lora_negative", position=match.start(), field="negative_prompt")
        loras.append(_lora(match[2], match.start()))
    if len(loras) > MAX_LORAS:
        raise PromptError(reason="prompt_loras", position=loras[MAX_LORAS].position, limit=MAX_LORAS)
    return tuple(loras), _NETWORK.sub("", text) if loras else text


def lora_spans(text: str) -> tuple[tuple[int, int], ...]:
    """The places of the LoRAs that `take_loras` removes, as [start, end)."""
    return tuple(match.span() for match in _NETWORK.finditer(text))


def _lora(arguments: str, position: int) -> Lora:
    """`name`, `name:weight` or `name:text encoders:U-Net`; the last two also as `te=` and `unet=`, as in A1111."""
    name, *rest = (word.strip() for word in arguments.split(":"))
    if not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise PromptError(reason="prompt_lora_name", position=position)
    named = dict(word.split("=", 1) for word in rest if "=" in word)
    plain = [word for word in rest if "=" not in word]
    if not named.keys() <= {"te", "unet"} or len(plain) > 2:
        raise PromptError(reason="prompt_lora_weight", position=position, name=name)
    text_weight = _lora_weight(named.get("te", plain[0] if plain else "1"), name, position)
    weight_said = named.get("unet", plain[1] if len(plain) > 1 else None)
    weight = text_weight if weight_said is None else _lora_weight(weight_said, name, position)
    return Lora(name, weight, text_weight, position)


def _lora_weight(word: str, name: str, position: int) -> float:
    number = plain_number(word.strip())
    if number is None:
        raise PromptError(reason="prompt_lora_weight", position=position, name=name)
    return min(max(number, -MAX_LORA_WEIGHT), MAX_LORA_WEIGHT)


def _split_at_and(text: str) -> list[tuple[str, float]]:
    """The prompts between the `AND`s, and their weights.

    A number at the end counts as a weight only if there is an `AND`: A1111 takes "a screen of 16:9" for a prompt of
    weight 9, which nobody means.
    """
    texts = _AND.split(text)
    if len(texts) == 1:
        return [(text, 1.0)]
    if len(texts) > MAX_PARTS:
        position = [match.start() for match in _AND.finditer(text)][MAX_PARTS - 1]
        raise PromptError(reason="prompt_parts", position=position, limit=MAX_PARTS)
    return [_weighed(part) for part in texts]


def _weighed(text: str) -> tuple[str, float]:
    before, colon, after = text.rpartition(":")
    number = plain_number(after.strip()) if colon else None
    if number is None:
        return text, 1.0
    return before, min(max(number, -MAX_WEIGHT), MAX_WEIGHT)

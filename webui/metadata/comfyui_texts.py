"""The prompt behind a conditioning in a ComfyUI graph: through whatever is between encoder and sampler, and through the
nodes that provide texts.

Joined texts are joined; combined conditionings give both their texts. What a node would compute from a text (a language
model, a random choice) cannot be followed, and is reported. Knows no settings of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from webui.metadata.comfyui_graph import Graph, Link, Node

_MAX_DEPTH = 64
_MAX_VISITED = 5_000
_MAX_CHARACTERS = 20_000
_CONDITIONING = re.compile(r"cond(itioning)?(_?\w+)?|positive|negative|base_positive|base_negative", re.IGNORECASE)
_TEXT = re.compile(
    r"(text|string|prompt|populated_text|value|clip_l|clip_g|t5xxl|llama|caption|wildcard_text)_?\d*(_?[a-z]{1,6})?\d*",
    re.IGNORECASE,
)
_FIRST = ("populated_text", "text", "prompt", "string", "text_g", "t5xxl")
_DELIMITERS = ("delimiter", "separator", "sep")
_COMPUTED = re.compile(
    r"llm|gpt|llama|ollama|florence|caption|interrogat|tagger|random|wildcard|regex|replace", re.IGNORECASE
)
_NOT_TEXT = ("text_encoder", "prompt_mode", "text_mode", "value_type")


@dataclass
class Prompts:
    """Follows the conditionings of one sampler, and keeps what it finds on the way."""

    graph: Graph
    encoders: list[str] = field(default_factory=list)
    unfollowed: list[str] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    guidance: float | None = None
    joined: int = 0
    _visited: int = 0

    def of(self, conditionings: list[Link], name: str) -> str | None:
        """The text behind what a sampler takes as `positive` or `negative`; None if there is none."""
        seen: set[str] = set()
        texts = [text for link in conditionings for text in self._texts(link, name, seen, 0)]
        if len(texts) > 1:
            self.joined = max(self.joined, len(texts))
        return ", ".join(dict.fromkeys(texts))[:_MAX_CHARACTERS] if texts else None

    def _texts(self, link: Link, name: str, seen: set[str], depth: int) -> list[str]:
        """The texts of all the encoders behind a link, in order."""
        if link.node in seen:
            return []
        if depth > _MAX_DEPTH or len(seen) > _MAX_VISITED:
            self.unfollowed.append(_field(name))
            return []
        seen.add(link.node)
        node = self.graph[link.node]
        if isinstance(guidance := node.inputs.get("guidance"), int | float) and name == "positive":
            self.guidance = self.guidance if self.guidance is not None else float(guidance)
        if "zeroout" in node.kind.casefold():
            return [""]
        if before := _conditionings(node, name):
            return [text for one in before for text in self._texts(one, name, seen, depth + 1)]
        self.encoders.append(link.node)
        text = self._encoded(node, name)
        if text is None:
            self.unfollowed.append(_field(name))
        return [] if text is None else [text]

    def _encoded(self, node: Node, name: str) -> str | None:
        """What an encoder was given; of several texts the first, and the others are kept aside if they differ."""
        if isinstance(said := node.inputs.get(name), str):
            return said  # a loader that encodes both prompts itself
        names = _text_inputs(node)
        texts = {one: text for one in names if (text := self._text(node.inputs[one], 0)) is not None}
        if not texts:
            return None
        first = next((one for one in _FIRST if texts.get(one)), next(iter(texts)))
        for one, text in texts.items():
            if text and text != texts[first]:
                self.others.append((one, text))
        if len(texts) < len(names):
            self.unfollowed.append(_field(name))
        return texts[first]

    def _text(self, value: Any, depth: int) -> str | None:
        """A text, also if other nodes provide it or put it together."""
        if isinstance(value, str):
            return value[:_MAX_CHARACTERS]
        self._visited += 1
        if not isinstance(value, Link) or depth > _MAX_DEPTH or self._visited > _MAX_VISITED:
            return None
        node = self.graph[value.node]
        if isinstance(populated := node.inputs.get("populated_text"), str):
            return populated[:_MAX_CHARACTERS]  # what a node of wildcards made of its template
        names = _text_inputs(node)
        if not names or _COMPUTED.search(node.kind):
            return None
        if len(names) > 1 and not any(one in node.inputs for one in _DELIMITERS) and not _is_joining(node):
            names = [next((one for one in _FIRST if one in names), names[0])]
        texts = [self._text(node.inputs[one], depth + 1) for one in names]
        if None in texts:
            return None
        delimiter = next((node.inputs[one] for one in _DELIMITERS if isinstance(node.inputs.get(one), str)), None)
        if delimiter is None:
            delimiter = ", " if node.inputs.get("tidy_tags") == "yes" else ""
        return delimiter.join(text for text in texts if text)[:_MAX_CHARACTERS]


def _field(name: str) -> str:
    return "prompt" if name == "positive" else "negative_prompt"


def _conditionings(node: Node, name: str) -> list[Link]:
    """The inputs that a conditioning comes from; of a pair, the one with that name."""
    links = {name: value for name, value in node.inputs.items() if isinstance(value, Link)}
    lone = list(links.values())
    links = {name: value for name, value in links.items() if _CONDITIONING.fullmatch(name)}
    pair = [one for one in links if one in ("positive", "negative")]
    if pair:
        return [links[name]] if name in links else []
    if links or any(isinstance(node.inputs.get(one), str) for one in ("positive", "negative")) or _text_inputs(node):
        return list(links.values())
    return lone if len(lone) == 1 else []


def _text_inputs(node: Node) -> list[str]:
    """The inputs that hold a text, in order."""
    return [
        name
        for name, value in node.inputs.items()
        if isinstance(value, str | Link) and name not in _NOT_TEXT and _TEXT.fullmatch(name)
    ]


def _is_joining(node: Node) -> bool:
    return bool(re.search(r"conc?at|join|append|combine|stringfunction", node.kind, re.IGNORECASE))

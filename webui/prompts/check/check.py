"""Counts a prompt's tokens and says which parts of it will have no effect, for one checkpoint and the given settings.

Loads nothing but a tokenizer. Knows no HTTP and no sentences: notes are codes.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from webui.capabilities import Capability
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.refusals import Broken
from webui.checkpoints.text_widths import text_widths
from webui.checkpoints.tokenizer_files import find_tokenizer
from webui.errors import PromptError
from webui.prompts import a1111, compel
from webui.prompts.attention import attention_with_places
from webui.prompts.check.borders import chunk_infos, compel_chunks
from webui.prompts.check.clip_tokenizer import ClipTokenizer
from webui.prompts.check.embedding_names import embedding_notes, find_names
from webui.prompts.check.languages import language_notes
from webui.prompts.check.other_programs import other_syntax_notes, other_weight_notes
from webui.prompts.check.report import Checked, Note, Report
from webui.prompts.check.syntax import COMPEL_SYNTAX, MAX_NOTES, comment_notes, syntax_notes
from webui.prompts.check.token_limits import TokenLimits
from webui.prompts.chunks import Chunk, Embeddings, cut
from webui.prompts.templates import settle
from webui.prompts.wildcards import Wildcards

MAX_TEXTS = 8  # of a prompt that changes from step to step, to find the longest of
KEPT_TOKENIZERS = 8
_HAN = re.compile(r"[\u3400-\u9fff]")
_NOT_SPOKEN = re.compile(r"<[^<>]*>|__(?! )(?:[^_\n]|_(?!_))+__|\bembedding:[\w./-]{1,100}", re.IGNORECASE)
_PLAIN_SYNTAX = re.compile(r"\([^()]{0,200}:[0-9.]{1,5}\)|\(\(|\[[^\[\]]{0,200}[:|][^\[\]]{0,200}\]|\bBREAK\b|\bAND\b")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to check; None means the checkpoint's default. `seed` chooses among the wildcards."""

    prompt: str = ""
    negative_prompt: str = ""
    dialect: str = "a1111"
    checkpoint: str | None = None
    guidance_scale: float | None = None
    steps: int | None = None
    seed: int = 0


class PromptCheck:
    """Checks prompts, and keeps the last few tokenizers. Thread-safe."""

    def __init__(self, catalogue: Catalogue, presets_dir: Path, addons: Addons | None = None) -> None:
        """`addons`: those of the catalogue's folders, where somebody else reads them too."""
        self._catalogue = catalogue
        self._wildcards = Wildcards(presets_dir / "wildcards")
        self._addons = addons or Addons(catalogue.models_dir, catalogue.others, catalogue.converted)
        self._reach = TokenLimits()
        self._lock = threading.Lock()
        self._tokenizers: OrderedDict[tuple[str, str], ClipTokenizer | None] = OrderedDict()

    def check(self, question: Question) -> Checked:
        """Checks both prompts. Raises the catalogue's errors for a checkpoint that does not exist or cannot be used."""
        asked = question.checkpoint
        checkpoint = self._catalogue.get(asked) if asked is not None else self._catalogue.default()
        return Checked(
            prompt=self._report(question, checkpoint, "prompt"),
            negative_prompt=self._report(question, checkpoint, "negative_prompt"),
        )

    def _report(self, question: Question, checkpoint: Checkpoint, field: str) -> Report:
        is_negative = field == "negative_prompt"
        written = question.negative_prompt if is_negative else question.prompt
        is_a1111 = question.dialect == "a1111"
        notes = comment_notes(written) if is_a1111 else []
        text = a1111.without_comments(written) if is_a1111 else written
        notes += other_syntax_notes(text, question.dialect)
        tokenizer = self._tokenizer(checkpoint)
        try:
            settled = settle(text, f"{field} {question.seed}", self._wildcards, has_comments=is_a1111)
        except PromptError as error:
            return Report(tokens=None, chunks=(), notes=(_error_note(error), *notes))
        notes += _guidance_notes(question, checkpoint, is_negative, settled)
        if not _has_syntax(checkpoint):
            notes += [*_ignored(text, question.dialect), *language_notes(_spoken(text), checkpoint)]
            notes += self._cut_notes(settled, text, checkpoint)
            lora_notes = self._lora_notes(settled, checkpoint) if is_a1111 else []
            return Report(tokens=None, chunks=(), notes=(*lora_notes, *notes))
        notes += syntax_notes(text, question.dialect) + other_weight_notes(text, question.dialect)
        notes += self._word_notes(text, question.dialect, checkpoint, tokenizer)
        steps = question.steps or checkpoint.defaults.steps
        try:
            longest, loras = self._longest(settled, question.dialect, steps, is_negative, tokenizer, checkpoint)
        except PromptError as error:
            return Report(tokens=None, chunks=(), notes=(_error_note(error), *notes))
        notes += self._lora_notes_of(loras, checkpoint)
        if is_a1111:
            notes += embedding_notes(text, self._addons, text_widths(checkpoint), tokenizer)
        if longest is None:
            return Report(tokens=None, chunks=(), notes=tuple(notes))
        as_written = text if settled == text else None
        chunks = chunk_infos(longest, as_written, question.dialect, is_negative=is_negative)
        return Report(tokens=sum(len(chunk.tokens) for chunk in longest), chunks=chunks, notes=tuple(notes))

    def _longest(
        self,
        text: str,
        dialect: str,
        steps: int,
        is_negative: bool,
        tokenizer: ClipTokenizer | None,
        checkpoint: Checkpoint,
    ) -> tuple[list[Chunk] | None, tuple[a1111.Lora, ...]]:
        """The chunks of the text with the most tokens among all texts that the prompt becomes. Raises PromptError."""
        if dialect == "compel":
            prompt = compel.parse(text)
            if tokenizer is None:
                return None, ()
            return compel_chunks(prompt, tokenizer), ()
        parsed = a1111.parse(text, is_negative=is_negative)
        texts: list[str] = []
        for part in parsed.parts:
            texts += list(dict.fromkeys(part.timeline.texts(steps)))[:MAX_TEXTS]
        if tokenizer is None:
            return None, parsed.loras
        embeddings = self._embeddings(checkpoint, tokenizer)
        found = [
            cut(attention_with_places(one)[0], tokenizer.words, tokenizer.comma, embeddings)
            for one in texts[: MAX_TEXTS * 2]
        ]
        return max(found, key=lambda chunks: sum(len(chunk.tokens) for chunk in chunks)), parsed.loras

    def _tokenizer(self, checkpoint: Checkpoint) -> ClipTokenizer | None:
        if not _has_syntax(checkpoint):
            return None
        key = checkpoint.id, checkpoint.version
        with self._lock:
            if key not in self._tokenizers:
                self._tokenizers[key] = _load(checkpoint, self._catalogue.models_dir / "tokenizers")
                while len(self._tokenizers) > KEPT_TOKENIZERS:
                    self._tokenizers.popitem(last=False)
            self._tokenizers.move_to_end(key)
            return self._tokenizers[key]

    def _embeddings(self, checkpoint: Checkpoint, tokenizer: ClipTokenizer) -> Embeddings:
        widths = text_widths(checkpoint)
        files = self._addons.embeddings()
        return Embeddings.of({name: file.vectors for name, file in files.items() if file.fits(widths)}, tokenizer.ids)

    def _cut_notes(self, settled: str, written: str, checkpoint: Checkpoint) -> list[Note]:
        """What a family that reads prompts as plain text leaves unread; without a place if wildcards have changed the
        text.
        """
        end = self._reach.end(settled, checkpoint)
        if end is None:
            return []
        if settled != written:
            return [Note(code="cut", level="warning")]
        return [Note(code="cut", level="warning", start=end, end=len(written))]

    def _lora_notes(self, text: str, checkpoint: Checkpoint) -> list[Note]:
        try:
            return self._lora_notes_of(a1111.take_loras(text)[0], checkpoint)
        except PromptError as error:
            return [_error_note(error)]

    def _lora_notes_of(self, loras: Sequence[a1111.Lora], checkpoint: Checkpoint) -> list[Note]:
        known = self._addons.loras() if loras else {}
        text_width = sum(text_widths(checkpoint)) if loras and _has_syntax(checkpoint) else None
        notes = []
        for lora in loras:
            file = known.get(lora.name)
            if file is not None and file.problem is None and file.fits(checkpoint.family, text_width):
                continue
            is_of_family = file is not None and file.fits(checkpoint.family)
            code = "lora_missing" if file is None else "lora_size" if is_of_family else "lora_family"
            details = {"name": lora.name, "family": _family_name(file.family if file else None)}
            if file is not None and file.problem is not None:
                code, details = file.problem, {"name": lora.name, "kind": file.kind or ""}
            end = lora.position + len("<lora:") + len(lora.name)
            notes.append(Note(code=code, level="error", start=lora.position, end=end, details=dict(details)))
        return notes

    def _word_notes(
        self, text: str, dialect: str, checkpoint: Checkpoint, tokenizer: ClipTokenizer | None
    ) -> list[Note]:
        """Words that the checkpoint cannot know, each once, and languages other than the one it was trained on. Names
        of LoRAs, wildcards and embeddings do not count as words.
        """
        spoken = _spoken(text)
        names = {*self._addons.embeddings(), *self._addons.pickled_embeddings()} if dialect == "a1111" else set()
        for _, start, end in find_names(spoken, names, tokenizer) if tokenizer is not None else ():
            spoken = spoken[:start] + " " * (end - start) + spoken[end:]
        if tokenizer is None or not tokenizer.is_closed:
            return language_notes(spoken, checkpoint)
        spelt = tokenizer.unknown(spoken, {"break", "and"})
        places = {text[start:end].casefold(): (start, end) for start, end in reversed(spelt)}
        unknown = [
            Note(code="unknown_word", level="warning", start=start, end=end, details={"word": text[start:end]})
            for start, end in sorted(places.values())[:MAX_NOTES]
        ]
        is_words_alone = spoken == text  # a LoRA or an embedding means something, too
        has_nothing = is_words_alone and tokenizer.knows_nothing_of(text, spelt)
        return [_nothing_known(text, checkpoint), *unknown] if has_nothing else unknown


def _spoken(text: str) -> str:
    """The text with spaces in place of what other notes are about: tags, wildcards and the like."""
    return _NOT_SPOKEN.sub(lambda match: " " * len(match[0]), text)


def _nothing_known(text: str, checkpoint: Checkpoint) -> Note:
    """Says that the picture will have nothing to do with the prompt, with a prompt that works if the checkpoint has
    examples.
    """
    if not checkpoint.examples:
        return Note(code="nothing_known", level="warning")
    example = checkpoint.examples[0]
    shown = example.prompt_zh if _HAN.search(text) and example.prompt_zh else example.prompt
    return Note(code="nothing_known_example", level="warning", details={"example": shown})


def _guidance_notes(question: Question, checkpoint: Checkpoint, is_negative: bool, text: str) -> list[Note]:
    """A negative prompt works only through guidance, which `AND` switches on in any case."""
    family = FAMILIES[checkpoint.family]
    scale = checkpoint.defaults.guidance_scale if question.guidance_scale is None else question.guidance_scale
    is_a1111 = Capability.PROMPT_SYNTAX in family.capabilities and question.dialect == "a1111"
    has_and = is_a1111 and re.search(r"\bAND\b", question.prompt) is not None
    is_known = Capability.NEGATIVE_PROMPT in family.capabilities
    if not (is_known and is_negative and text.strip() and scale <= family.guided_above) or has_and:
        return []
    details: dict[str, str | int | float] = {"guidance_scale": scale, "limit": f"{family.guided_above:g}"}
    return [Note(code="negative_unguided", level="warning", details=details)]


def _ignored(text: str, dialect: str) -> list[Note]:
    """Syntax that the family takes for plain text."""
    pattern = _PLAIN_SYNTAX if dialect == "a1111" else COMPEL_SYNTAX
    return [_at(match, "syntax_ignored", text=match[0][:60]) for match in pattern.finditer(text)][:MAX_NOTES]


def _at(match: re.Match[str], code: str, **details: str) -> Note:
    return Note(code=code, level="warning", start=match.start(), end=match.end(), details=dict(details))


def _has_syntax(checkpoint: Checkpoint) -> bool:
    return Capability.PROMPT_SYNTAX in FAMILIES[checkpoint.family].capabilities


def _error_note(error: PromptError) -> Note:
    return Note(code="unreadable", level="error", start=int(error.details.get("position", 0)), details=error.details)


def _family_name(family: str | None) -> str:
    return FAMILIES[family].name if family is not None and family in FAMILIES else ""


def _load(checkpoint: Checkpoint, tokenizers_dir: Path) -> ClipTokenizer | None:
    for name in ("tokenizer", "tokenizer_2"):
        folder = find_tokenizer(checkpoint, name, tokenizers_dir)
        if folder is not None:
            try:
                return ClipTokenizer(folder)
            except Broken:
                return None
    return None

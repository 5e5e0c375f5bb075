"""What a LoRA's tensors are, by their names: which layer each is for, which part of its change it is, and of what kind.

kohya's trainer, LyCORIS, PEFT and diffusers each have their own names. LoRA, LoCon, LoHa and LoKr are read; other kinds
are recognised, so that they can be refused by name. Knows no tensors and no networks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Set

# The end of a tensor's name, and what it is; the group in it where that is empty.
_ENDINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern + "$"), role)
    for pattern, role in (
        (r"[._]lora_down\.weight", "down"),
        (r"[._]lora_up\.weight", "up"),
        (r"[._]lora_mid\.weight", "mid"),
        (r"\.lora_A(?:\.default)?\.weight", "down"),
        (r"\.lora_B(?:\.default)?\.weight", "up"),
        (r"(?:[._]lora|\.lora_linear_layer)\.down\.weight", "down"),
        (r"(?:[._]lora|\.lora_linear_layer)\.up\.weight", "up"),
        (r"\.alpha", "alpha"),
        (r"\.(hada_w[12]_[ab]|hada_t[12])", ""),
        (r"\.(lokr_w[12](?:_[ab])?|lokr_t2)", ""),
    )
)
_READ = (
    frozenset({"down", "up", "mid"}),
    frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"}),
    frozenset({"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"}),
)
_OTHERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("DoRA", re.compile(r"[._](dora_scale|lora_magnitude_vector)\b")),
    ("OFT", re.compile(r"[._]oft_(blocks|diag|r)\b", re.IGNORECASE)),
    ("(IA)³", re.compile(r"\.on_input$|[._]ia3_l\b")),
    ("VeRA", re.compile(r"[._]vera_(lambda|A|B)")),
    ("GLoRA", re.compile(r"^(lora|lycoris)_.*\.([ab][12]|bm)\.weight$")),
    ("diff", re.compile(r"\.(diff|diff_b|w_norm|b_norm|set_weight)$")),
    ("bias", re.compile(r"\.lora_[AB](\.default)?\.bias$")),
)
_MARKS = re.compile(r"lora|\.hada_|\.lokr_|^lycoris_")
UNKNOWN = "?"


def is_lora(names: Iterable[str]) -> bool:
    """Whether a file is a LoRA of any kind, supported or not."""
    return any(_MARKS.search(name) or any(pattern.search(name) for _, pattern in _OTHERS) for name in names)


def split(name: str) -> tuple[str, str] | None:
    """The layer as the file names it, and the tensor's role in its change; None for a tensor of an unsupported kind."""
    for pattern, role in _ENDINGS:
        if match := pattern.search(name):
            return name[: match.start()], role or match[1]
    return None


def unread_kind(names: Iterable[str], metadata: Mapping[str, str]) -> str | None:
    """The first unsupported kind in a file, `?` if it has no name here; None if the whole file can be read."""
    roles: dict[str, set[str]] = {}
    is_odd = False
    for name in names:
        other = next((kind for kind, pattern in _OTHERS if pattern.search(name)), None)
        if other is not None:
            return other
        found = split(name)
        if found is None:
            is_odd = True
        else:
            roles.setdefault(found[0], set()).add(found[1])
    settings = adapter_settings(metadata)
    if settings is not None and any(value for name, value in settings.items() if name.endswith("use_dora")):
        return "DoRA"
    is_mixed = any(not any(_is_of(found - {"alpha"}, kind) for kind in _READ) for found in roles.values())
    return UNKNOWN if is_odd or is_mixed else None


def _is_of(roles: Set[str], kind: Set[str]) -> bool:
    """Whether a layer's tensors are of `kind`; a lone alpha belongs to none."""
    return bool(roles) and roles <= kind


def adapter_settings(metadata: Mapping[str, str]) -> dict[str, object] | None:
    """What diffusers and PEFT write about an adapter into the metadata; None if it cannot be read."""
    try:
        settings = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError):
        return None
    return settings if isinstance(settings, dict) else None

"""Networks that enlarge pictures, told by the names of their tensors as their authors published them.

ESRGAN (old and new names), its compact form, SwinIR, HAT, DAT and SCUNet. Knows no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Name of the architecture, and names that all have to be there; the first that fits.
_MARKS: tuple[tuple[str, tuple[re.Pattern[str], ...]], ...] = tuple(
    (name, tuple(re.compile(pattern) for pattern in patterns))
    for name, *patterns in (
        ("ESRGAN", r"model\.0\.weight", r"model\.1\.sub\.0\.RDB1\.conv1\.0\.weight"),
        ("ESRGAN", r"conv_first\.weight", r"body\.0\.rdb1\.conv1\.weight"),
        ("ESRGAN", r"conv_first\.weight", r"RRDB_trunk\.0\.RDB1\.conv1\.weight"),
        ("HAT", r"conv_first\.weight", r"layers\.0\.residual_group\.overlap_attn\..*"),
        ("SwinIR", r"conv_first\.weight", r"layers\.0\.residual_group\.blocks\.0\..*"),
        ("DAT", r"conv_first\.weight", r"before_RG\.1\.weight", r"layers\.0\.blocks\.0\..*"),
        ("SCUNet", r"m_head\.0\.weight", r"m_body\.0\..*", r"m_tail\.0\.weight"),
        ("ESRGAN compact", r"body\.0\.weight", r"body\.1\.weight", r"body\.2\.weight"),
    )
)


def upscaler_in(names: Iterable[str]) -> str | None:
    """What kind of upscaler has tensors of these names; None where it is none that we know."""
    listed = list(names)
    for name, patterns in _MARKS:
        if all(any(pattern.fullmatch(one) for one in listed) for pattern in patterns):
            return name
    return None

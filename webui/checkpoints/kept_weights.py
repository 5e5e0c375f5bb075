"""When the weights of a checkpoint are kept in 16 bits although a processor computes in float32 with them.

Known to what loads them and to what says beforehand what will fit. Knows no torch.
"""

from __future__ import annotations

# Of the memory that is free: weights that take more of it in float32 are kept in 16 bits. The rest is for what the
# layers compute, for decoding, and for other programs.
WIDE_SHARE = 0.5


def are_kept_narrow(wide_bytes: float, free_bytes: float) -> bool:
    """Whether weights of `wide_bytes` in float32 are too large for that, where `free_bytes` of memory are free."""
    return wide_bytes > WIDE_SHARE * free_bytes

"""Messages that lie where records, buffers and frames end."""

from __future__ import annotations

import random

#: Empty, tiny, either side of one and of two records with and without a frame's header, and large.
_SIZES = (
    0,
    1,
    127,
    128,
    1_024,
    16_360,
    *range(16_372, 16_388),
    32_767,
    32_768,
    32_769,
    65_535,
    65_536,
    100_001,
    131_072,
    300_000,
)


def bulk(size: int, seed: int = 0) -> bytes:
    """Bytes that do not repeat, and are the same each time."""
    return random.Random(size * 1_009 + seed).randbytes(size)


def mixed(count: int = 60) -> list[bytes]:
    """Messages of mixed sizes, large ones between small ones; no two are alike, but for the empty ones."""
    order = random.Random(8_883)
    sizes = [_SIZES[index % len(_SIZES)] for index in range(count)]
    order.shuffle(sizes)
    return [bulk(size, seed) for seed, size in enumerate(sizes)]

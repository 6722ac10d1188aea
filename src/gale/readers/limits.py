"""How much of a file is read, and how much it may unpack to."""

from __future__ import annotations

HEAD_BYTES = 65_536
"""How much of a file is enough to say what it is."""

MAX_BYTES = 2**31
"""A file that unpacks to more than this is refused: it is no run, and would fill the memory."""

FREE_BYTES = 2**28
"""A file may unpack to this however small it is: many times the largest of runs, and no danger."""

MAX_RATIO = 100
"""Beyond :data:`FREE_BYTES` a file may unpack to this many times its size. Runs unpack to 3 to 30
times, a wide table without ions to more; what deflate can do at most is 1,032."""


def max_unpacked(size: int) -> int:
    """Give the most bytes that a packed file of this size may unpack to."""
    return min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * size))

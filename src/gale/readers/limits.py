"""How much of a file is read to recognise it, and how much it may unpack to and hold."""

from __future__ import annotations

HEAD_BYTES = 65_536
"""The beginning of a file that is enough to recognise its format."""

MAX_BYTES = 2**31
"""A file that unpacks to more than this is refused: it is no run and could fill the memory."""

FREE_BYTES = 2**28
"""Any file, however small, may unpack to this: many times the largest run, and harmless."""

MAX_RATIO = 100
"""Above :data:`FREE_BYTES` a file may unpack to this many times its size. Runs unpack to 3 to 30
times their size, a wide table without ions to more; the limit of deflate is 1,032 times."""

FREE_CELLS = 2**25
"""A table of any file may have this many cells: as numbers they take 256 MiB."""

CELLS_PER_BYTE = 8
"""Above :data:`FREE_CELLS` a table may have this many cells for each byte of its file: more than
text that is not packed can have, and than wide tables of zeros have that are."""


def max_cells(size: int) -> int:
    """Return how many cells the table in a file of `size` bytes, packed or not, may have."""
    return max(FREE_CELLS, CELLS_PER_BYTE * size)


def max_unpacked(size: int) -> int:
    """Return how many bytes a packed file of `size` bytes may unpack to."""
    return min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * size))

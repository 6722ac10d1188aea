"""Arrays in NPZ files that may be damaged, or made by somebody else."""

from __future__ import annotations

import io
import threading
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAMAGED = (
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy and zipfile raise for content that is cut short, damaged or planted."""

_ONE_AT_A_TIME = threading.Lock()
"""numpy parses headers as Python, which Python 3.11 may fail to do (SystemError) where two threads
do it at the same time."""

Arrays = dict[str, NDArray[Any]]


def load_arrays(data: bytes) -> Arrays | None:
    """Return the arrays of an NPZ file by name; None if it is none, or has pickled objects.

    Examples
    --------
    >>> load_arrays(b"PK and other words") is None
    True
    """
    try:
        with _ONE_AT_A_TIME, np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return dict(arrays)
    except DAMAGED:
        return None


def is_finite(array: NDArray[Any]) -> bool:
    """Whether an array has numbers only, and none of them is infinite or NaN."""
    return bool(array.dtype.kind in "iuf" and np.isfinite(array).all())

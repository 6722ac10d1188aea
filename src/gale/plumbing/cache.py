"""Arrays that take time to compute, stored on disk under a hash of what they depend on."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from gale.errors import OutputError
from gale.plumbing.arrays import Arrays, load_arrays
from gale.plumbing.files import writing
from gale.plumbing.reading import read_bytes

DIGEST_BYTES = 32
"""A file begins with the SHA-256 of the NPZ content that follows, so that damage is noticed."""


def default_folder() -> Path:
    """Return the folder of this user's cache on this platform."""
    return platformdirs.user_cache_path("gale", appauthor=False) / "features"


@dataclass(frozen=True)
class Cache:
    """Arrays on disk, one file per key; processes can share it safely.

    Parameters
    ----------
    folder : str or Path
        Created when the first arrays are stored. Deleting it costs only time.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from gale import Cache
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = Cache(folder)
    ...     key = Cache.key(b"content of a run", "settings")
    ...     stored = cache.put(key, {"feature": np.arange(3)})
    ...     arrays = cache.get(key)
    >>> arrays
    {'feature': array([0, 1, 2])}
    """

    folder: str | Path

    @classmethod
    def default(cls) -> Cache:
        """Give this user's cache, which the command line uses.

        Examples
        --------
        >>> from pathlib import Path
        >>> import gale
        >>> Path(gale.Cache.default().folder).name
        'features'
        """
        return cls(default_folder())

    @staticmethod
    def key(data: bytes, *settings: str) -> str:
        """Hash the content of a file and everything else that the arrays depend on."""
        digest = hashlib.sha256(data)
        for text in settings:
            digest.update(b"\0" + text.encode())
        return digest.hexdigest()

    def get(self, key: str, is_usable: Callable[[Arrays], bool] = bool) -> Arrays | None:
        """Return arrays by name, or None if they are missing or cannot be used.

        Parameters
        ----------
        key : str
        is_usable : callable
            Whether the arrays are such as were stored: who can write into the folder may have put
            others there, with a right hash.
        """
        try:
            stored = read_bytes(self._path(key))
        except OSError:
            return None
        digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        arrays = load_arrays(content)
        return arrays if arrays is not None and is_usable(arrays) else None

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Store arrays by name; False if that fails, since a cache must never stop the work."""
        path = self._path(key)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        content = buffer.getvalue()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with writing(path, force=True) as temporary:
                temporary.write_bytes(hashlib.sha256(content).digest() + content)
        except (OSError, OutputError):
            return False
        return True

    def _path(self, key: str) -> Path:
        return Path(self.folder) / key[:2] / f"{key}.features"

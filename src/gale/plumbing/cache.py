"""Arrays that take time to make, kept on disk under a hash of what they were made from."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from gale.errors import OutputError
from gale.plumbing.files import writing

DIGEST_BYTES = 32
"""A file begins with the SHA-256 of the NPZ content that follows, so that damage is seen."""


def default_folder() -> Path:
    """The folder of this user's cache, whatever the platform."""
    return platformdirs.user_cache_path("gale", appauthor=False) / "features"


@dataclass(frozen=True)
class Cache:
    """Arrays on disk, one file for each key; safe to share between processes.

    Parameters
    ----------
    folder : Path
        Created when the first arrays are kept. Deleting it loses nothing but time.
    """

    folder: Path

    @classmethod
    def default(cls) -> Cache:
        """Give this user's cache, which the command line uses.

        Examples
        --------
        >>> import gale
        >>> gale.Cache.default().folder.name
        'features'
        """
        return cls(default_folder())

    @staticmethod
    def key(data: bytes, *made_with: str) -> str:
        """Hash of a file's content and of everything else that the arrays depend on."""
        digest = hashlib.sha256(data)
        for text in made_with:
            digest.update(b"\0" + text.encode())
        return digest.hexdigest()

    def get(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return arrays by name, or None if they are not there or their file is damaged."""
        try:
            kept = self._path(key).read_bytes()
        except OSError:
            return None
        digest, content = kept[:DIGEST_BYTES], kept[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Keep arrays by name; False if the disk refuses, for a cache must never stop the work."""
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
        return self.folder / key[:2] / f"{key}.features"

"""Arrays kept on disk under a hash of what they were made from."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from gale.errors import OutputError
from gale.output import writing

DIGEST_BYTES = 32
"""A file begins with the SHA-256 of the NPY content that follows, so that damage is seen."""


def default_folder() -> Path:
    """The folder of this user's cache, whatever the platform."""
    return platformdirs.user_cache_path("gale", appauthor=False) / "features"


@dataclass(frozen=True)
class Cache:
    """Arrays on disk, one file for each key; safe to share between processes.

    Parameters
    ----------
    folder : Path
        Created when the first array is kept. Deleting it loses nothing but time.
    """

    folder: Path

    @staticmethod
    def key(data: bytes, *made_with: str) -> str:
        """Hash of a file's content and of everything else that the array depends on."""
        digest = hashlib.sha256(data)
        for text in made_with:
            digest.update(b"\0" + text.encode())
        return digest.hexdigest()

    def get(self, key: str) -> NDArray[np.float32] | None:
        """Return the array, or None if it is not there or its file is damaged."""
        try:
            kept = self._path(key).read_bytes()
        except OSError:
            return None
        digest, content = kept[:DIGEST_BYTES], kept[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        array = np.load(io.BytesIO(content), allow_pickle=False)
        assert isinstance(array, np.ndarray)
        return array

    def put(self, key: str, array: NDArray[np.float32]) -> bool:
        """Keep an array; False if the disk refuses, for a cache must never stop the work."""
        path = self._path(key)
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        content = buffer.getvalue()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with writing(path, force=True) as temporary:
                temporary.write_bytes(hashlib.sha256(content).digest() + content)
        except (OSError, OutputError):
            return False
        return True

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.array"

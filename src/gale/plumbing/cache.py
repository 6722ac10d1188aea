"""Arrays that take time to compute, stored on disk under a hash of what they depend on.

A cache has an end. Whoever stores something now and then looks at what all entries take, and
removes those used least recently if that is too much. Looking takes time for each entry, so it is
done once for each fiftieth of the limit that is stored, on average: a hash of what is stored
decides, so that processes need not know of each other, and a put costs the same in a large cache.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from gale.errors import GaleError
from gale.plumbing.arrays import Arrays, load_arrays
from gale.plumbing.checksums import DIGEST_BYTES, checked_content, with_checksum
from gale.plumbing.eviction import SUFFIX, CacheUsage, evict, touch, usage_of
from gale.plumbing.files import writing
from gale.plumbing.kinds import checked
from gale.plumbing.outputs import make_folder
from gale.plumbing.places import write_whole
from gale.plumbing.reading import read_bytes, read_text
from gale.plumbing.text import shown, size_of

LIMIT_VARIABLE = "GALE_CACHE_LIMIT"
"""The environment variable that limits this user's cache, before what was set for good."""

LIMIT = 10_000_000_000
"""Bytes of this user's cache if nobody set a limit: features of some 75,000 runs."""

NO_LIMIT = "none"
"""What stands for no limit."""

LIMIT_FILE = "limit.txt"
"""The file in a cache that keeps its limit."""

LOOKS = 50
"""Looks at all entries while as much is stored as the limit allows, on average."""


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
    limit : int, optional
        Most bytes of the entries together, passed by a fiftieth or so until somebody looks; by
        default any number. The entries used least recently go first, also while other processes
        use the cache.

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
    limit: int | None = None

    @classmethod
    def default(cls) -> Cache:
        """Give this user's cache, which the command line uses.

        Its limit is that of the environment variable ``GALE_CACHE_LIMIT`` (such as ``5GB``, or
        ``none``), or else the one that :meth:`keep_limit` has kept, or else :data:`LIMIT`.

        Raises
        ------
        GaleError
            If there is a limit that is no size.

        Examples
        --------
        >>> from pathlib import Path
        >>> import gale
        >>> Path(gale.Cache.default().folder).name
        'features'
        """
        folder = default_folder()
        return cls(folder, _limit_of(folder))

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
        content = checked_content(stored)
        arrays = None if content is None else load_arrays(content)
        if arrays is None or not is_usable(arrays):
            return None
        touch(self._path(key))
        return arrays

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Store arrays by name; False if that fails, since a cache must never stop the work."""
        path = self._path(key)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        stored = with_checksum(buffer.getvalue())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, stored)
        except OSError:
            return False
        if self.limit is not None and _is_time_to_look(key, stored, self.limit):
            evict(Path(self.folder), self.limit)
        return True

    def usage(self) -> CacheUsage:
        """Say how many entries there are, what they take, and when they were used.

        Examples
        --------
        >>> import gale
        >>> usage = gale.Cache("no/such/folder").usage()
        >>> usage.entries, usage.size, usage.last_used
        (0, 0, None)
        """
        return usage_of(Path(self.folder))

    @checked
    def prune(self, limit: int | None = None) -> int:
        """Remove entries, those used least recently first, if all take more than a limit.

        Parameters
        ----------
        limit : int, optional
            Bytes; by default that of the cache. If it is passed, a tenth of it is freed, too.

        Returns
        -------
        int
            Bytes that were freed.

        Raises
        ------
        GaleError
            If the limit is below 0.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from gale import Cache
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = Cache(folder)
        ...     keys = [Cache.key(b"content of a run", str(number)) for number in range(9)]
        ...     stored = [cache.put(key, {"feature": np.zeros(99)}) for key in keys]
        ...     freed = cache.prune(limit=5000)
        ...     cache.usage().entries, freed > 0
        (4, True)
        """
        limit = self.limit if limit is None else limit
        if limit is None:
            return 0
        if limit < 0:
            raise GaleError("limit", f"is {limit}", "0 or more bytes", "pass limit=5_000_000_000")
        return evict(Path(self.folder), limit)

    def clear(self) -> int:
        """Remove all entries, and return the bytes that were freed; a kept limit stays.

        Examples
        --------
        >>> import gale
        >>> gale.Cache("no/such/folder").clear()
        0
        """
        return evict(Path(self.folder), 0)

    def keep_limit(self, limit: int | None) -> Cache:
        """Keep a limit in bytes for good, None for none, and return the cache with it.

        Only :meth:`default` asks for it, and ``GALE_CACHE_LIMIT`` comes first.

        Raises
        ------
        OutputError
            If the folder cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from gale import Cache
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Cache(folder).keep_limit(5_000_000_000).limit
        5000000000
        """
        folder = Path(self.folder)
        make_folder(folder)
        with writing(folder / LIMIT_FILE, force=True) as temporary:
            temporary.write_text(f"{NO_LIMIT if limit is None else limit}\n", "utf-8")
        return Cache(folder, limit)

    def _path(self, key: str) -> Path:
        return Path(self.folder) / key[:2] / f"{key}{SUFFIX}"


def parse_limit(text: str, source: str | Path, remedy: str = "") -> int | None:
    """Read a limit: a size, or ``none`` for none.

    Parameters
    ----------
    text : str
    source : str or Path
        Where the text is from.
    remedy : str
        What to do if it is neither.

    Raises
    ------
    GaleError

    Examples
    --------
    >>> parse_limit("5GB", "--limit"), parse_limit("none", "--limit")
    (5000000000, None)
    """
    if text.strip().lower() == NO_LIMIT:
        return None
    size = size_of(text)
    if size is None:
        expected = f"a size, such as 5GB, or {NO_LIMIT}"
        raise GaleError(source, f"is {shown(text)}", expected, remedy)
    return size


def _limit_of(folder: Path) -> int | None:
    """The limit of this user's cache."""
    if given := os.environ.get(LIMIT_VARIABLE):
        return parse_limit(given, LIMIT_VARIABLE, "correct the environment variable")
    path = folder / LIMIT_FILE
    try:
        kept = read_text(path)
    except (OSError, UnicodeDecodeError):
        return LIMIT
    return parse_limit(kept.strip(), path, "delete the file")


def _is_time_to_look(key: str, stored: bytes, limit: int) -> bool:
    """Whether to look after storing bytes, as probable as their share of a look's bytes."""
    drawn = hashlib.sha256(key.encode() + stored[:DIGEST_BYTES]).digest()[:6]
    size = len(stored) - DIGEST_BYTES
    return int.from_bytes(drawn, "big") * limit < size * LOOKS * 2**48

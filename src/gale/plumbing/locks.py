"""One process at a time makes an output; what a dead one left is told from what a living one makes.

While an output ``x`` is made, the file ``.x.gale-lock`` lies beside it, locked by the operating
system: its lock ends with the process, however that ends. So a lock file that is not locked was
left by a dead process, and what it left is removed by the next one that makes ``x``. Network file
systems that keep locks (NFS, SMB) do so across computers; on one that keeps none, outputs are made
without a lock, under names that no other process has, and leftovers stay.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gale.errors import OutputError
from gale.plumbing.reading import read_text
from gale.plumbing.remote import TEMPORARY, address_of, remove_at

LOCK, REPLACED = "gale-lock", "gale-old"
"""Endings of the hidden files beside an output: its lock, and what it replaces."""

MORE_SPACE = "free some space or choose another place"
"""What to do where something cannot be written."""

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a file system without locks says."""

HOST = socket.gethostname()

_HELD: dict[Path, tuple[int, Claim | None]] = {}
"""The claims of this process, with the thread that holds each."""

_GUARD = threading.Lock()

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 2**30, os.SEEK_SET)  # past the text, which others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True)
class Claim:
    """An output that this process alone makes.

    Parameters
    ----------
    path : Path
    mark : str
        Empty if the output is locked; otherwise it makes the names of hidden files unique.
    """

    path: Path
    mark: str = ""

    @property
    def temporary(self) -> Path:
        """Where the output is made before it gets its name."""
        return hidden(self.path, self.mark + TEMPORARY)

    @property
    def replaced(self) -> Path:
        """Where a folder is that the output replaces, until it is deleted."""
        return hidden(self.path, self.mark + REPLACED)


def hidden(path: Path, ending: str) -> Path:
    """Name a hidden file beside an output."""
    return path.with_name(f".{path.name}.{ending}")


@contextmanager
def claimed(path: Path) -> Iterator[Claim]:
    """Claim an output until the end of the block, and remove what a dead process left of it.

    A thread that has claimed an output may claim it again. Stores at addresses have no locks.

    Raises
    ------
    OutputError
        If another process or thread makes it, it has no name, or nothing can be written beside it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, claimed(Path(folder, "table.csv")) as claim:
    ...     claim.temporary.name
    '.table.csv.gale-tmp'
    """
    if path.name in ("", ".."):
        raise OutputError(path, "is a folder", "the name of an output in it", "choose a name")
    if address_of(path) is not None:
        yield _unlocked(path)
        return
    key, thread = path.parent.resolve() / path.name, threading.get_ident()
    with _GUARD:
        owner, held = _HELD.setdefault(key, (thread, None))
    if held is not None and owner == thread:
        yield held
        return
    if owner != thread:
        raise _busy(path, "another thread of this process")
    try:
        with _locked(path) as claim:
            _HELD[key] = thread, claim
            yield claim
    finally:
        del _HELD[key]


@contextmanager
def _locked(path: Path) -> Iterator[Claim]:
    """Hold the lock file of an output."""
    file = hidden(path, LOCK)
    try:
        descriptor = _open_locked(path, file)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise unwritable(path, error) from error
        with suppress(OSError):
            file.unlink()
        yield _unlocked(path)
        return
    try:
        claim = Claim(path)
        _remove_leftovers(claim)
        yield claim
    finally:
        _release(descriptor, file)


def _unlocked(path: Path) -> Claim:
    return Claim(path, f"{uuid.uuid4().hex[:8]}.")


def _open_locked(path: Path, file: Path) -> int:
    """Open a lock file and lock it; try again if it was deleted in between."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                with suppress(OSError):  # a full disk; the text is only for people
                    os.ftruncate(descriptor, 0)
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    os.write(descriptor, f"process {os.getpid()} on {HOST}".encode())
                return descriptor
        except (BlockingIOError, PermissionError) as error:
            os.close(descriptor)
            raise _busy(path, _owner(file)) from error
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _release(descriptor: int, file: Path) -> None:
    """Delete a lock file and unlock it, in this order where an open file can be deleted."""
    if sys.platform == "win32":
        os.close(descriptor)
        with suppress(OSError):
            file.unlink()
        return
    with suppress(OSError):
        file.unlink()
    os.close(descriptor)


def _remove_leftovers(claim: Claim) -> None:
    """Delete what a dead process left, but put back what it had moved away to replace it."""
    remove(claim.temporary)
    if os.path.lexists(claim.replaced):
        if os.path.lexists(claim.path):
            remove(claim.replaced)
        else:
            try:
                claim.replaced.rename(claim.path)
            except OSError as error:
                raise unwritable(claim.path, error) from error


def remove(path: Path) -> None:
    """Delete a file or folder, also at an address, as far as possible."""
    if (address := address_of(path)) is not None:
        remove_at(address)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def unwritable(path: Path, error: OSError) -> OutputError:
    """Say that an output cannot be written."""
    return OutputError(
        path,
        f"cannot be written ({error.strerror or error}), and nothing was left behind",
        remedy=MORE_SPACE,
    )


def _owner(file: Path) -> str:
    try:
        return read_text(file).strip() or "another process"
    except (OSError, UnicodeDecodeError):
        return "another process"


def _busy(path: Path, owner: str) -> OutputError:
    return OutputError(
        path,
        f"is being written by {owner}",
        "an output that nothing else writes",
        "wait until it is finished, or choose another name",
    )

"""Receive files: each goes straight to the disk, under a name that the server makes.

The names that senders give are texts for tables and messages; no path is ever made of one.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request
from starlette.types import Message

from gale.plumbing.reading import open_file
from gale.plumbing.text import escaped
from gale.readers.formats import ZIP
from gale.serve.pool import MIB
from gale.serve.problems import ProblemError
from gale.serve.reading import BUNDLE
from gale.serve.store import Arrival, Store

MOST_PARTS = 2000
"""Parts of one request: more than a folder of an instrument has files."""

MOST_FIELD_BYTES = 65_536
"""All of what is sent beside files; nothing of it is used."""

LONGEST_NAME = 500
"""Letters of a name that are kept."""

SILENCE_S = 30.0
"""Seconds without a byte after which a request is given up."""

GRACE_S, LEAST_BYTES_S = 60.0, 1_000.0
"""A request may take these seconds, and one more for so many bytes that have come."""


@dataclass
class Upload:
    """The files of one request.

    Parameters
    ----------
    files : list of (str, Path, int)
        Name, place and size of each.
    """

    files: list[tuple[str, Path, int]] = field(default_factory=list)

    def discard(self) -> None:
        """Delete the files."""
        for _, path, _ in self.files:
            path.unlink(missing_ok=True)

    def arrivals(self) -> list[Arrival]:
        """Make runs of the files: files in folders belong together, an archive is a bundle."""
        alone = [each for each in self.files if "/" not in each[0]]
        together = [each for each in self.files if "/" in each[0]]
        found = [
            Arrival(name, BUNDLE if _is_archive(path) else "file", [(name, path.name)], size)
            for name, path, size in alone
        ]
        if together:
            name = together[0][0].strip("/").split("/")[0] or "folder"
            pairs = [(name, path.name) for name, path, _ in together]
            found.append(Arrival(name, BUNDLE, pairs, sum(size for *_, size in together)))
        return found


def _is_archive(path: Path) -> bool:
    with open_file(path) as file:
        return file.read(4) in ZIP


async def receive(request: Request, store: Store, most_bytes: int) -> Upload:
    """Receive the files of a form.

    Raises
    ------
    ProblemError
        If it is too large, too slow, cut short or no form, or has too many parts.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > most_bytes:
        raise _too_large(most_bytes)
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        if stated == "0" or ("transfer-encoding" not in request.headers and not stated):
            return Upload()
        raise ProblemError(415, "expected a form with files (multipart/form-data)")
    with _parsing(boundary, store.uploads) as (upload, form):
        size, began = 0, time.monotonic()
        while True:
            message = await _next(request, began, size)
            data = message.get("body", b"")
            size += len(data)
            if size > most_bytes:
                raise _too_large(most_bytes)
            form.take(data)
            if not message.get("more_body", False):
                break
        if not form.is_whole:
            raise ProblemError(400, "the form is cut short")
    return upload


async def _next(request: Request, began: float, size: int) -> Message:
    left = GRACE_S + size / LEAST_BYTES_S - (time.monotonic() - began)
    try:
        message = await asyncio.wait_for(request.receive(), min(SILENCE_S, max(left, 0.01)))
    except TimeoutError:
        raise ProblemError(
            408, "the request came too slowly and was given up", {"Connection": "close"}
        ) from None
    if message["type"] == "http.disconnect":
        raise ProblemError(400, "the sender has gone")
    return message


@contextmanager
def _parsing(boundary: bytes, folder: Path) -> Iterator[tuple[Upload, _Form]]:
    """Parse a form; nothing is left of it if that fails."""
    upload = Upload()
    form = _Form(boundary, folder, upload)
    try:
        yield upload, form
    except MultipartParseError as error:
        form.close()
        upload.discard()
        raise ProblemError(400, f"the form cannot be read ({escaped(str(error))})") from None
    except OSError as error:
        form.close()
        upload.discard()
        raise ProblemError(507, f"the file cannot be stored ({error.strerror})") from error
    except BaseException:
        form.close()
        upload.discard()
        raise


class _Form:
    """Takes a form apart as it arrives."""

    def __init__(self, boundary: bytes, folder: Path, upload: Upload) -> None:
        self._folder, self._upload = folder, upload
        self._file: BinaryIO | None = None
        self._size = self._fields = self._parts = 0
        self._header, self._value = b"", b""
        self._disposition = b""
        self.is_whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._add_header,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def take(self, data: bytes) -> None:
        """Take the next bytes."""
        self._parser.write(data)

    def close(self) -> None:
        """Close the file that is being written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ProblemError(413, f"the form has more than {MOST_PARTS:,} parts")
        self._disposition = self._header = self._value = b""

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"filename")
        if name is None:
            if options.get(b"name") == b"file":
                raise ProblemError(400, "a part that is called file has no name of a file")
            return
        path = self._folder / secrets.token_hex(16)
        self._file = path.open("xb")
        self._size = 0
        self._upload.files.append((shown_name(name), path, 0))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._fields += end - start
            if self._fields > MOST_FIELD_BYTES:
                raise ProblemError(413, "the form has too much beside files")
            return
        self._file.write(memoryview(data)[start:end])
        self._size += end - start

    def _end(self) -> None:
        if self._file is not None:
            self.close()
            name, path, _ = self._upload.files[-1]
            self._upload.files[-1] = (name, path, self._size)

    def _finish(self) -> None:
        self.is_whole = True


def shown_name(name: bytes) -> str:
    r"""Give the name of a file as text on one line.

    Examples
    --------
    >>> shown_name(b"run\n1.csv"), shown_name(b"")
    ('run\\n1.csv', 'run')
    """
    text = escaped(name.decode("utf-8", "backslashreplace"))
    if len(text) > LONGEST_NAME:
        text = f"…{text[1 - LONGEST_NAME :]}"
    return text or "run"


def _too_large(most_bytes: int) -> ProblemError:
    return ProblemError(
        413,
        f"the request is larger than {most_bytes / MIB:,.0f} MiB, which this server takes at most",
    )

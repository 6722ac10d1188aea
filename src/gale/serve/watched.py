"""What a watcher remembers: which runs it has done, and whom it has told of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gale.errors import GaleError
from gale.plumbing.schema import read_json

VERSION = 1

TABLES = """
CREATE TABLE run (
    name TEXT PRIMARY KEY,
    mark TEXT NOT NULL,
    number INTEGER NOT NULL,
    page TEXT,
    to_post INTEGER NOT NULL,
    sha256 TEXT,
    row TEXT
);
CREATE TABLE model (sha256 TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Seen:
    """A run that was done, or a file that is none.

    Parameters
    ----------
    name : str
        Its path in the folder.
    mark : str
        What it was like, by which it is known again.
    page : str or None
        Name of its page.
    sha256 : str
    row : mapping or None
        The prediction as a worker gives it; None for what is no run.
    """

    name: str
    mark: str
    page: str | None = None
    sha256: str = ""
    row: Mapping[str, Any] | None = None


class Memory:
    """The database of one folder of results.

    Parameters
    ----------
    path : Path
    model_sha256 : str
        All runs of a table are predicted by one model.

    Raises
    ------
    GaleError
        If it is of another model or another version, or damaged.
    """

    def __init__(self, path: Path, model_sha256: str) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._database.executescript(
                    f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
                )
            elif version != VERSION:
                raise _unusable(path, f"is of another version of gale ({version})")
            self._check_model(path, model_sha256)
        except sqlite3.DatabaseError as error:
            raise _unusable(path, f"cannot be used ({error})") from error

    def _check_model(self, path: Path, sha256: str) -> None:
        known = self._database.execute("SELECT sha256 FROM model").fetchone()
        if known is None:
            self._database.execute("INSERT INTO model VALUES (?)", (sha256,))
        elif known[0] != sha256:
            raise _unusable(path, f"has runs that another model predicted (SHA-256 {known[0]})")

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def mark(self, name: str) -> str | None:
        """What a path was like when it was done; None if it was not."""
        found = self._execute("SELECT mark FROM run WHERE name = ?", name)
        return str(found[0][0]) if found else None

    def keep(self, seen: Seen, *, to_post: bool) -> None:
        """Remember a run in place of what was known of its path; its row stays where it is."""
        self._execute(
            "INSERT INTO run VALUES (?, ?, (SELECT COALESCE(MAX(number), 0) + 1 FROM run), ?, ?, "
            "?, ?) ON CONFLICT (name) DO UPDATE SET mark = excluded.mark, page = excluded.page, "
            "to_post = excluded.to_post, sha256 = excluded.sha256, row = excluded.row",
            seen.name, seen.mark, seen.page, int(to_post and seen.row is not None), seen.sha256,
            None if seen.row is None else json.dumps(seen.row),
        )  # fmt: skip

    def runs(self) -> list[Seen]:
        """List the runs in the order in which they came first."""
        return self._select("row IS NOT NULL")

    def to_post(self) -> list[Seen]:
        """List the runs that others were not told of yet."""
        return self._select("to_post = 1")

    def posted(self, seen: Seen) -> None:
        """Remember that others were told of a run as it is."""
        self._execute(
            "UPDATE run SET to_post = 0 WHERE name = ? AND mark = ?", seen.name, seen.mark
        )

    def page_taken(self, page: str, name: str) -> bool:
        """Whether a page has this name, and is of another run."""
        return bool(
            self._execute(
                "SELECT 1 FROM run WHERE LOWER(page) = LOWER(?) AND name != ?", page, name
            )
        )

    def _select(self, where: str) -> list[Seen]:
        found = self._execute(
            f"SELECT name, mark, page, sha256, row FROM run WHERE {where} ORDER BY number"  # noqa: S608  (no text of a user)
        )
        try:
            return [
                Seen(name, mark, page, sha256, row and read_json(row))
                for name, mark, page, sha256, row in found
            ]
        except (ValueError, TypeError) as error:
            raise _unusable(self._path, "is damaged") from error

    def _execute(self, statement: str, *values: str | int | None) -> list[Any]:
        """Do a statement, and give all rows that it gives."""
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:  # it was changed, or the disk is full
            raise _unusable(self._path, f"cannot be used ({error})") from error


def _unusable(path: Path, found: str) -> GaleError:
    return GaleError(path, found, "the memory of this watcher", "choose another folder for results")

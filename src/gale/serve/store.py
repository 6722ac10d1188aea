"""Jobs and results on disk: one SQLite database, and a folder with what was uploaded.

A run is stored before its sender hears of it, and a result in one transaction, so that a server
that is killed at any moment loses no finished run, and does the others when it starts again.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gale.errors import GaleError
from gale.plumbing.outputs import make_folder
from gale.serve.reading import BUNDLE

WAITING, READING, DONE = "waiting", "reading", "done"
"""States of a run."""

VERSION = 1
"""Increase it when the tables change."""

TABLES = """
CREATE TABLE job (id TEXT PRIMARY KEY, created REAL NOT NULL, left_out TEXT NOT NULL DEFAULT '[]');
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL REFERENCES job ON DELETE CASCADE,
    number INTEGER NOT NULL,
    part INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    files TEXT NOT NULL,
    size INTEGER NOT NULL,
    upload TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    finished INTEGER,
    seconds REAL,
    result TEXT
);
CREATE INDEX run_of_job ON run (job, number, part);
CREATE INDEX run_in_state ON run (state);
CREATE UNIQUE INDEX run_finished ON run (finished);
"""

COLUMNS = (
    "id, job, number, part, name, kind, files, size, upload, state, attempts, finished, result"
)


@dataclass(frozen=True)
class StoredRun:
    """A run as the database has it.

    Parameters
    ----------
    id, job : str
    number, part : int
        Its place in the job, and in the bundle that it came in.
    name : str
        What its sender calls it.
    kind : str
        ``file``, ``folder`` or ``bundle``, see `gale.serve.reading`.
    files : sequence of (str, str)
        Name of each file as it was sent, and that of the file in the store.
    size : int
        Bytes.
    upload : str or None
        By which the request that sent it is known again.
    state : str
        ``waiting``, ``reading`` or ``done``.
    attempts : int
        How often it was begun.
    finished : int or None
        Its place among all finished runs.
    result : mapping or None
        ``sha256`` and ``predictions``, one for each model.
    """

    id: str
    job: str
    number: int
    part: int
    name: str
    kind: str
    files: Sequence[tuple[str, str]]
    size: int
    upload: str | None
    state: str
    attempts: int
    finished: int | None
    result: Mapping[str, Any] | None

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> StoredRun:
        """Take a row with :data:`COLUMNS`."""
        values = dict(zip(COLUMNS.split(", "), row, strict=True))
        values["files"] = [(name, stored) for name, stored in json.loads(values["files"])]
        values["result"] = values["result"] and json.loads(values["result"])
        return cls(**values)


@dataclass(frozen=True)
class Arrival:
    """A run or bundle that has been received.

    Parameters
    ----------
    name, kind, files, size
        See :class:`StoredRun`.
    """

    name: str
    kind: str
    files: Sequence[tuple[str, str]]
    size: int


class Store:
    """The database and the files of one server.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.

    Raises
    ------
    OutputError
        If the folder cannot be made.
    GaleError
        If the database is damaged, or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for each in (folder, self.uploads, self.pages):
            make_folder(each)
        self._lock = threading.RLock()
        path = folder / "jobs.sqlite"
        try:
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._open(path)
        except sqlite3.DatabaseError as error:
            raise GaleError(
                path, f"cannot be used ({error})", "the jobs of a server", "choose another folder"
            ) from error

    def _open(self, path: Path) -> None:
        execute = self._database.execute
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        execute("PRAGMA foreign_keys = ON")
        (version,) = execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._database.executescript(
                f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
            )
        elif version != VERSION:
            raise GaleError(
                path,
                f"has the jobs of another version of gale ({version})",
                f"version {VERSION}",
                "choose another folder",
            )
        execute("UPDATE run SET state = ? WHERE state = ?", (WAITING, READING))

    @property
    def uploads(self) -> Path:
        """Where received files are; the server names them."""
        return self.folder / "uploads"

    @property
    def pages(self) -> Path:
        """Where pages of runs are once they were made."""
        return self.folder / "pages"

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Do all of a change or nothing."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # on a full disk, SQLite itself may have ended it
                    self._database.execute("ROLLBACK")
                raise

    def _select(self, where: str, *values: object) -> list[StoredRun]:
        with self._lock:
            found = self._database.execute(f"SELECT {COLUMNS} FROM run {where}", values).fetchall()  # noqa: S608  (no text of a user)
        return [StoredRun.of_row(row) for row in found]

    def add_job(self) -> str:
        """Make a job without runs, and return its id."""
        job = secrets.token_urlsafe(16)
        with self._change() as database:
            database.execute("INSERT INTO job (id, created) VALUES (?, ?)", (job, time.time()))
        return job

    def add_runs(
        self, job: str | None, arrivals: Sequence[Arrival], upload: str | None = None
    ) -> tuple[str, list[StoredRun]]:
        """Add runs to a job, or to a new one; return its id, and the runs that are new."""
        with self._change() as database:
            if job is None:
                job = secrets.token_urlsafe(16)
                database.execute("INSERT INTO job (id, created) VALUES (?, ?)", (job, time.time()))
            elif upload is not None and self.runs_of_upload(job, upload):
                return job, []
            (last,) = database.execute(
                "SELECT COALESCE(MAX(number), 0) FROM run WHERE job = ?", (job,)
            ).fetchone()
            ids = [secrets.token_urlsafe(16) for _ in arrivals]
            rows = [
                (key, job, number, 0, each.name, each.kind, json.dumps(each.files), each.size,
                 upload, WAITING)
                for number, (key, each) in enumerate(zip(ids, arrivals, strict=True), last + 1)
            ]  # fmt: skip
            _insert(database, rows)
            return job, self._select("WHERE job = ? AND number > ? ORDER BY number", job, last)

    def runs_of_upload(self, job: str, upload: str) -> list[StoredRun]:
        """List the runs that a request has brought, if it came before."""
        return self._select("WHERE job = ? AND upload = ? ORDER BY number, part", job, upload)

    def has_job(self, job: str) -> bool:
        """Whether there is such a job."""
        with self._lock:
            found = self._database.execute("SELECT 1 FROM job WHERE id = ?", (job,)).fetchone()
        return found is not None

    def left_out(self, job: str) -> list[str]:
        """Name the files of the bundles of a job that are no runs."""
        with self._lock:
            (text,) = self._database.execute(
                "SELECT left_out FROM job WHERE id = ?", (job,)
            ).fetchone()
        return list(json.loads(text))

    def runs(self, job: str) -> list[StoredRun]:
        """List the runs of a job in order."""
        return self._select("WHERE job = ? ORDER BY number, part", job)

    def finished_since(self, job: str, last: int) -> list[StoredRun]:
        """List the runs of a job that finished after another one, in that order."""
        return self._select("WHERE job = ? AND finished > ? ORDER BY finished", job, last)

    def counts(self, job: str) -> dict[str, int]:
        """Count the runs of a job by state."""
        with self._lock:
            found = self._database.execute(
                "SELECT state, COUNT(*) FROM run WHERE job = ? GROUP BY state", (job,)
            ).fetchall()
        return {WAITING: 0, READING: 0, DONE: 0, **dict(found)}

    def run(self, key: str) -> StoredRun | None:
        """Find a run."""
        return next(iter(self._select("WHERE id = ?", key)), None)

    def waiting(self) -> list[StoredRun]:
        """List the runs that wait, the oldest first."""
        return self._select("WHERE state = ? ORDER BY rowid", WAITING)

    def begin(self, key: str) -> StoredRun | None:
        """Mark a run as being read, and count the attempt; None if it is gone or done."""
        with self._change() as database:
            database.execute(
                "UPDATE run SET state = ?, attempts = attempts + 1 WHERE id = ? AND state != ?",
                (READING, key, DONE),
            )
        return next(iter(self._select("WHERE id = ? AND state = ?", key, READING)), None)

    def wait_again(self, key: str) -> None:
        """Let a run wait that was begun."""
        with self._change() as database:
            database.execute("UPDATE run SET state = ? WHERE id = ?", (WAITING, key))

    def finish(self, key: str, result: Mapping[str, Any], seconds: float) -> None:
        """Store the result of a run."""
        with self._change() as database:
            _finish(database, key, result, seconds)

    def replace(
        self,
        bundle: StoredRun,
        arrivals: Sequence[Arrival],
        failures: Sequence[tuple[str, Mapping[str, Any]]],
        left_out: Sequence[str],
    ) -> list[StoredRun]:
        """Put the runs of a bundle in its place, those that failed with their results."""
        known = [*self.left_out(bundle.job), *left_out]
        with self._change() as database:
            database.execute("DELETE FROM run WHERE id = ?", (bundle.id,))
            rows = [
                (secrets.token_urlsafe(16), bundle.job, bundle.number, part, each.name, each.kind,
                 json.dumps(each.files), each.size, bundle.upload, WAITING)
                for part, each in enumerate(arrivals, start=1)
            ]  # fmt: skip
            failed = [
                (secrets.token_urlsafe(16), bundle.job, bundle.number, part, name, bundle.kind,
                 "[]", 0, bundle.upload, WAITING)
                for part, (name, _) in enumerate(failures, start=len(rows) + 1)
            ]  # fmt: skip
            _insert(database, [*rows, *failed])
            for (key, *_), (_, result) in zip(failed, failures, strict=True):
                _finish(database, key, result, 0.0)
            database.execute(
                "UPDATE job SET left_out = ? WHERE id = ?", (json.dumps(known), bundle.job)
            )
        self.remove(bundle)
        return self._select(
            "WHERE job = ? AND number = ? AND state = ? ORDER BY part",
            bundle.job,
            bundle.number,
            WAITING,
        )

    def remove(self, run: StoredRun) -> None:
        """Delete the files of a run."""
        for _, stored in run.files:
            with suppress(OSError):
                (self.uploads / stored).unlink()

    def page(self, run: StoredRun, model_sha256: str) -> Path:
        """Where the page of a run by a model is, or will be."""
        return self.pages / f"{run.id}.{model_sha256[:16]}.html"

    def prune(self, keep_s: float) -> int:
        """Delete jobs that are older than `keep_s` seconds and done; return how many."""
        old = time.time() - keep_s
        with self._change() as database:
            jobs = [
                job
                for (job,) in database.execute(
                    "SELECT id FROM job WHERE created < ? AND NOT EXISTS "
                    "(SELECT 1 FROM run WHERE run.job = job.id AND state != ?)",
                    (old, DONE),
                ).fetchall()
            ]
            runs = [run for job in jobs for run in self.runs(job)]
            database.executemany("DELETE FROM job WHERE id = ?", [(job,) for job in jobs])
        gone = {run.id for run in runs}
        for run in runs:
            self.remove(run)
        for page in self.pages.iterdir() if gone else ():
            if page.name.split(".")[0] in gone:
                page.unlink(missing_ok=True)
        return len(jobs)

    def tidy(self) -> None:
        """Delete files of uploads that were cut off; only while nothing is being received."""
        with self._lock:
            rows = self._database.execute("SELECT files FROM run").fetchall()
        known = {stored for (files,) in rows for _, stored in json.loads(files)}
        for path in self.uploads.iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)


def is_bundle(run: StoredRun | Arrival) -> bool:
    """Whether runs have to be found in it first."""
    return run.kind == BUNDLE


def _insert(database: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    database.executemany(
        "INSERT INTO run (id, job, number, part, name, kind, files, size, upload, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _finish(
    database: sqlite3.Connection, key: str, result: Mapping[str, Any], seconds: float
) -> None:
    database.execute(
        "UPDATE run SET state = ?, result = ?, seconds = ?, "
        "finished = (SELECT COALESCE(MAX(finished), 0) + 1 FROM run) WHERE id = ? AND state != ?",
        (DONE, json.dumps(result), seconds, key, DONE),
    )

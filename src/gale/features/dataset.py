"""Features of many runs as a Parquet dataset: written part by part, read without opening a run.

The folder has ``part-00000.parquet`` and so on, and nothing else, so that every program that reads
Parquet reads it as one table: one row per run, its ``features`` as a fixed-size list of float32,
and how it was ``acquired``. What the features are is in each file's metadata, under the key
:data:`KEY`, as JSON.

A run is known again by its path in the campaign; whether it has changed, by size and time of its
file, and where these differ by its SHA-256. Whether a part is as it was written, by the SHA-256 of
its columns, which its metadata state.

Symbols: R runs, D features.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gale.errors import ReadError, TableError
from gale.features import FeatureTable, compute_features
from gale.features.acquisition import FACTS, WithAcquisition
from gale.features.content import Content, content_of
from gale.features.kinds import feature_spec
from gale.features.spec import FeatureSpec
from gale.plumbing.batches import identity
from gale.plumbing.cache import Cache
from gale.plumbing.files import parquet_bytes
from gale.plumbing.frames import dataset_files
from gale.plumbing.places import write_whole
from gale.plumbing.progress import Progress
from gale.plumbing.reading import is_folder, open_file
from gale.plumbing.schema import (
    NAMES_OF_COLUMNS,
    PLAIN_TABLE,
    TEXT,
    Either,
    Table,
    check_schema,
    read_json,
    whole,
)
from gale.plumbing.text import counted, display_name, shown
from gale.plumbing.work import Work
from gale.plumbing.workers import mapped
from gale.readers import VERSION, checksum_of, load
from gale.run import Floats32

FORMAT = 2
"""Of the dataset; raised when older ones cannot be read any more."""

KEY = "gale"
"""Where the metadata of a file have what :class:`Facts` states."""

NAMES = "part-*.parquet"

PART_BYTES = 64 * 2**20
"""Most bytes of the features of a part."""

PARTS, MOST_RUNS = 32, 4096
"""Parts of a dataset at least, if it has runs enough, so that several workers share it evenly; and
runs of a part at most."""

WRITE_AGAIN = "write it again with gale.write_features"

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "run": pl.String,
    "file": pl.String,
    "sha256": pl.String,
    "content": pl.String,
    "content_bytes": pl.Int64,
    "stamp": pl.String,
    "message": pl.String,
    "notes": pl.List(pl.String),
}
"""What a dataset has of a run beside ``features`` and ``acquired``: its name and path in the
campaign, SHA-256 of its file and of what is packed in it (with its size; null for a folder), size
and time of the file, why it could not be read (null where it could), and how it was read."""

NULLABLE = ("content_bytes", "message")
"""Those that may have nothing in a row."""

METADATA = Table(
    {
        "format": whole(),
        "gale": TEXT,
        "readers": whole(),
        "spec": PLAIN_TABLE,  # see `gale.features.kinds`, by its kind and version
        "fingerprint": TEXT,
        "columns": Either(NAMES_OF_COLUMNS),
        "learned": TEXT,
        "dataset": TEXT,
        "parts": whole(1),
        "part": whole(),
        "digests": Table({"runs": TEXT, "features": TEXT, "acquired": TEXT}),
    }
)
"""What the metadata of a part state: :meth:`Facts.to_dict`, which part of which dataset it is, and
SHA-256 of its columns: of those of :data:`COLUMNS` with all that is stated, and of the others."""


class StoredFile(NamedTuple):
    """A run of a dataset: its name, its path in the campaign as a text, and where it is."""

    run: str
    file: str
    path: Path


@dataclass(frozen=True)
class Facts:
    """What the features of a dataset are.

    Parameters
    ----------
    spec : FeatureSpec
    columns : mapping of str to str, optional
        Names of columns that tables were read with.
    learned : str
        Hash of what the m/z of the specification were learned from; empty if they were not.
    """

    spec: FeatureSpec
    columns: Mapping[str, str] | None = None
    learned: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        return {
            "format": FORMAT,
            "gale": version("gale-ms"),
            "readers": VERSION,
            "spec": self.spec.to_dict(),
            "fingerprint": self.spec.fingerprint,
            "columns": None if self.columns is None else dict(self.columns),
            "learned": self.learned,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: Path) -> Facts:
        """Undo :meth:`to_dict`.

        Raises
        ------
        TableError
            If this gale would compute other features now.
        """
        spec = feature_spec(values["spec"], str(source))
        known = (values["format"], values["readers"], values["fingerprint"])
        if known != (FORMAT, VERSION, spec.fingerprint):
            raise _of_other_gale(source, values)
        return cls(spec, values["columns"], values["learned"])


def write_dataset(
    folder: Path, runs: Sequence[StoredFile], facts: Facts, work: Work
) -> dict[str, str]:
    """Compute the features of R runs and write them, part by part.

    Parameters
    ----------
    folder : Path
        Empty; processes of the executor write into it, too.
    runs : sequence of StoredFile, length R
    facts : Facts
    work : Work
        What computes the parts, and a step of progress for each run.

    Returns
    -------
    dict of str to str
        Why runs could not be read, by their names.
    """
    size = _runs_of_a_part(len(runs), facts.spec.n_features)
    starts = range(0, len(runs), size)
    metadata = {**facts.to_dict(), "dataset": uuid.uuid4().hex, "parts": len(starts)}
    shown = work.progress if work.executor is None else Progress()
    write = partial(_write_part, folder, facts, metadata, work.cache, shown)
    tasks = [(number, runs[start : start + size]) for number, start in enumerate(starts)]
    failed: dict[str, str] = {}
    for part, (_, of_part) in zip(mapped(write, tasks, work.executor, chunk=1), tasks, strict=True):
        failed |= part
        for _ in of_part if shown is not work.progress else ():
            work.progress.step()
    return failed


def _runs_of_a_part(n_runs: int, n_features: int) -> int:
    most = min(MOST_RUNS, PART_BYTES // (4 * n_features))
    return max(min(most, math.ceil(n_runs / PARTS)), 1)


def _write_part(
    folder: Path,
    facts: Facts,
    metadata: Mapping[str, Any],
    cache: Cache | None,
    progress: Progress,
    task: tuple[int, Sequence[StoredFile]],
) -> dict[str, str]:
    """Compute and write a part; return why runs could not be read."""
    number, runs = task
    stamps = [
        identity(str(each.path)) for each in runs
    ]  # first: what changes from here on is noticed
    work = Work(cache=cache, columns=facts.columns, progress=progress)
    table = compute_features([each.path for each in runs], WithAcquisition(facts.spec), work)
    contents = [
        content_of(each.path, facts.columns, checksum) if checksum else Content("", None)
        for each, checksum in zip(runs, table.checksums, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "run": [each.run for each in runs],
            "file": [each.file for each in runs],
            "sha256": table.checksums,
            "content": [each.checksum for each in contents],
            "content_bytes": [each.size for each in contents],
            "stamp": stamps,
            "message": table.errors,
            "notes": list(map(list, table.notes)),
        },
        schema=COLUMNS,
    )
    stated = {**metadata, "part": number}
    digests = {"runs": _digest_of_runs(frame, stated)}
    edge, readable = facts.spec.n_features, pl.col("message").is_null()
    for name, values in (
        ("features", table.values[:, :edge]),
        ("acquired", table.values[:, edge:]),
    ):
        array = pl.Series(name, np.ascontiguousarray(values), dtype=_array(values.shape[1]))
        frame = frame.with_columns(array).with_columns(pl.when(readable).then(name))
        digests[name] = _digest(values[table.ok])
    path = folder / f"part-{number:05}.parquet"
    content = parquet_bytes(frame, {KEY: json.dumps({**stated, "digests": digests})})
    write_whole(path, content)  # an executor may do a part twice at the same time
    return {
        each.run: error for each, error in zip(runs, table.errors, strict=True) if error is not None
    }


@dataclass(frozen=True)
class FeatureDataset:
    """A dataset of features, opened by :meth:`open`; its features stay on disk.

    Parameters
    ----------
    folder : Path
    facts : Facts
    parts : tuple of Path
    runs : DataFrame
        :data:`COLUMNS`, with ``part`` and ``place``, the number of the part and the row in it.
    digests : tuple of mapping
        SHA-256 of the columns of each part.
    """

    folder: Path
    facts: Facts
    parts: tuple[Path, ...]
    runs: pl.DataFrame = field(repr=False)
    digests: tuple[Mapping[str, str], ...] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> FeatureDataset:
        """Open a dataset, without its features.

        Raises
        ------
        TableError
            If it is none, a part is missing or damaged, or this gale computes other features.
        """
        parts = tuple(dataset_files(folder))
        if not parts:
            raise TableError(
                folder,
                "has no features" if is_folder(folder) else "is not a folder",
                "a folder that gale.write_features wrote",
                "check the path",
            )
        stated = [_metadata(part) for part in parts]
        one = {(each["dataset"], each["parts"]) for each in stated}
        numbers = [each["part"] for each in stated]
        if len(one) > 1 or len(parts) != stated[0]["parts"] or numbers != [*range(len(parts))]:
            raise TableError(
                folder,
                f"has {counted(len(parts), 'part')}, some of another dataset or too few",
                f"the {stated[0]['parts']:,} parts of one dataset",
                WRITE_AGAIN,
            )
        frames = [
            _read_runs(part, of_part).with_row_index("place").with_columns(part=pl.lit(number))
            for number, (part, of_part) in enumerate(zip(parts, stated, strict=True))
        ]
        facts = Facts.from_dict(stated[0], folder)
        digests = tuple(each["digests"] for each in stated)
        return cls(folder, facts, parts, pl.concat(frames), digests)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {file: row for row, file in enumerate(self.runs["file"])}

    def holds(self, files: Sequence[str]) -> list[bool]:
        """Whether each of some runs, named by their paths in the campaign, is in the dataset."""
        return [file in self._row_of for file in files]

    def table(
        self, runs: Sequence[StoredFile], progress: Progress, *, acquired: bool = False
    ) -> FeatureTable:
        """Read the features of R runs, in their order; a step of progress is a run.

        With `acquired`, how each was acquired follows its features, see `WithAcquisition`.

        Raises
        ------
        TableError
            If a run is not in the dataset, has changed since, or a part is damaged.
        """
        self._check_has(runs)
        rows = self.runs[[self._row_of[each.file] for each in runs]]
        self._check_unchanged(runs, rows)
        n_features = self.facts.spec.n_features
        width = n_features + (len(FACTS) if acquired else 0)
        values = np.full((len(runs), width), np.nan, dtype=np.float32)
        wanted = rows.select("part", "place", "message").with_row_index("row")
        for (number,), of_part in wanted.group_by("part", maintain_order=True):
            readable = of_part.filter(pl.col("message").is_null())
            at = readable["row"].to_numpy()
            values[at, :n_features] = self._values(number, "features", readable["place"])
            if acquired:
                values[at, n_features:] = self._values(number, "acquired", readable["place"])
            for _ in range(len(of_part)):
                progress.step()
        nothing: tuple[tuple[str, ...], ...] = ((),) * len(runs)
        notes = tuple(map(tuple, rows["notes"]))
        checksums, contents = tuple(rows["sha256"]), tuple(rows["content"])
        return FeatureTable(
            values, tuple(rows["message"]), notes, nothing, nothing, checksums, contents
        )

    def contents(self, runs: Sequence[StoredFile]) -> dict[str, Content]:
        """Return the content of the runs that are in the dataset and have not changed, by name."""
        found = {}
        for each in runs:
            if (row := self._row_of.get(each.file)) is not None:
                stored = self.runs.row(row, named=True)
                if stored["content"] and stored["stamp"] == identity(str(each.path)):
                    found[each.run] = Content(stored["content"], stored["content_bytes"])
        return found

    def contents_of(self, runs: Sequence[StoredFile]) -> list[Content]:
        """Return the content of R runs that :meth:`table` has found unchanged."""
        rows = self.runs[[self._row_of[each.file] for each in runs]]
        return list(map(Content, rows["content"], rows["content_bytes"]))

    def _values(self, number: Any, column: str, places: pl.Series) -> Floats32:
        """Read what a column of a part has at some places, shape (n, D)."""
        part = self.parts[number]
        frame = _read(part, [column])
        size = {"features": self.facts.spec.n_features, "acquired": len(FACTS)}[column]
        if frame.schema[column] == _array(size):
            there = frame[column].drop_nulls().to_numpy()
            found = frame[column].gather(places)
            if _digest(there) == self.digests[number][column] and not found.null_count():
                return np.asarray(found.to_numpy(), dtype=np.float32)
        raise _damaged(part, f"has other {column} than it states")

    def _check_has(self, runs: Sequence[StoredFile]) -> None:
        lacking = [
            each.run
            for each, has in zip(runs, self.holds([r.file for r in runs]), strict=True)
            if not has
        ]
        if lacking:
            raise TableError(
                self.folder,
                f"lacks the features of {counted(len(lacking), 'run')}, such as {lacking[0]}",
                f"those of all {len(runs):,} that are needed",
                WRITE_AGAIN,
            )

    def _check_unchanged(self, runs: Sequence[StoredFile], rows: pl.DataFrame) -> None:
        """Compare stamps; where one differs, as after a copy, compare the content."""
        for each, stamp, checksum in zip(runs, rows["stamp"], rows["sha256"], strict=True):
            if identity(str(each.path)) == stamp:
                continue
            try:
                same = bool(checksum) and checksum_of(load(each.path)) == checksum
            except ReadError:
                same = False
            if not same:
                raise TableError(
                    self.folder,
                    f"has the features of {each.run} as it was, and {display_name(each.path)} has "
                    "changed since",
                    "the same content",
                    WRITE_AGAIN,
                )


def _array(size: int) -> pl.Array:
    return pl.Array(pl.Float32, size)


def _metadata(part: Path) -> dict[str, Any]:
    """Read what a part states of its features."""
    try:
        with open_file(part) as file:
            stated: dict[str, Any] = read_json(pl.read_parquet_metadata(file)[KEY])
    except (
        OSError,
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        KeyError,
        ValueError,
    ) as error:
        raise _damaged(part, "cannot be read as a part of a dataset of features") from error
    if isinstance(stated, dict) and stated.get("format") != FORMAT:
        raise _of_other_gale(part, stated)
    check_schema(stated, METADATA, display_name(part), TableError, place="", remedy=WRITE_AGAIN)
    return stated


def _of_other_gale(source: Path, stated: Mapping[str, Any]) -> TableError:
    return TableError(
        source,
        f"has features as another version of gale wrote them ({shown(str(stated.get('gale')))})",
        f"those of gale {version('gale-ms')}, with the same format and readers",
        WRITE_AGAIN,
    )


def _read_runs(part: Path, stated: Mapping[str, Any]) -> pl.DataFrame:
    """Read what a part says of its runs, and make sure that it is as it was written."""
    frame = _read(part, list(COLUMNS))
    missing = any(frame[name].null_count() for name in COLUMNS if name not in NULLABLE)
    if frame.schema != pl.Schema(COLUMNS) or missing:
        raise _damaged(part, "has columns that are not as gale wrote them")
    known = {name: value for name, value in stated.items() if name != "digests"}
    if _digest_of_runs(frame, known) != stated["digests"]["runs"]:
        raise _damaged(part, "says something else of its runs than it states")
    return frame


def _digest_of_runs(frame: pl.DataFrame, stated: Mapping[str, Any]) -> str:
    text = json.dumps([stated, frame.select(list(COLUMNS)).rows()], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest(values: Floats32) -> str:
    return hashlib.sha256(np.ascontiguousarray(values, dtype=np.float32).data).hexdigest()


def _read(part: Path, columns: Sequence[str]) -> pl.DataFrame:
    try:
        with open_file(part) as file:
            return pl.read_parquet(file, columns=list(columns))
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _damaged(part, f"cannot be read ({' '.join(str(error).split())[:80]})") from error


def _damaged(part: Path, found: str) -> TableError:
    return TableError(display_name(part), found, "a part as gale wrote it", WRITE_AGAIN)


def stored_files(root: Path, runs: Sequence[str], paths: Sequence[Path]) -> Iterator[StoredFile]:
    """List the runs of a campaign as a dataset knows them."""
    for run, path in zip(runs, paths, strict=True):
        inside = path.relative_to(root) if path.is_relative_to(root) else path
        yield StoredFile(run, display_name(inside.as_posix()), path)

"""Predictions of a chunk of runs, and what is made of all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.kept import software
from gale.cli.spectra import Spectra
from gale.cli.tasks.opened import model_of, remember, spectra_of
from gale.plumbing.batches import RUNS, Chunk, Part
from gale.plumbing.progress import Progress
from gale.plumbing.tables import FAILED

if TYPE_CHECKING:
    import gale
    from gale.plumbing.cache import Cache

PREDICTIONS, EVIDENCE = "predictions", "evidence"
"""The tables of a part."""

CHECKSUM, CONTENT = "sha256", "content"
"""The last columns of the first one: the SHA-256 of what was read, and of what is packed in it."""

UNWRITTEN = (CHECKSUM, CONTENT)
"""Those that no table of a user has."""

RUNS_WITH_EVIDENCE = 8
"""Runs of a chunk where evidence is looked for, which takes long."""


@dataclass(frozen=True)
class PredictTask:
    """Predicts the runs of a chunk, and looks for evidence if that is asked for.

    Parameters
    ----------
    model_path, sha256
        The model, which each process opens itself.
    columns : mapping of str to str, optional
        As `gale.Model.sources_of` gives them.
    cache : Cache, optional
    evidence : bool
    libraries, index_table
        What evidence is compared with.
    """

    model_path: Path | None
    sha256: str
    columns: Mapping[str, str] | None
    cache: Cache | None
    evidence: bool = False
    libraries: tuple[str, ...] = ()
    index_table: Path | None = None

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Predict a chunk; with evidence, a step of progress is a run of which it was sought."""
        from gale.plumbing.work import Work

        model = model_of(self.model_path, self.sha256)
        names, paths = [item.name for item in chunk], [Path(item.path) for item in chunk]
        quiet = Progress() if self.evidence else progress
        work = Work(cache=self.cache, columns=self.columns, progress=quiet)
        table, read, _ = model.predict_sources(names, list(paths), work)
        import polars as pl

        contents = {CHECKSUM: read.checksums, CONTENT: read.contents}
        tables = {
            PREDICTIONS: table.hstack(pl.DataFrame(contents, dict.fromkeys(contents, pl.String)))
        }
        if self.evidence:
            from gale.evidence.table import evidence_of_sources

            ok = [status != FAILED for status in table["status"]]
            tables[EVIDENCE] = evidence_of_sources(
                model,
                list(compress(names, ok)),
                list(compress(paths, ok)),
                list(compress(read.checksums, ok)),
                Work(columns=self.columns, progress=progress),
                **self.spectra(model),
            )
        return Part(tables=tables)

    @property
    def runs(self) -> int:
        """Runs of a chunk on average."""
        return RUNS_WITH_EVIDENCE if self.evidence else RUNS

    def spectra(self, model: gale.Model) -> Spectra:
        """Open what evidence is compared with, once in every process."""
        return spectra_of(model, self.libraries, self.index_table)

    def remember(self, model: gale.Model, spectra: Spectra) -> None:
        """Do not open again what this process has opened."""
        remember(model, self.libraries, self.index_table, spectra)

    def made_with(self, spectra: Spectra, *, compares: bool | None = None) -> dict[str, str]:
        """Say what the result depends on besides the runs.

        It `compares` spectra if it is asked for evidence, unless told.
        """
        from gale.plumbing.reading import sha256_of

        known = {
            **software(),
            "model": self.sha256,
            "column": json.dumps(self.columns and dict(self.columns)),
            "evidence": "yes" if self.evidence else "no",
        }
        if self.evidence if compares is None else compares:
            matcher, table = spectra["matcher"], self.index_table
            known["library"] = json.dumps(matcher and list(matcher.sources), default=str)
            known["index-table"] = sha256_of(table) if table else ""
        return known

"""What `gale predict` does with a chunk of runs, in this process or in another one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.batch import software
from gale.cli.spectra import Spectra
from gale.plumbing.batches import RUNS, Chunk, Part
from gale.plumbing.progress import Progress
from gale.plumbing.tables import FAILED
from gale.plumbing.work import Work

if TYPE_CHECKING:
    import gale
    from gale.cli.sources import Listing
    from gale.model.cutoffs import Cutoffs
    from gale.plumbing.batches import Finished
    from gale.plumbing.cache import Cache

PREDICTIONS, EVIDENCE = "predictions", "evidence"
"""The tables of a part."""

CHECKSUM = "sha256"
"""The last column of the first one: the SHA-256 of what was read, which is not written."""

RUNS_WITH_EVIDENCE = 8
"""Runs of a chunk where evidence is looked for, which takes long."""

_MODELS: dict[str, gale.Model] = {}
_SPECTRA: dict[tuple[tuple[str, ...], Path | None], Spectra] = {}


def model_of(path: Path | None, sha256: str) -> gale.Model:
    """Open a model once in every process.

    Raises
    ------
    ModelError
        If it cannot be opened, or is another one than that of this checksum.
    """
    from gale.cli.models import open_model
    from gale.errors import ModelError
    from gale.model.file import use_threads

    if sha256 not in _MODELS:
        if parent_process() is not None:  # the other cores are for the other processes
            use_threads(1)
        model = open_model(path)
        if model.sha256 != sha256:
            raise ModelError(model.source, "has changed", "the same model until all is done")
        _MODELS[sha256] = model
    return _MODELS[sha256]


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
        model = model_of(self.model_path, self.sha256)
        names, paths = [item.name for item in chunk], [Path(item.path) for item in chunk]
        quiet = Progress() if self.evidence else progress
        work = Work(cache=self.cache, columns=self.columns, progress=quiet)
        table, checksums, _ = model.predict_sources(names, list(paths), work)
        import polars as pl

        tables = {PREDICTIONS: table.with_columns(pl.Series(CHECKSUM, checksums, dtype=pl.String))}
        if self.evidence:
            from gale.evidence.table import evidence_of_sources

            read = [status != FAILED for status in table["status"]]
            tables[EVIDENCE] = evidence_of_sources(
                model,
                list(compress(names, read)),
                list(compress(paths, read)),
                list(compress(checksums, read)),
                Work(columns=self.columns, progress=progress),
                **self._spectra(model),
            )
        return Part(tables=tables)

    @property
    def runs(self) -> int:
        """Runs of a chunk on average."""
        return RUNS_WITH_EVIDENCE if self.evidence else RUNS

    def _spectra(self, model: gale.Model) -> Spectra:
        from gale.cli.spectra import open_spectra

        key = self.libraries, self.index_table
        if key not in _SPECTRA:
            _SPECTRA[key] = open_spectra(model, *key, quiet=True)
        return _SPECTRA[key]

    def remember(self, model: gale.Model, spectra: Spectra) -> None:
        """Do not open again what this process has opened."""
        _MODELS[self.sha256] = model
        _SPECTRA[self.libraries, self.index_table] = spectra

    def made_with(self, spectra: Spectra) -> dict[str, str]:
        """Say what the result depends on besides the runs."""
        from gale.plumbing.reading import sha256_of

        known = {
            **software(),
            "model": self.sha256,
            "column": json.dumps(self.columns and dict(self.columns)),
            "evidence": "yes" if self.evidence else "no",
        }
        if self.evidence:
            matcher, table = spectra["matcher"], self.index_table
            known["library"] = json.dumps(matcher and list(matcher.sources), default=str)
            known["index-table"] = sha256_of(table) if table else ""
        return known


@dataclass(frozen=True)
class Result:
    """Predictions that are finished: what predicted, which runs, and what was asked for."""

    model: gale.Model
    listing: Listing
    finished: Finished
    cutoffs: Cutoffs | None
    spectra: Spectra

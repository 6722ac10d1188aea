"""The evidence of many runs, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from gale.errors import MissingExtraError, ReadError
from gale.evidence import check_spectra, explain, no_evidence
from gale.matching import IndexTable, Matcher
from gale.model import Model, Runs
from gale.plumbing.arguments import check_loaded
from gale.plumbing.frames import Tabular, frame_of, write_frame
from gale.plumbing.kinds import checked, checked_but
from gale.plumbing.text import display_name
from gale.plumbing.work import Work
from gale.readers import load_same, parse_run
from gale.run import Run

DECIMALS = 4
"""Decimals of minutes, shares and cosines in a file: they are not known better."""

TEXTS = ("compound",)
"""Columns of texts that a spreadsheet might compute."""


@checked_but("model", "runs")
def evidence_table(
    model: Model,
    runs: Runs,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    least: float | None = None,
    checksums: Sequence[str] | None = None,
    work: Work | None = None,
) -> pl.DataFrame:
    """Collect the evidence of many runs.

    Parameters
    ----------
    model : Model
    runs : Campaign, sequence of paths and Runs, or one of these
    matcher, index, least
        See :func:`gale.explain`.
    checksums : sequence of str, length R, optional
        What :meth:`gale.Model.predict_read` gave: a run that has changed since counts as one that
        cannot be read, so that the evidence is of what was predicted.
    work : Work, optional
        Its `columns` and `progress` count, and `strict`: whether a run that cannot be read stops
        the others. By default such a run is left out, with a note.

    Returns
    -------
    DataFrame
        The rows of :func:`gale.explain` for each run, in the order given. The column ``run`` has
        the names that :meth:`gale.Model.predict` gives.

    Raises
    ------
    ModelError
        If the model has no elution network, and a library or a table of indices is given.
    ReadError
        If a run cannot be read and `work` is strict.

    Examples
    --------
    In a folder with a model and a run:

    >>> import gale
    >>> table = gale.evidence_table(gale.Model.load("model.onnx"), ["run.csv"])
    >>> table.columns[:4]
    ['run', 'family', 'probability', 'basis']
    >>> gale.write_evidence(table, "evidence.csv")
    """
    check_loaded("model", model, Model)
    names, sources, work = model.sources_of(runs, work)
    if model.has_elution_network:
        matcher = matcher or Matcher.default()
    elif matcher is not None or index is not None:
        check_spectra(model)
    work.progress.begin("looking for evidence", len(sources))
    known = checksums or [""] * len(names)
    return evidence_of_sources(
        model, names, sources, known, work, matcher=matcher, index=index, least=least
    )


def evidence_of_sources(
    model: Model,
    names: Sequence[str],
    sources: Sequence[Path | Run],
    checksums: Sequence[str],
    work: Work,
    *,
    matcher: Matcher | None,
    index: IndexTable | None,
    least: float | None = None,
) -> pl.DataFrame:
    """Collect the evidence of what `gale.Model.sources_of` lists, see :func:`evidence_table`."""
    tables = [no_evidence(model)]
    for name, source, checksum in zip(names, sources, checksums, strict=True):
        try:
            run = read_same(source, checksum, work)
            found = explain(model, run, matcher=matcher, index=index, least=least)
        except (ReadError, MissingExtraError) as error:
            if work.strict:
                raise
            work.progress.note(f"run {name} is left out: {error}")
        else:
            for note in index.note_outside(run) if index else ():
                work.progress.note(note)
            tables.append(found.with_columns(pl.lit(name).alias("run")))
        work.progress.step()
    return pl.concat(tables)


def read_same(source: Path | Run, checksum: str, work: Work) -> Run:
    """Read a run from the bytes that were predicted; other bytes are a ReadError."""
    if isinstance(source, Run):
        return source
    data = load_same(source, checksum)
    return parse_run(data, display_name(source), columns=work.columns)


@checked
def write_evidence(table: Tabular, path: str | Path, *, force: bool = False) -> None:
    """Write a table of evidence, its numbers rounded to :data:`DECIMALS` decimals.

    In CSV, the name of a compound that a spreadsheet would take for a formula begins with an
    apostrophe.

    Parameters
    ----------
    table : table, or list of tables
        What :func:`gale.explain` or :func:`gale.evidence_table` gave, or tables of another library.
    path : str or Path
        The name ends in ``.csv``, ``.parquet`` or ``.xlsx``, which says how it is written.
    force : bool
        Whether an existing file may be overwritten.

    Raises
    ------
    OutputError
        If the name ends in something else, or the file exists and `force` is false, or cannot be
        written.
    MissingExtraError
        If it is a workbook, and xlsxwriter is not installed.

    Examples
    --------
    In a folder with a model and a run:

    >>> import gale
    >>> table = gale.evidence_table(gale.Model.load("model.onnx"), ["run.csv"])
    >>> gale.write_evidence(table, "evidence.csv")
    """
    frame = rounded(frame_of(table, "table"))
    write_frame(frame, Path(path), force=force, texts=TEXTS)


def rounded(table: pl.DataFrame) -> pl.DataFrame:
    """Round the numbers of a table of evidence as they are written."""
    return table.with_columns(pl.col(pl.Float64).round(DECIMALS))

"""The evidence of many runs, as one table."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gale.errors import ReadError
from gale.evidence import SCHEMA, IndexTable, Matcher, explain
from gale.model import Model, Runs
from gale.plumbing.arguments import check_kind, check_loaded
from gale.plumbing.files import writing
from gale.plumbing.work import Work
from gale.readers import read_run
from gale.run import Run

DECIMALS = 4
"""Decimals of minutes, shares and cosines in a file: they are not known better."""


def evidence_table(
    model: Model,
    runs: Runs,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    least: float | None = None,
    work: Work | None = None,
) -> pl.DataFrame:
    """Collect the evidence of many runs.

    Parameters
    ----------
    model : Model
    runs : Campaign, sequence of paths and Runs, or one of these
    matcher, index, least
        See :func:`gale.explain`.
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
    work.progress.begin("looking for evidence", len(sources))
    tables = [pl.DataFrame(schema=SCHEMA)]
    for name, source in zip(names, sources, strict=True):
        try:
            run = source if isinstance(source, Run) else read_run(source, columns=work.columns)
            found = explain(model, run, matcher=matcher, index=index, least=least)
        except ReadError as error:
            if work.strict:
                raise
            work.progress.note(f"run {name} is left out: {error}")
        else:
            for note in index.note_outside(run) if index else ():
                work.progress.note(note)
            tables.append(found.with_columns(pl.lit(name).alias("run")))
        work.progress.step()
    return pl.concat(tables)


def write_evidence(table: pl.DataFrame, path: str | Path, *, force: bool = False) -> None:
    """Write a table of evidence as a CSV file, its numbers rounded to :data:`DECIMALS` decimals.

    Raises
    ------
    OutputError
        If the file exists and `force` is false, or cannot be written.

    Examples
    --------
    In a folder with a model and a run:

    >>> import gale
    >>> table = gale.evidence_table(gale.Model.load("model.onnx"), ["run.csv"])
    >>> gale.write_evidence(table, "evidence.csv")
    """
    check_kind("table", table, pl.DataFrame)
    rounded = table.with_columns(pl.col(pl.Float64).round(DECIMALS))
    with writing(Path(path), force=force) as temporary:
        temporary.write_bytes(rounded.write_csv().encode())

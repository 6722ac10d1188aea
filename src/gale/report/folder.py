"""A folder of pages: one for each run of a batch, and an index of them."""

from __future__ import annotations

import base64
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from gale.campaign import Campaign
from gale.errors import GaleError
from gale.evidence import check_spectra
from gale.inspection.batch import batch_notes
from gale.matching import IndexTable, Matcher
from gale.model import Model
from gale.model.unlike import FAR
from gale.plumbing.arguments import check_kind
from gale.plumbing.files import (
    check_folder_free,
    text_to_write,
    write_content,
    writing,
    writing_folder,
)
from gale.plumbing.frames import frame_bytes
from gale.plumbing.kinds import checked_but
from gale.plumbing.reading import is_folder, open_file
from gale.plumbing.tables import FAILED, HEADER
from gale.plumbing.text import counted, display_name, short_names
from gale.plumbing.work import Work
from gale.readers import load_same, parse_run
from gale.report.pages import render, render_to
from gale.report.run_page import PROBABLE, model_provenance, run_report

PAGES = ("*.html",)
"""Files of a folder that may be replaced."""

INDEX = "index.html"
"""The page that leads to all others, which a folder has when it is whole."""

GENERATOR = b'<meta name="generator" content="gale">'
"""What every page has near its beginning."""

LONGEST_NAME = 80
"""Letters of a run's name in that of its page; file systems take 255 bytes."""


@checked_but("runs")
def run_pages(
    model: Model,
    runs: Campaign | Sequence[str | Path] | str | Path,
    folder: str | Path,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    provenance: Mapping[str, str] | None = None,
    force: bool = False,
    work: Work | None = None,
) -> pl.DataFrame:
    """Predict runs and write a page for each, and ``index.html`` with a row for each.

    Parameters
    ----------
    model : Model
    runs : Campaign, sequence of paths, or one path
    folder : str or Path
        The folder to make, also at an address. It appears when it is complete.
    matcher, index
        See :func:`gale.run_report`.
    provenance : mapping of str to str, optional
        More to say in all pages of where they come from, such as a checksum of the model file.
    force : bool
        Whether a folder that holds nothing but such pages is replaced.
    work : Work, optional
        How and where runs are read.

    Returns
    -------
    DataFrame
        The predictions, as :meth:`gale.Model.predict` gives them. A run whose page cannot be made
        has status ``failed`` and a message.

    Raises
    ------
    OutputError
        If something is at `folder` that may not be replaced, or a page cannot be written.
    ModelError
        If the model has no elution network, and a library or a table of indices is given.

    Examples
    --------
    In a folder with a model and a run:

    >>> from pathlib import Path
    >>> import gale
    >>> table = gale.run_pages(gale.Model.load("model.onnx"), ["run.csv"], "pages")
    >>> sorted(page.name for page in Path("pages").iterdir())
    ['index.html', 'run.csv.html']
    """
    folder = Path(folder)
    check_pages_free(folder, force=force)
    _, sources, work = model.sources_of(runs, work)
    for each in sources:
        check_kind("run", each, str, Path)
    files = [each for each in sources if isinstance(each, Path)]
    if matcher is not None or index is not None:
        check_spectra(model)
    if model.has_elution_network:
        matcher = matcher or Matcher.default()
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    made = {"made by": f"gale {version('gale-ms')} on {now}", **(provenance or {})}
    pages = PageMaker(model, matcher, index, work.columns, made)
    with writing_pages(folder, force=force) as unfinished:
        table, read = model.predict_read(runs, work)
        return pages.write(unfinished, table, files, read.checksums, work)


def writing_pages(folder: Path, *, force: bool) -> AbstractContextManager[Path]:
    """Make a folder of pages, see `gale.plumbing.files.writing_folder`."""
    return writing_folder(folder, replaces=PAGES if force else None, is_own=is_page, last=INDEX)


def check_pages_free(folder: Path, *, force: bool) -> None:
    """Refuse a folder to be made at which something is, unless it is one of pages and `force`.

    Raises
    ------
    OutputError
    """
    check_folder_free(folder, force=force, files=PAGES, is_own=is_page)


def is_page(file: Path) -> bool:
    """Whether gale made a page."""
    with open_file(file) as opened:
        return GENERATOR in opened.read(1000)


@dataclass(frozen=True)
class PageMaker:
    """What all pages of a batch are made with."""

    model: Model
    matcher: Matcher | None
    index: IndexTable | None
    columns: Mapping[str, str] | None
    made: Mapping[str, str]

    def write(
        self,
        folder: Path,
        table: pl.DataFrame,
        files: Sequence[Path],
        checksums: Sequence[str],
        work: Work,
    ) -> pl.DataFrame:
        """Write a page for each file that could be predicted, and the index of all."""
        names = page_names(table.filter(pl.col("status") != FAILED)["run"])
        work.progress.begin("making pages", len(names))
        failures: dict[str, str] = {}
        rows = table.iter_rows(named=True)
        for row, file, checksum in zip(rows, files, checksums, strict=True):
            if row["run"] in names:
                try:
                    page = self.page(file, row, checksum)
                except GaleError as error:
                    failures[row["run"]] = str(error)
                else:
                    write_content(folder / names[row["run"]], page)
                work.progress.step()
        pages = {run: name for run, name in names.items() if run not in failures}
        table = with_failures(table, failures)
        index = index_page(table, self.model, pages, provenance=self.made)
        write_content(folder / INDEX, index)
        return table

    def page(self, file: Path, prediction: Mapping[str, Any], checksum: str) -> str:
        """Make the page of a run, of the bytes that were predicted.

        Parameters
        ----------
        file : Path
        prediction : mapping
            The row of the run.
        checksum : str

        Raises
        ------
        GaleError
            If it cannot be read, or has changed.
        """
        data = load_same(file, checksum)
        # for a folder, the checksum is that of the files in it that are read, as gale packs them
        what = "SHA-256 of what is read" if is_folder(file) else "file SHA-256"
        return run_report(
            self.model,
            parse_run(data, display_name(file), columns=self.columns),
            matcher=self.matcher,
            index=self.index,
            prediction=prediction,
            provenance={what: checksum, **self.made},
        )


def with_failures(table: pl.DataFrame, failures: Mapping[str, str]) -> pl.DataFrame:
    """Mark some runs as failed, each with a message."""
    failed = pl.col("run").is_in(list(failures))
    return table.with_columns(
        status=pl.when(failed).then(pl.lit("failed")).otherwise("status"),
        message=pl.when(failed)
        .then(pl.col("run").replace_strict(failures, default=None, return_dtype=pl.String))
        .otherwise("message"),
    )


def index_page(
    predictions: pl.DataFrame,
    model: Model,
    pages: Mapping[str, str],
    *,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """Make the index of a batch: a row for each run, with a link to its page.

    Parameters
    ----------
    predictions : DataFrame
        What :meth:`gale.Model.predict` gave.
    model : Model
    pages : mapping of run to str
        Name of the page of each run that has one.
    provenance : mapping of str to str, optional
    """
    names = short_names(predictions["run"])
    rows = (
        {**row, "page": pages.get(row["run"]), "name": names[row["run"]]}
        for row in predictions.iter_rows(named=True)
    )
    notes = batch_notes(predictions, model.prevalence, model.numbers)
    values = _index_values(len(predictions), rows, model, notes, provenance)
    return render("index.html", **values, table=_address_of(predictions))


def write_index(
    path: Path,
    n_runs: int,
    rows: Iterable[Mapping[str, Any]],
    model: Model,
    notes: Sequence[str],
    provenance: Mapping[str, str],
) -> None:
    """Write the index of a large batch row by row, with full names, and without the table as CSV.

    Parameters
    ----------
    path : Path
    n_runs : int
    rows : iterable of mapping
        Rows of predictions, with the ``page`` of each run that has one, and its ``name``.
    model : Model
    notes : sequence of str
        What :func:`gale.inspection.batch.batch_notes` gives of all.
    provenance : mapping of str to str
    """
    with writing(path) as temporary, text_to_write(temporary) as file:
        values = _index_values(n_runs, rows, model, notes, provenance)
        render_to(file, "index.html", **values, table="")


def _index_values(
    n_runs: int,
    rows: Iterable[Mapping[str, Any]],
    model: Model,
    notes: Sequence[str],
    provenance: Mapping[str, str] | None,
) -> dict[str, Any]:
    return {
        "title": counted(n_runs, "run"),
        "rows": rows,
        "families": model.families,
        "prevalence": model.prevalence,
        "notes": [*filter(None, [model.caution]), *notes],
        "probable": PROBABLE,
        "far": FAR,
        "number": model.number,
        "provenance": {**(provenance or {}), **model_provenance(model)},
    }


def _address_of(predictions: pl.DataFrame) -> str:
    """Put the table of predictions into an address, from which a browser saves it as a file."""
    data = base64.b64encode(frame_bytes(predictions, ".csv", HEADER)).decode()
    return f"data:text/csv;charset=utf-8;base64,{data}"


def page_names(runs: Iterable[str]) -> dict[str, str]:
    """Give each run a name for its page: that of its file, numbered where several are the same."""
    different = list(dict.fromkeys(runs))
    return dict(zip(different, names_of_pages(different), strict=True))


def names_of_pages(runs: Iterable[str]) -> Iterator[str]:
    """Name a page after each run, one after the other."""
    taken = {"index"}
    for run in runs:
        plain = re.sub(r"[^\w.-]", "_", Path(run).name)[:LONGEST_NAME] or "run"
        name, number = plain, 1
        while name.lower() in taken:  # some file systems ignore case
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        yield f"{name}.html"

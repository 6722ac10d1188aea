"""What `gale report run` does with a chunk of runs, and how a folder is made of the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gale.cli.predict_task import CHECKSUM, PREDICTIONS, PredictTask, model_of
from gale.cli.summary import Counts, print_failed
from gale.plumbing.batches import Chunk, Finished, Item, Part, identity, put
from gale.plumbing.progress import Progress
from gale.plumbing.tables import FAILED

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.sources import Listing

RUNS = 8
"""Runs of a chunk: each takes long."""


@dataclass(frozen=True)
class ReportTask:
    """Predicts the runs of a chunk and makes a page of each that can be read.

    Parameters
    ----------
    predict : PredictTask
        How they are predicted, and what they are compared with.
    folder : Path
        Where pages are written, under the targets of the runs.
    provenance : mapping of str to str
        What all pages say of where they come from.
    """

    predict: PredictTask
    folder: Path
    provenance: Mapping[str, str]

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Make the pages of a chunk."""
        from gale.errors import GaleError
        from gale.report.folder import PageMaker, with_failures

        table = self.predict(chunk, Progress()).tables[PREDICTIONS]
        model = model_of(self.predict.model_path, self.predict.sha256)
        spectra = self.predict.spectra(model)
        maker = PageMaker(
            model, spectra["matcher"], spectra["index"], self.predict.columns, self.provenance
        )
        failures, pages = dict[str, str](), list[str]()
        rows = table.drop(CHECKSUM).iter_rows(named=True)
        for item, row, checksum in zip(chunk, rows, table[CHECKSUM], strict=True):
            page = self.folder / item.target
            try:
                if row["status"] != FAILED:
                    page.write_text(maker.page(Path(item.path), row, checksum), "utf-8")
                    pages.append(identity(str(page)))
            except GaleError as error:
                failures[row["run"]] = str(error)
            if row["status"] == FAILED or row["run"] in failures:
                pages.append("")
            progress.step()
        return Part({"pages": pages}, {PREDICTIONS: with_failures(table, failures)})

    def are_there(self, chunk: Chunk, facts: Mapping[str, Any]) -> bool:
        """Whether the pages of a finished chunk are as they were written."""
        return all(
            not was or was == identity(str(self.folder / item.target))
            for item, was in zip(chunk, facts["pages"], strict=True)
        )


def with_pages(listing: Listing) -> Iterator[Item]:
    """Give the runs with the names of their pages."""
    from gale.report.folder import names_of_pages

    names = names_of_pages(item.name for item in listing)
    return (item._replace(target=name) for item, name in zip(listing, names, strict=True))


@dataclass
class Pages:
    """Pages that are finished, to be put into a folder with their index."""

    model: gale.Model
    listing: Listing
    finished: Finished
    task: ReportTask

    def put_into(self, folder: Path) -> Counts:
        """Write the index and put the pages beside it; count the runs."""
        from gale.report.folder import write_index

        counts = Counts()
        for table in self._tables():
            counts.add(table, self.model.families)
        notes = counts.sums.notes(self.model.prevalence)
        index = folder / "index.html"
        provenance = self.task.provenance
        write_index(index, counts.n_runs, self._rows(), self.model, notes, provenance)
        for name in self._pages():
            if name:
                put(self.task.folder / name, folder / name)
        return counts

    def print_failed(self) -> None:
        """Say which runs have no page, and why."""
        for table in self._tables():
            print_failed(table)

    def _tables(self) -> Iterator[pl.DataFrame]:
        return (table.drop(CHECKSUM) for table in self.finished.tables(PREDICTIONS))

    def _pages(self) -> Iterator[str]:
        """Give the name of the page of each run, empty if it has none."""
        made = (page for facts in self.finished.facts() for page in facts["pages"])
        for item, page in zip(with_pages(self.listing), made, strict=True):
            yield item.target if page else ""

    def _rows(self) -> Iterator[dict[str, Any]]:
        rows = (row for table in self._tables() for row in table.iter_rows(named=True))
        for row, page in zip(rows, self._pages(), strict=True):
            yield {**row, "page": page}

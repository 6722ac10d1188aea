"""The folder that `gale report run` makes of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gale.cli.summary import Counts, print_failed
from gale.cli.tasks.predict import PREDICTIONS, UNWRITTEN
from gale.cli.tasks.report import ReportTask
from gale.plumbing.batches import Finished, Item
from gale.plumbing.places import put

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.listings import Listing


LARGE = 5_000
"""An index of more runs is written row by row."""


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
        counts = Counts()
        for table in self._tables():
            counts.add(table, self.model.families)
        self._write_index(folder / "index.html", counts)
        put(filter(None, self._pages()), self.task.folder, folder)
        return counts

    def _write_index(self, path: Path, counts: Counts) -> None:
        from gale.plumbing.files import write_content
        from gale.report.folder import index_page, write_index

        provenance = self.task.provenance
        if counts.n_runs > LARGE:
            notes = counts.sums.notes(self.model.prevalence, self.model.numbers)
            write_index(path, counts.n_runs, self._rows(), self.model, notes, provenance)
            return
        import polars as pl

        table = pl.concat(self._tables())
        pages = {run: page for run, page in zip(table["run"], self._pages(), strict=True) if page}
        write_content(path, index_page(table, self.model, pages, provenance=provenance))

    def print_failed(self) -> None:
        """Say which runs have no page, and why."""
        for table in self._tables():
            print_failed(table)

    def _tables(self) -> Iterator[pl.DataFrame]:
        return (table.drop(UNWRITTEN) for table in self.finished.tables(PREDICTIONS))

    def _pages(self) -> Iterator[str]:
        """Give the name of the page of each run, empty if it has none."""
        made = (page for facts in self.finished.facts() for page in facts["pages"])
        for item, page in zip(with_pages(self.listing), made, strict=True):
            yield item.target if page else ""

    def _rows(self) -> Iterator[dict[str, Any]]:
        rows = (row for table in self._tables() for row in table.iter_rows(named=True))
        for row, page in zip(rows, self._pages(), strict=True):
            yield {**row, "page": page, "name": row["run"]}

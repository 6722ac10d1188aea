"""Pages of a chunk of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gale.cli.tasks.opened import model_of
from gale.cli.tasks.predict import CHECKSUM, PREDICTIONS, UNWRITTEN, PredictTask
from gale.plumbing.batches import Chunk, Part, identity
from gale.plumbing.progress import Progress
from gale.plumbing.tables import FAILED

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
        from gale.plumbing.files import write_content
        from gale.report.folder import PageMaker, with_failures

        table = self.predict(chunk, Progress()).tables[PREDICTIONS]
        model = model_of(self.predict.model_path, self.predict.sha256)
        spectra = self.predict.spectra(model)
        maker = PageMaker(
            model, spectra["matcher"], spectra["index"], self.predict.columns, self.provenance
        )
        failures, pages = dict[str, str](), list[str]()
        rows = table.drop(UNWRITTEN).iter_rows(named=True)
        for item, row, checksum in zip(chunk, rows, table[CHECKSUM], strict=True):
            page = self.folder / item.target
            try:
                if row["status"] != FAILED:
                    write_content(page, maker.page(Path(item.path), row, checksum))
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

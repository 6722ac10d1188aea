"""Peaks of a chunk of runs."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gale.cli.kept import software
from gale.cli.tasks.peak_tables import empty, made
from gale.cli.wording import error_text
from gale.errors import GaleError, GaleWarning
from gale.plumbing.batches import Chunk, Part
from gale.plumbing.progress import Progress

if TYPE_CHECKING:
    from gale.matching import IndexTable, Matcher

RUNS = 8
"""Runs of a chunk: each takes long."""

_MATCHERS: dict[tuple[str, ...], Matcher] = {}


@dataclass(frozen=True)
class PeaksTask:
    """Finds the peaks of the runs of a chunk.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of the columns of tables.
    libraries : tuple of str
        What peaks are compared with, which each process opens itself.
    index : IndexTable, optional
    least_share : float
    wanted : tuple of str
        The tables to make.
    """

    columns: Mapping[str, str] | None
    libraries: tuple[str, ...]
    index: IndexTable | None
    least_share: float
    wanted: tuple[str, ...]

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Find the peaks of every run that can be read, and say which cannot."""
        import polars as pl

        import gale

        found, failed = [], []
        for item in chunk:
            try:
                run = gale.read_run(item.path, columns=self.columns)
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always", GaleWarning)
                    peaks = gale.find_peaks(
                        run,
                        matcher=self._matcher(),
                        index=self.index,
                        least_share=self.least_share,
                    )
                found.append(peaks)
                for each in told:
                    progress.note(str(each.message))
            except GaleError as error:
                failed.append(error_text(error))
            progress.step()
        tables = {name: pl.concat([empty(name), *(made(name, each) for each in found)],
                                  how="diagonal") for name in self.wanted}  # fmt: skip
        facts = {
            "failed": failed,
            "peaks": sum(map(len, found)),
            "matches": sum(len(peak.matches) for each in found for peak in each),
        }
        return Part(facts, tables)

    def _matcher(self) -> Matcher:
        from gale.library.choice import references
        from gale.matching import Matcher

        if self.libraries not in _MATCHERS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GaleWarning)
                _MATCHERS[self.libraries] = Matcher(references(self.libraries or None))
        return _MATCHERS[self.libraries]

    def remember(self, matcher: Matcher) -> None:
        """Do not open again what this process has opened."""
        _MATCHERS[self.libraries] = matcher

    def made_with(self) -> dict[str, str]:
        """Say what the result depends on besides the runs."""
        index = self.index
        return {
            **software(),
            "column": json.dumps(self.columns and dict(self.columns)),
            "library": json.dumps(list(self._matcher().sources), default=str),
            "index": json.dumps(index and [index.time_min.tolist(), index.index.tolist()]),
            "least-share": str(self.least_share),
            "output": ", ".join(self.wanted),
        }

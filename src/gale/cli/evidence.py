"""`gale predict --evidence`: what in each run speaks for the families, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.evidence import IndexTable, Matcher

DECIMALS = 4
"""Of minutes, shares and cosines: more says nothing."""


def open_matcher(libraries: Sequence[Path]) -> Matcher:
    """Read the libraries to look for compounds in; without any, those that come with gale.

    Raises
    ------
    ReadError
        If one cannot be used.
    """
    from gale.evidence import Matcher
    from gale.library import Library, read_library

    if not libraries:
        return Matcher.default()
    return Matcher(Library.join([read_library(each) for each in libraries]))


def open_index(table: Path | None) -> IndexTable | None:
    """Read the table of retention indices, if there is one.

    Raises
    ------
    TableError
        If it cannot be used.
    """
    from gale.evidence import IndexTable

    return None if table is None else IndexTable.read(table)


@dataclass(frozen=True)
class Evidence:
    """Where evidence is written, and what it is made with."""

    path: Path
    model: gale.Model
    matcher: Matcher | None
    index: IndexTable | None

    @classmethod
    def prepare(
        cls, path: Path, model: gale.Model, libraries: Sequence[Path], index_table: Path | None
    ) -> Evidence:
        """Read the libraries and the table of indices, so that what is wrong is told now.

        Raises
        ------
        ModelError
            If the model has no elution network, and so nothing to use them for.
        ReadError, TableError
            If a library or the table cannot be used.
        """
        from gale.evidence import check_spectra

        if libraries or index_table:
            check_spectra(model)
        if not model.has_elution_network:
            return cls(path, model, None, None)
        return cls(path, model, open_matcher(libraries), open_index(index_table))

    @property
    def note(self) -> str | None:
        """What has to be said of evidence that is less than it might be."""
        if self.model.has_elution_network:
            return None
        return (
            f"{self.model.source} has no elution network: the evidence is attribution to features, "
            "without times"
        )

    def write(
        self,
        runs: Sequence[tuple[str, Path]],
        columns: dict[str, str] | None,
        force: bool,
        progress: ConsoleProgress,
    ) -> None:
        """Write the evidence of files, each with the name that predictions give it."""
        import polars as pl

        import gale
        from gale.evidence import SCHEMA, explain
        from gale.plumbing.files import writing

        progress.begin("looking for evidence", len(runs))
        tables = [pl.DataFrame(schema=SCHEMA)]
        for name, file in runs:
            run = gale.read_run(file, columns=columns)
            found = explain(self.model, run, matcher=self.matcher, index=self.index)
            tables.append(found.with_columns(pl.lit(name).alias("run")))
            progress.step()
        table = pl.concat(tables).with_columns(pl.col(pl.Float64).round(DECIMALS))
        with writing(self.path, force=force) as temporary:
            temporary.write_bytes(table.write_csv().encode())

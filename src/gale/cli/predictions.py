"""The files of predictions: the table, and beside it how it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.outputs import STANDARD_OUTPUT
from gale.cli.printing import echo
from gale.cli.result import Result
from gale.cli.sidecars import write_sidecar
from gale.cli.summary import Counts, print_failed, print_summary
from gale.cli.tasks.predict import EVIDENCE

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Files:
    """The files that are made of predictions, chunk by chunk."""

    result: Result
    submission: bool
    force: bool
    counts: Counts = field(default_factory=Counts)

    def write(self, output: Path, evidence: Path | None) -> int:
        """Write all that was asked for, and print a summary; return how many runs failed."""
        if evidence is not None:
            self._write_evidence(evidence)
        if self.submission:
            for _ in self._counted():
                pass
            write_tables([self._submission()], output, force=self.force)
        else:
            write_tables(map(self._called, self._counted()), output, force=self.force)
        notes = self.counts.notes(self.result.model)
        notes += self.result.cutoffs.notes() if self.result.cutoffs else []
        if output != STANDARD_OUTPUT:
            write_sidecar(output, self.result, self.counts.n_runs, notes, force=self.force)
        for table in self._tables():
            print_failed(table)
        print_summary(output, self.result.model, self.counts, notes, self.submission)
        return self.counts.n_failed

    def _tables(self) -> Iterator[pl.DataFrame]:
        return self.result.tables()

    def _counted(self) -> Iterator[pl.DataFrame]:
        for table in self._tables():
            self.counts.add(table, self.result.model.families)
            yield table

    def _called(self, table: pl.DataFrame) -> pl.DataFrame:
        return table if self.result.cutoffs is None else self.result.cutoffs.call(table)

    def _submission(self) -> pl.DataFrame:
        import polars as pl

        assert self.result.listing.campaign is not None
        needed = ["run", *self.result.model.families]
        table = pl.concat(each.select(needed) for each in self._tables())
        return self.result.model.submission(self.result.listing.campaign, table)

    def _write_evidence(self, path: Path) -> None:
        from gale.evidence.table import TEXTS, rounded
        from gale.plumbing.frames import write_frames

        tables = map(rounded, self.result.finished.tables(EVIDENCE))
        write_frames(tables, path, force=self.force, texts=TEXTS)
        if not self.result.model.has_elution_network:
            source = self.result.model.source
            said = f"{source} has no elution network: its evidence is features, without times"
            echo(said, err=True)


def write_tables(tables: Iterable[pl.DataFrame], output: Path, *, force: bool) -> None:
    """Write tables below each other, with the shortest numbers that read back as the model's.

    The model computes Float32. A message that a spreadsheet would take for a formula begins with an
    apostrophe in CSV; names stay what they are, since tables are joined by them. Standard output is
    CSV.
    """
    import polars as pl

    from gale.plumbing.frames import CSV, frame_bytes, write_frames

    written = (table.cast({pl.Float64: pl.Float32}) for table in tables)
    if output != STANDARD_OUTPUT:
        write_frames(written, output, force=force, texts=MESSAGES)
        return
    for number, table in enumerate(written):
        text = frame_bytes(table, CSV, MESSAGES).decode()
        echo(text.partition("\n")[2] if number else text, nl=False)


MESSAGES = ("message",)
"""Columns whose texts are no names."""

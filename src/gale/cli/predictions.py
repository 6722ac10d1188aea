"""The files of predictions: the table, and beside it how it was made."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gale.cli.models import name_of_model
from gale.cli.outputs import STANDARD_OUTPUT, write_tables
from gale.cli.predict_task import CHECKSUM, EVIDENCE, PREDICTIONS, Result
from gale.cli.printing import echo
from gale.cli.summary import Counts, print_failed, print_summary
from gale.plumbing.tables import FAILED

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
            self._write_sidecar(output, notes)
        for table in self._tables():
            print_failed(table)
        print_summary(output, self.result.model, self.counts, notes, self.submission)
        return self.counts.n_failed

    def _tables(self) -> Iterator[pl.DataFrame]:
        return (table.drop(CHECKSUM) for table in self.result.finished.tables(PREDICTIONS))

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

    def _write_sidecar(self, output: Path, notes: list[str]) -> None:
        """Write what made a table of predictions, as JSON beside it."""
        from gale.evaluation.predictions import sidecar
        from gale.plumbing.files import writing
        from gale.plumbing.json_files import write_json

        model, matcher = self.result.model, self.result.spectra["matcher"]
        facts = {
            "gale_version": version("gale-ms"),
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "model": name_of_model(model),
            "model_sha256": model.sha256,
            "table_sha256": _sha256_of_table(output),
            "recipe": model.facts["recipe"]["name"],
            "families": list(model.families),
            "prevalence": model.facts["prevalence"],
            "calibrated": model.facts["calibrated"],
            "notes": notes,
            "runs": self.counts.n_runs,
            "trained_on": self._trained_on(),
            "doubtful": self._of_status("doubtful"),
            "failed": self._of_status(FAILED),
            "content": self._contents(),
            **({} if self.result.cutoffs is None else {"cutoffs": self.result.cutoffs.to_dict()}),
            **({"libraries": list(matcher.sources)} if matcher else {}),
        }
        with (
            writing(sidecar(output), force=self.force) as temporary,
            temporary.open("w", encoding="utf-8", newline="\n") as file,
        ):
            write_json(file, facts)

    def _trained_on(self) -> Iterator[str]:
        from gale.evaluation.predictions import runs_trained_on

        for table in self._tables():
            yield from sorted(runs_trained_on(table.select("run", "message").iter_rows()))

    def _of_status(self, status: str) -> Iterator[str]:
        for table in self._tables():
            yield from table.filter(status=status)["run"]

    def _contents(self) -> Iterator[dict[str, Any]]:
        from gale.evaluation.content import Content

        rows = (row for each in self.result.finished.tables(PREDICTIONS) for row in each[CHECKSUM])
        for item, checksum in zip(self.result.listing, rows, strict=True):
            if checksum:
                yield {"run": item.name, **Content.of(Path(item.path), checksum)._asdict()}


def _sha256_of_table(output: Path) -> str:
    """Hash the file of a table, or all files of a dataset in the order of their rows."""
    from gale.plumbing.frames import dataset_files
    from gale.plumbing.reading import sha256_of

    if not output.is_dir():
        return sha256_of(output)
    hashes = "".join(map(sha256_of, dataset_files(output)))
    return hashlib.sha256(hashes.encode()).hexdigest()

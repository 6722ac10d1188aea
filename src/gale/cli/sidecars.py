"""What lies beside a table of predictions: how it was made."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gale.cli.models import name_of_model
from gale.cli.result import Result
from gale.cli.tasks.predict import PREDICTIONS, UNWRITTEN
from gale.plumbing.tables import FAILED


def write_sidecar(
    output: Path, result: Result, n_runs: int, notes: Sequence[str], *, force: bool
) -> None:
    """Write what made a table of predictions, as JSON beside it.

    Parameters
    ----------
    output : Path
        The table, as it is.
    result : Result
    n_runs : int
    notes : sequence of str
        What is to be known of all.
    force : bool
        Whether one that exists is overwritten.
    """
    from gale.evaluation.predictions import sidecar
    from gale.plumbing.files import text_to_write, writing
    from gale.plumbing.frames import sha256_of_table
    from gale.plumbing.json_files import write_json

    model, matcher, cutoffs = result.model, result.spectra["matcher"], result.cutoffs
    facts = {
        "gale_version": version("gale-ms"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "model": name_of_model(model),
        "model_sha256": model.sha256,
        "table_sha256": sha256_of_table(output),
        "recipe": model.facts["recipe"]["name"],
        "families": list(model.families),
        "prevalence": model.facts["prevalence"],
        "calibrated": model.facts["calibrated"],
        "notes": list(notes),
        "runs": n_runs,
        "trained_on": _trained_on(result),
        "doubtful": _of_status(result, "doubtful"),
        "failed": _of_status(result, FAILED),
        "content": _contents(result),
        **({} if cutoffs is None else {"cutoffs": cutoffs.to_dict()}),
        **({"libraries": list(matcher.sources)} if matcher else {}),
    }
    with (
        writing(sidecar(output), force=force) as temporary,
        text_to_write(temporary) as file,
    ):
        write_json(file, facts)


def _trained_on(result: Result) -> Iterator[str]:
    from gale.evaluation.predictions import runs_trained_on

    for table in result.tables():
        yield from sorted(runs_trained_on(table.select("run", "message").iter_rows()))


def _of_status(result: Result, status: str) -> Iterator[str]:
    for table in result.tables():
        yield from table.filter(status=status)["run"]


def _contents(result: Result) -> Iterator[dict[str, Any]]:
    from gale.evaluation.content import Content

    tables = result.finished.tables(PREDICTIONS)
    rows = (row for each in tables for row in each.select(UNWRITTEN).iter_rows())
    for item, (checksum, content) in zip(result.listing, rows, strict=True):
        if checksum:
            yield {"run": item.name, **Content.of(Path(item.path), checksum, content).to_dict()}

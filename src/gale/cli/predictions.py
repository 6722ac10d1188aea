"""The files of predictions: the table, and beside it how it was made."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.calls import called
from gale.cli.models import name_of_model
from gale.cli.outputs import STANDARD_OUTPUT, write_table
from gale.cli.sources import paths_of
from gale.cli.summary import print_summary
from gale.plumbing.reading import sha256_of

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.spectra import Spectra
    from gale.model.cutoffs import Cutoffs


def write_predictions(
    output: Path,
    model: gale.Model,
    runs: gale.Campaign | tuple[Path, ...],
    table: pl.DataFrame,
    checksums: Sequence[str],
    cutoffs: Cutoffs | None,
    spectra: Spectra,
    *,
    submission: bool,
    force: bool,
) -> int:
    """Write a table of predictions and how it was made, and print a summary.

    Parameters
    ----------
    model, runs, table, checksums
        What :meth:`gale.Model.predict_read` was given, and what it gave.
    output, cutoffs, spectra, submission, force
        What was asked for.

    Returns
    -------
    int
        Number of runs that failed.
    """
    import gale

    written, notes = called(table, cutoffs, model)
    if submission and isinstance(runs, gale.Campaign):
        written = model.submission(runs, table)
    write_table(written, output, force=force)
    if output != STANDARD_OUTPUT:
        said = (notes, cutoffs, spectra)
        write_sidecar(output, model, runs, table, checksums, *said, force=force)
    return print_summary(output, model, table, notes, submission)


def write_sidecar(
    output: Path,
    model: gale.Model,
    runs: gale.Campaign | tuple[Path, ...],
    table: pl.DataFrame,
    checksums: Sequence[str],
    notes: Sequence[str],
    cutoffs: Cutoffs | None,
    spectra: Spectra,
    *,
    force: bool,
) -> None:
    """Write what made a table of predictions, as JSON beside it.

    `output` is the file of the table; `table` and `checksums` are what
    :meth:`gale.Model.predict_read` gave, `spectra` what evidence was compared with.
    """
    from gale.evaluation.content import contents_of
    from gale.evaluation.predictions import runs_trained_on, sidecar
    from gale.plumbing.files import writing

    content = contents_of(table["run"], paths_of(runs), checksums)
    provenance = {
        "gale_version": version("gale-ms"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "model": name_of_model(model),
        "model_sha256": model.sha256,
        "table_sha256": sha256_of(output),
        "recipe": model.facts["recipe"]["name"],
        "families": list(model.families),
        "prevalence": model.facts["prevalence"],
        "calibrated": model.facts["calibrated"],
        "notes": list(notes),
        "runs": len(table),
        "trained_on": sorted(runs_trained_on(table.select("run", "message").iter_rows())),
        "doubtful": table.filter(status="doubtful")["run"].to_list(),
        "failed": table.filter(status="failed")["run"].to_list(),
        "content": [{"run": run, **each._asdict()} for run, each in content.items()],
        **({} if cutoffs is None else {"cutoffs": cutoffs.to_dict()}),
        **({"libraries": list(matcher.sources)} if (matcher := spectra["matcher"]) else {}),
    }
    with writing(sidecar(output), force=force) as temporary:
        temporary.write_text(json.dumps(provenance, indent=1) + "\n")

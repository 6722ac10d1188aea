"""`gale train`: from a campaign to a model file."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.cli.options import device_option, reading_options
from gale.plumbing.workers import worker_pool

if TYPE_CHECKING:
    import gale
    from gale.cli.training_report import Beside

EXAMPLE = """
\b
Example:
  gale train campaign -o model.onnx --recipe quick
"""


@click.command(epilog=EXAMPLE)
@click.argument("campaign", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Model file to write."
)
@click.option(
    "--recipe",
    "recipe_name",
    default="default",
    show_default=True,
    help="default, quick, published, logistic, or a TOML file.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="Label table to use in place of those of the campaign; it names every run that trains.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The same seed, runs and recipe give the same model on the same machine (to rounding, "
    "after an interruption).",
)
@device_option
@click.option("--no-report", is_flag=True, help="Write no report, which trains a baseline, too.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted training.")
@click.option("--force", is_flag=True, help="Overwrite the output; discard what was interrupted.")
@click.option("--strict", is_flag=True, help="Stop if a run cannot be read; else leave it out.")
@click.option("--verify", is_flag=True, help="Compare the checksums of all files first.")
@reading_options
def command(
    campaign: Path,
    output: Path,
    recipe_name: str,
    labels: Path | None,
    seed: int,
    device: str | None,
    no_report: bool,
    resume: bool,
    force: bool,
    strict: bool,
    verify: bool,
    columns: dict[str, str] | None,
    workers: int,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Train a model on the labelled runs of CAMPAIGN.

    CAMPAIGN is a folder in the competition's layout, or a folder of runs with labels.csv (run, then
    one column for each family; 1, 0, or blank where it is unknown).

    Beside the model (model.onnx), model.history.csv has a row for every epoch,
    model.out_of_fold.csv what members say of labelled runs that they did not train on, and
    model.report.html all of it to look at. An interrupted training keeps what it has finished in
    model.onnx.partial, and goes on with --resume.
    """
    # Threads of torch that wait without sleeping are slow beyond measure where other work runs
    # beside; this counts only if it is set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.cli.training_report import Beside, TrainingReport
    from gale.plumbing.cache import Cache, default_folder
    from gale.plumbing.files import check_free
    from gale.plumbing.work import Work

    started = time.monotonic()
    recipe = gale.Recipe.load(recipe_name)
    from gale.cli.kept import telling_what_is_kept  # only after a missing extra has been told
    from gale.training.journal import count_fits, discard

    check_free(output, force=force)
    beside = Beside.of(output)
    partial = output.with_name(output.name + ".partial")
    for file in (beside.history, beside.out_of_fold, beside.report):
        check_free(file, force=force or count_fits(partial) > 0)
    opened = gale.Campaign.open(campaign, labels=labels, columns=columns)
    if verify:
        n_compared = opened.verify_checksums()
        click.echo(f"checksums of {n_compared:,} of {len(opened):,} files agree", err=True)
    if not quiet:
        _show(opened)
    progress = ConsoleProgress(quiet=quiet)
    cache = None if no_cache else Cache(default_folder())
    with telling_what_is_kept(partial, progress):
        with worker_pool(workers) as executor:
            model = gale.train(
                opened,
                recipe,
                seed=seed,
                journal=partial,
                resume=resume,
                restart=force and not resume,
                history=beside.history,
                out_of_fold=beside.out_of_fold,
                work=Work(
                    strict=strict,
                    executor=executor,
                    cache=cache,
                    progress=progress,
                    device=device,
                    workers=os.cpu_count() or 1,
                ),
            )
        model.save(output, force=force)
    discard(partial)
    _report(model, output, beside, time.monotonic() - started)
    if no_report:
        beside.report.unlink(missing_ok=True)  # it would be that of another model
    else:
        with worker_pool(workers) as executor:
            report = TrainingReport(opened, model, beside, executor, cache, progress)
            report.write(beside.report, force=True)
        progress.close()
        click.echo(f"{beside.report}: how good the model is, and where to look")
    if model.facts["training"]["unreadable"]:
        sys.exit(1)


def _show(campaign: gale.Campaign) -> None:
    """Print how many runs of train and val hold each family."""
    chosen = campaign.of_split("train", "val")
    click.echo(f"{campaign!r}", err=True)
    click.echo(f"  {'family':<32}{'positive':>9}{'negative':>9}{'unknown':>9}", err=True)
    for name, labels in zip(chosen.families, chosen.labels.T, strict=True):
        positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
        unknown = len(chosen) - positive - negative
        click.echo(f"  {name:<32}{positive:>9,}{negative:>9,}{unknown:>9,}", err=True)


def _report(model: gale.Model, output: Path, beside: Beside, seconds: float) -> None:
    scores, training = model.facts["scores"], model.facts["training"]
    click.echo(f"{output}: {model!r}, {output.stat().st_size / 1e6:.1f} MB, {seconds:.0f} s")
    click.echo(f"{beside.history}: loss of every epoch")
    click.echo(f"{beside.out_of_fold}: what members say of runs that they did not train on")
    if unreadable := training["unreadable"]:
        click.echo(f"left out, since they cannot be read: {len(unreadable)} runs (see the notes)")
    click.echo(
        f"log loss {scores['log_loss']:.3f} beside {scores['prior_log_loss']:.3f} of the training "
        f"prevalence, on {scores['measured_on']}; {scores['caution']}"
    )

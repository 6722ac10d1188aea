"""`gale ablate`: what each ingredient of the published system is worth on a campaign."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gale.cli.options import device_option, reading_options
from gale.plumbing.workers import worker_pool

EXAMPLE = """
\b
Examples:
  gale ablate campaign -o ablation
  gale ablate campaign -o ablation --recipe quick --trainings 3 --iterations 2
"""

PATH = click.Path(path_type=Path)


@click.command(epilog=EXAMPLE)
@click.argument("campaign", type=PATH)
@click.option("-o", "--output", type=PATH, metavar="FOLDER", required=True, help="Folder to make.")
@click.option(
    "--recipe",
    "recipe_name",
    default="published",
    show_default=True,
    help="What the steps lead to: published, quick, or a TOML file, of one kind of network that "
    "is not pre-trained.",
)
@click.option(
    "--trainings",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Trainings of each step. The author's figures are of 10.",
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Iterations of each FixedSoup. The published one has 40, which take about four times as "
    "long as 5.",
)
@click.option(
    "--test-labels",
    type=PATH,
    help="Labels of runs of the test split, where the campaign has no test_labels.csv.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The same seed, runs and recipe give the same log losses on the same machine (to "
    "rounding, after an interruption).",
)
@device_option
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with an interrupted ablation, perhaps with more trainings or iterations.",
)
@click.option("--force", is_flag=True, help="Overwrite the output; discard what was interrupted.")
@reading_options
def command(
    campaign: Path,
    output: Path,
    recipe_name: str,
    trainings: int,
    iterations: int,
    test_labels: Path | None,
    seed: int,
    device: str | None,
    resume: bool,
    force: bool,
    columns: dict[str, str] | None,
    workers: int,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Say what each ingredient of the published system is worth on CAMPAIGN.

    The steps of the author's ablation: a plain network, then with the hinge loss, the prior bias,
    BatchNorm, LayerNorm and the label correlation grid (LCG), each added to those before, then a
    FixedSoup of such networks. Each is trained several times on the train split and stopped by the
    val split; the log loss on the test split is told where its labels are known.

    The folder has tables (table.csv; trainings.csv and curves.csv with a row for every training),
    figures (table.png, curves.png, and as .svg), a page that tells all (ablation.md), and how it
    was made (ablation.json). An interrupted ablation keeps what it has finished in FOLDER.partial,
    and goes on with --resume.
    """
    # As for gale train: waiting threads are slow where other work runs beside.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.plumbing.cache import Cache, default_folder
    from gale.plumbing.files import check_folder_free
    from gale.plumbing.work import Work

    recipe = gale.Recipe.load(recipe_name)
    from gale.ablation.saving import FILES
    from gale.ablation.text import caution_text, step_table  # after a missing extra has been told
    from gale.campaign.test_labels import with_test_labels
    from gale.cli.kept import telling_what_is_kept
    from gale.training.journal import discard

    check_folder_free(output, force=force, files=FILES)
    opened = gale.Campaign.open(campaign, columns=columns)
    if test_labels is not None:
        opened = with_test_labels(opened, test_labels)
    partial = output.with_name(output.name + ".partial")
    progress = ConsoleProgress(quiet=quiet)
    with telling_what_is_kept(partial, progress):
        with worker_pool(workers) as executor:
            ablation = gale.ablate(
                opened,
                recipe,
                trainings=trainings,
                iterations=iterations,
                seed=seed,
                journal=partial,
                resume=resume,
                restart=force and not resume,
                work=Work(
                    executor=executor,
                    cache=None if no_cache else Cache(default_folder()),
                    progress=progress,
                    device=device,
                ),
            )
        gale.save_ablation(ablation, output, force=force)
    discard(partial)
    click.echo(f"{step_table(ablation)}\n{caution_text(ablation)}")
    seconds = ablation.facts["seconds"]
    click.echo(f"{output}: tables and figures, {seconds:,.0f} s; look at {output / 'ablation.md'}")
    if unreadable := ablation.facts["campaign"]["unreadable"]:
        click.echo(f"left out, since they cannot be read: {len(unreadable)} runs (see the notes)")
        sys.exit(1)

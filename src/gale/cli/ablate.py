"""`gale ablate`: what each ingredient of the published system contributes on a campaign."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gale.cli.completion import recipe_option
from gale.cli.options import PATH, output_option
from gale.cli.outputs import claim
from gale.cli.printing import echo
from gale.cli.resumable import resumable, sleep_when_idle, training_options
from gale.cli.working import working
from gale.plumbing.text import counted

EXAMPLE = """
\b
Examples:
  gale ablate campaign -o ablation
  gale ablate campaign -o ablation --recipe quick --trainings 3 --iterations 2
"""


@click.command(short_help="Measure what each ingredient of a recipe contributes.", epilog=EXAMPLE)
@click.argument("campaign", type=PATH)
@output_option("Folder to make.", metavar="FOLDER", here=True)
@recipe_option(
    "published",
    "The recipe that the steps build up to: published, quick, or a TOML file with one kind of "
    "network and no pre-training.",
)
@click.option(
    "--trainings",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Trainings per step. The author's figures are means over 10.",
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Iterations per FixedSoup. The published system has 40, which take about four times as "
    "long as 5.",
)
@click.option("--test-labels", type=PATH, help="Labels of test runs, in place of test_labels.csv.")
@training_options("ablation", "the same log losses")
def command(
    campaign: Path,
    output: Path,
    recipe: str,
    trainings: int,
    iterations: int,
    test_labels: Path | None,
    seed: int,
    device: str | None,
    resume: bool,
    force: bool,
    **reading: Any,
) -> None:
    """Measure what each ingredient of the published system contributes on CAMPAIGN.

    The steps are those of the author's ablation: a plain network, then the hinge loss, the prior
    bias, BatchNorm, LayerNorm and the label correlation grid (LCG), each added to those before,
    then a FixedSoup of such networks. Each step is trained several times on the train split and
    stopped by the val split. The log loss on the test split is reported if its labels are known.

    The folder has tables (table.csv; trainings.csv and curves.csv with a row per training), figures
    (table.png, curves.png, and as .svg), a page that explains them (ablation.md), and the settings
    (ablation.json). An interrupted ablation keeps what it has finished in FOLDER.partial; --resume
    continues it, also with more trainings or iterations.
    """
    sleep_when_idle()
    import gale

    loaded = gale.Recipe.load(recipe)
    # only now, when a missing extra has been reported
    from gale.ablation.saving import FILES
    from gale.ablation.text import caution_text, step_table
    from gale.campaign.test_labels import with_test_labels
    from gale.plumbing.files import check_folder_free
    from gale.plumbing.outputs import check_no_input
    from gale.training.journal import discard

    check_folder_free(output, force=force, files=FILES)
    opened = gale.Campaign.open(campaign, columns=reading["columns"])
    if test_labels is not None:
        opened = with_test_labels(opened, test_labels)
    check_no_input([output], [*opened.files, *filter(None, [test_labels, Path(recipe)])])
    claim(output)
    partial = output.with_name(output.name + ".partial")
    with working(**reading) as work, resumable(partial, work.progress):
        ablation = gale.ablate(
            opened,
            loaded,
            trainings=trainings,
            iterations=iterations,
            seed=seed,
            journal=partial,
            resume=resume,
            restart=force and not resume,
            work=replace(work, device=device),
        )
        gale.save_ablation(ablation, output, force=force)
    discard(partial)
    echo(f"{step_table(ablation)}\n{caution_text(ablation)}")
    seconds = ablation.facts["seconds"]
    echo(f"{output}: tables and figures, {seconds:,.0f} s; look at {output / 'ablation.md'}")
    if unreadable := ablation.facts["campaign"]["unreadable"]:
        echo(f"{counted(len(unreadable), 'run')} left out: not readable, see the notes")
        sys.exit(1)

"""`gale inspect`: what a run, a model or a campaign is."""

from __future__ import annotations

import warnings
from itertools import chain
from pathlib import Path

import click

from gale.cli.batch import Asked, batch_options
from gale.cli.listings import open_paths
from gale.cli.options import PATH, columns_option, force_option
from gale.cli.outputs import ADDRESS_TOO, WRITTEN, plan
from gale.cli.printing import echo
from gale.cli.wording import in_options
from gale.cli.workers import workers_options
from gale.cli.working import working
from gale.errors import GaleWarning

EXAMPLE = """
\b
Examples:
  gale inspect run.csv
  gale inspect runs/*.cdf
  gale inspect runs/*.cdf --json > runs.jsonl
  gale inspect --files-from runs.txt -o runs.jsonl --resume
  gale inspect model.onnx
  gale inspect model.onnx --recipe > my.toml
  gale inspect model.onnx --card --scores scores.json > model.md
  gale inspect campaign --verify
"""


@click.command(short_help="Describe runs, models and campaigns.", epilog=EXAMPLE)
@click.argument("paths", type=PATH, nargs=-1)
@click.option("--recipe", is_flag=True, help="Print only the recipe of a model, as a TOML file.")
@click.option("--card", is_flag=True, help="Print a model card, in Markdown.")
@click.option(
    "--scores",
    type=PATH,
    help="Put scores on the card: the JSON file of gale evaluate for the model's predictions.",
)
@click.option("--verify", is_flag=True, help="Compare the checksums of a campaign's files.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each of PATHS.")
@click.option(
    "-o",
    "--output",
    type=WRITTEN,
    help=f"File to write with the lines of JSON, instead of printing. {ADDRESS_TOO}",
)
@force_option()
@batch_options("the output")
@columns_option
@workers_options()
def command(
    paths: tuple[Path, ...],
    recipe: bool,
    card: bool,
    scores: Path | None,
    verify: bool,
    as_json: bool,
    output: Path | None,
    force: bool,
    asked: Asked,
    columns: dict[str, str] | None,
    workers: int | str,
) -> None:
    """Describe PATHS: runs (and anything odd about them), models, or campaign folders.

    A path that cannot be read does not stop the others: it is named on standard error, and the exit
    status is 1 (2 for a single path). With --json every path has a line, in the order given: path,
    status ("ok" or "failed"), kind ("run", "model" or "campaign") and its properties, with units in
    their names; or a message that says why it failed.
    """
    if recipe or card or verify:
        _check_kinds(paths, columns, recipe or card, verify)
    if scores is not None and not card:
        raise click.UsageError("--scores is for --card")
    if recipe or card:
        echo(_of_model(paths[0], card, scores), nl=False)
        return
    from gale.cli.tasks.inspect import InspectTask, inspect_all

    single = len(paths) == 1 and not asked.files_from
    listing = open_paths(paths, asked, "PATHS")
    plan(filter(None, [output]), chain(asked.files_read, listing.files), force=force)
    task = InspectTask(columns, as_json or output is not None, verify, single)
    with working(columns, workers, no_cache=True, quiet=output is None) as work:
        n_failed = inspect_all(listing, task, output, asked, work, force=force)
    asked.end(n_failed, len(listing))


def _check_kinds(
    paths: tuple[Path, ...], columns: dict[str, str] | None, of_model: bool, verify: bool
) -> None:
    """Refuse options that are for something else than what is given."""
    from gale.cli.shows.paths import kind_of

    kinds = [kind_of(path, columns) for path in paths]
    if of_model and kinds != ["model"]:
        raise click.UsageError("--recipe and --card need one model")
    if verify and set(kinds) != {"campaign"}:
        raise click.UsageError("--verify needs a campaign folder")


def _of_model(path: Path, card: bool, scores: Path | None) -> str:
    """Give the card of a model, or its recipe."""
    import gale
    from gale.plumbing.toml import toml_lines

    model = gale.Model.load(path)
    if card:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", GaleWarning)
            text = gale.model_card(model, scores or ())
        for each in told:
            echo(f"note: {in_options(str(each.message))}", err=True)
        return text
    return "\n".join(toml_lines(model.facts["recipe"])) + "\n"

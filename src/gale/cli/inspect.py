"""`gale inspect`: what a run, a model or a campaign is."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import click

from gale.cli.options import PATH, columns_option
from gale.cli.printing import echo
from gale.cli.wording import error_text, in_options
from gale.errors import GaleError, GaleWarning

EXAMPLE = """
\b
Examples:
  gale inspect run.csv
  gale inspect runs/*.cdf
  gale inspect runs/*.cdf --json > runs.jsonl
  gale inspect model.onnx
  gale inspect model.onnx --recipe > my.toml
  gale inspect model.onnx --card --scores scores.json > model.md
  gale inspect campaign --verify
"""


@click.command(short_help="Describe runs, models and campaigns.", epilog=EXAMPLE)
@click.argument("paths", type=PATH, nargs=-1, required=True)
@click.option("--recipe", is_flag=True, help="Print only the recipe of a model, as a TOML file.")
@click.option("--card", is_flag=True, help="Print a model card, in Markdown.")
@click.option(
    "--scores",
    type=PATH,
    help="Put scores on the card: the JSON file of gale evaluate for the model's predictions.",
)
@click.option("--verify", is_flag=True, help="Compare the checksums of a campaign's files.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each of PATHS.")
@columns_option
def command(
    paths: tuple[Path, ...],
    recipe: bool,
    card: bool,
    scores: Path | None,
    verify: bool,
    as_json: bool,
    columns: dict[str, str] | None,
) -> None:
    """Describe PATHS: runs (and anything odd about them), models, or campaign folders.

    A path that cannot be read does not stop the others: it is named on standard error, and the exit
    status is 1 (2 for a single path). With --json every path has a line, in the order given: path,
    status ("ok" or "failed"), kind ("run", "model" or "campaign") and its properties, with units in
    their names; or a message that says why it failed.
    """
    from gale.cli.shows.paths import as_object, description, kind_of

    kinds = [kind_of(path, columns) for path in paths]
    if (recipe or card) and kinds != ["model"]:
        raise click.UsageError("--recipe and --card need one model")
    if verify and set(kinds) != {"campaign"}:
        raise click.UsageError("--verify needs a campaign folder")
    if scores is not None and not card:
        raise click.UsageError("--scores is for --card")
    if recipe or card:
        echo(_of_model(paths[0], card, scores), nl=False)
        return
    n_failed = 0
    for at, (path, kind) in enumerate(zip(paths, kinds, strict=True)):
        try:
            text = description(path, kind, as_json, verify, columns)
        except GaleError as error:
            if len(paths) == 1 and not as_json:
                raise
            n_failed += 1
            if not as_json:
                echo(f"failed: {error_text(error)}", err=True)
                continue
            text = as_object(path, "failed", {"message": str(error)})
        echo(text if as_json or not at else f"\n{text}")
    if n_failed:
        sys.exit(1)


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

"""`gale inspect`: what a run, a model or a campaign is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from gale.cli.options import columns_option
from gale.errors import GaleError

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


@click.command(epilog=EXAMPLE)
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--recipe", is_flag=True, help="Print only the recipe of a model, as a TOML file.")
@click.option("--card", is_flag=True, help="Print a model card, in Markdown.")
@click.option(
    "--scores",
    "scores_path",
    type=click.Path(path_type=Path),
    help="Put scores on the card: what gale evaluate --json wrote of the model's predictions.",
)
@click.option("--verify", is_flag=True, help="Compare the checksums of a campaign's files.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line for each of PATHS."
)
@columns_option
def command(
    paths: tuple[Path, ...],
    recipe: bool,
    card: bool,
    scores_path: Path | None,
    verify: bool,
    as_json: bool,
    columns: dict[str, str] | None,
) -> None:
    """Print what PATHS are: runs, models, or campaign folders; and what is odd about them.

    What cannot be read does not stop the others: it is named on standard error, and the exit
    status is 1 (of a single path, 2). With --json every path has its line, in the order given:
    path, status ("ok" or "failed"), kind ("run", "model" or "campaign") and what is known of it,
    with units in the names; or the message of what is wrong.
    """
    kinds = [_kind(path, columns) for path in paths]
    if (recipe or card) and kinds != ["model"]:
        raise click.UsageError("--recipe and --card need a model, and one alone")
    if verify and set(kinds) != {"campaign"}:
        raise click.UsageError("--verify needs a campaign folder")
    if scores_path is not None and not card:
        raise click.UsageError("--scores is for --card")
    if recipe or card:
        _print_of_model(paths[0], card, scores_path)
        return
    n_failed = 0
    for at, (path, kind) in enumerate(zip(paths, kinds, strict=True)):
        try:
            said = _say(path, kind, as_json, verify, columns)
        except GaleError as error:
            if len(paths) == 1 and not as_json:
                raise
            n_failed += 1
            if not as_json:
                click.echo(f"failed: {error}", err=True)
                continue
            said = _json(path, "failed", {"message": str(error)})
        click.echo(said if as_json or not at else f"\n{said}")
    if n_failed:
        sys.exit(1)


def _kind(path: Path, columns: dict[str, str] | None) -> str:
    """What to take a path for: what cannot be read is taken for a run, which then says why."""
    from gale.readers.instrument_folders import is_run_folder

    try:
        if path.is_dir() and not is_run_folder(path):
            return "campaign"
        return "model" if _is_model(path, columns) else "run"
    except (GaleError, OSError):
        return "run"


def _is_model(path: Path, columns: dict[str, str] | None) -> bool:
    """By its content; what is called a model and is damaged or missing passes for one too."""
    from gale.readers import glance, is_run_file

    if path.suffix == ".onnx":
        return not is_run_file(path, columns=columns)
    return path.is_file() and glance(path)[0] == "onnx"


def _print_of_model(path: Path, card: bool, scores: Path | None) -> None:
    """Print the card of a model, or its recipe."""
    import gale
    from gale.cli.shows.card import card as card_of
    from gale.cli.shows.card import read_scores
    from gale.cli.shows.model import recipe_lines

    model = gale.Model.load(path)
    if card:
        measured = () if scores is None else read_scores(scores, model.families)
        text = card_of(model, measured)
    else:
        text = "\n".join(recipe_lines(model.facts["recipe"])) + "\n"
    click.echo(text, nl=False)


def _say(path: Path, kind: str, as_json: bool, verify: bool, columns: dict[str, str] | None) -> str:
    """Give what is said of a path, as one JSON object or as lines."""
    import gale
    from gale.cli.shows import campaign, model, run

    values: Callable[[], dict[str, Any]]
    lines: Callable[[], list[str]]
    match kind:
        case "campaign":
            opened = gale.Campaign.open(path, columns=columns)
            values = partial(campaign.values, opened, verify)
            lines = partial(campaign.lines, opened, verify)
        case "model":
            loaded = gale.Model.load(path)
            values, lines = partial(model.values, loaded), partial(model.lines, loaded)
        case _:
            read = gale.read_run(path, columns=columns)
            values, lines = partial(run.values, read), partial(run.lines, read)
    return _json(path, "ok", {"kind": kind, **values()}) if as_json else "\n".join(lines())


def _json(path: Path, status: str, values: dict[str, Any]) -> str:
    from gale.plumbing.text import display_name

    known = {"path": display_name(path), "status": status, **values}
    return json.dumps(known, ensure_ascii=False, allow_nan=False)

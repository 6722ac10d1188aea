"""`gale inspect`: what a run, a model or a campaign is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gale.cli.options import columns_option

if TYPE_CHECKING:
    import gale

EXAMPLE = """
\b
Examples:
  gale inspect run.csv
  gale inspect model.onnx
  gale inspect model.onnx --recipe > my.toml
  gale inspect campaign --verify
"""


@click.command(epilog=EXAMPLE)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--recipe", is_flag=True, help="Print only the recipe of a model, as a TOML file.")
@click.option("--verify", is_flag=True, help="Compare the checksums of a campaign's files.")
@columns_option
def command(path: Path, recipe: bool, verify: bool, columns: dict[str, str] | None) -> None:
    """Print what PATH is: a run, a model, or a campaign folder; and what is odd about it."""
    import gale
    from gale.readers.folders import is_run_folder

    is_campaign = path.is_dir() and not is_run_folder(path)
    is_model = not is_campaign and _is_model(path, columns)
    if recipe and not is_model:
        raise click.UsageError("--recipe needs a model")
    if verify and not is_campaign:
        raise click.UsageError("--verify needs a campaign folder")
    if is_campaign:
        _show_campaign(gale.Campaign.open(path, columns=columns), verify)
    elif recipe:
        click.echo("\n".join(_recipe_lines(gale.Model.load(path).facts["recipe"])))
    elif is_model:
        _show_model(gale.Model.load(path))
    else:
        _show_run(gale.read_run(path, columns=columns))


def _is_model(path: Path, columns: dict[str, str] | None) -> bool:
    """By its content; what is called a model and is damaged or missing passes for one too."""
    from gale.readers import glance, is_run_file

    if path.suffix == ".onnx":
        return not is_run_file(path, columns=columns)
    return path.is_file() and glance(path)[0] == "onnx"


def _show_run(run: gale.Run) -> None:
    per_scan = run.ions_per_scan
    tic = run.total_ion_current
    rows = {
        "format": run.format,
        "scans": f"{run.n_scans:,} ({int((per_scan == 0).sum()):,} without ions)",
        "time": f"{run.time_min[0]:.3f} to {run.time_min[-1]:.3f} min",
        "ions": f"{run.n_ions:,}",
        "m/z": f"{run.mz.min():.3f} to {run.mz.max():.3f}",
        "intensity": f"{run.intensity.min():.4g} to {run.intensity.max():.4g}",
        "highest TIC": f"{tic.max():.4g} at {run.time_min[tic.argmax()]:.3f} min",
        **run.facts,
    }
    click.echo(f"{run.source}: a run")
    _show_rows(rows)
    for note in run.notes:
        click.echo(f"  note: {note}")


def _show_campaign(campaign: gale.Campaign, verify: bool) -> None:
    from gale.campaign.folder import run_name
    from gale.tables import listed

    click.echo(repr(campaign))
    for (split,), rows in campaign.family_table().group_by("split", maintain_order=True):
        click.echo(f"\n  {split or 'unlabelled'}")
        header = f"  {'family':<32}{'positive':>9}{'negative':>9}{'unknown':>9}{'prevalence':>12}"
        click.echo(header)
        for family, positive, negative, unknown, prevalence in rows.drop("split").iter_rows():
            share = "" if prevalence is None else f"{prevalence:.3f}"
            click.echo(f"  {family:<32}{positive:>9,}{negative:>9,}{unknown:>9,}{share:>12}")
    if campaign.left_out:
        names = listed(run_name(file, campaign.root) for file in campaign.left_out)
        click.echo(f"\n  not runs, left out: {names}")
    if verify:
        n_compared = campaign.verify_checksums()
        agree = "all agree" if n_compared else "so nothing could be compared"
        click.echo(f"\n  checksums: {n_compared:,} of {len(campaign):,} files have one, {agree}")


def _show_model(model: gale.Model) -> None:
    facts = model.facts
    training, scores = facts["training"], facts["scores"]
    click.echo(f"{model.source}: a model (format {facts['format']}, gale {facts['gale_version']})")
    _show_rows(
        {
            "recipe": f"{facts['recipe']['name']}, seed {facts['seed']}",
            "trained": f"{facts['created']} on {training['runs']:,} runs of {training['campaign']}",
            "left out": ", ".join(training["unreadable"]) or "no run",
            "ensemble": f"{facts['members']} members from {facts['folds']} folds",
            "features": f"{facts['features']['kind']}, {model.spec.n_features:,} "
            f"from {len(model.spec.mz)} m/z, {model.spec.mz[0]} to {model.spec.mz[-1]}",
            "calibrated": "yes" if facts["calibrated"] else "no: the outputs are scores",
            "log loss": f"{scores['log_loss']:.3f}, beside {scores['prior_log_loss']:.3f} of the "
            "training prevalence",
            "measured on": f"{scores['measured_on']}; {scores['caution']}",
            "fingerprint": training["fingerprint"],
        }
    )
    click.echo(f"  {'family':<32}{'positive':>9}{'known':>9}{'prevalence':>12}")
    rows = zip(model.prevalence.items(), training["positive"], training["known"], strict=True)
    for (family, prevalence), positive, known in rows:
        click.echo(f"  {family:<32}{positive:>9,}{known:>9,}{prevalence:>12.3f}")


def _recipe_lines(choices: dict[str, Any], prefix: str = "") -> list[str]:
    """The choices of a recipe as TOML: dotted keys, and values that JSON and TOML write alike.

    Parts come last, each as a table of its own.
    """
    lines, tables = [], []
    for key, value in choices.items():
        if isinstance(value, dict):
            lines += _recipe_lines(value, f"{prefix}{key}.")
        elif key == "parts":
            for part in value:
                tables += ["", "[[parts]]", *_recipe_lines(part)]
        elif value is not None:
            lines.append(f"{prefix}{key} = {json.dumps(value)}")
    return lines + tables


def _show_rows(rows: dict[str, str]) -> None:
    for name, value in rows.items():
        click.echo(f"  {name:<14}{value}")

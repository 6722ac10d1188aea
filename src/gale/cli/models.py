"""The model of a verb: that of an option, of the environment, or the one that comes with gale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.cli.options import PATH
from gale.plumbing.text import display_name

if TYPE_CHECKING:
    import gale

VARIABLE = "GALE_MODEL"
"""The environment variable that names a model file."""

model_option = click.option(
    "--model",
    "model_path",
    type=PATH,
    envvar=VARIABLE,
    help=f"Model file, or its address; by default the one that ${VARIABLE} names, or else the "
    "model that comes with gale, which learned from simulated runs alone.",
)


def open_model(path: Path | None) -> gale.Model:
    """Read a model file, or take the model that comes with gale."""
    import gale

    return gale.bundled_model() if path is None else gale.Model.load(path)


def files_of_model(path: Path | None) -> list[Path]:
    """Name the model file, if there is one, which must not be overwritten."""
    return [] if path is None else [path]


def name_of_model(model: gale.Model) -> str:
    """Name the file of a model, without its folder, or the model that comes with gale."""
    return display_name(Path(model.source).name)

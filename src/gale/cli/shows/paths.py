"""What a path is, a run, a model or a campaign, and its description."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gale
from gale.errors import GaleError
from gale.plumbing.reading import is_folder
from gale.plumbing.remote import address_of
from gale.plumbing.text import display_name


def kind_of(path: Path, columns: dict[str, str] | None) -> str:
    """Name the kind of a path; what cannot be read counts as a run, whose reader says why."""
    from gale.readers.instrument_folders import is_run_folder

    try:
        if is_folder(path) and not is_run_folder(path):
            return "campaign"
        return "model" if _is_model(path, columns) else "run"
    except (GaleError, OSError):
        return "run"


def _is_model(path: Path, columns: dict[str, str] | None) -> bool:
    """Judge by the content; a file called .onnx that is damaged or missing is a model, too."""
    from gale.readers import glance, is_run_file

    if path.suffix == ".onnx":
        return not is_run_file(path, columns=columns)
    return (address_of(path) is not None or path.is_file()) and glance(path)[0] == "onnx"


def description(
    path: Path, kind: str, as_json: bool, verify: bool, columns: dict[str, str] | None
) -> str:
    """Describe a path, as one JSON object or as lines."""
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
    return as_object(path, "ok", {"kind": kind, **values()}) if as_json else "\n".join(lines())


def as_object(path: Path, status: str, values: dict[str, Any]) -> str:
    """Write the values of a path as one JSON object."""
    known = {"path": display_name(path), "status": status, **values}
    return json.dumps(known, ensure_ascii=False, allow_nan=False)

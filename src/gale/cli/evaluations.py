"""What is said of evaluations, and where they must not be written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gale.errors import OutputError

if TYPE_CHECKING:
    from gale.evaluation import Evaluation


def baseline_notes(evaluations: list[Evaluation], given: bool) -> list[str]:
    """Say where the prevalence of the baseline is from, if that is not what one would think."""
    origins = {each.prevalence_from for each in evaluations}
    notes = []
    if "labels" in origins:
        notes.append(
            "the baseline has the prevalence of the evaluated labels, which flatters it: there is "
            "no JSON file beside the predictions; give --train-labels"
        )
    if given and "argument" not in origins:
        notes.append(
            "--train-labels was not used: the JSON files beside the predictions give the prevalence"
        )
    return notes


def check_no_sidecar(json_path: Path, predictions: tuple[Path, ...]) -> None:
    """Refuse to write scores over the JSON file of the predictions."""
    from gale.evaluation.predictions import sidecar

    if json_path in map(sidecar, predictions):
        found = "is the JSON file (sidecar) of the predictions"
        raise OutputError(json_path, found, "another name", "choose another name")

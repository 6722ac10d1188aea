"""What answers say of models, jobs and runs, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Any

from gale.model import Model
from gale.plumbing.tables import FAILED, UNLIKE
from gale.serve.store import DONE, READING, WAITING, StoredRun

API = "/api/v1"


def of_model(name: str, model: Model, wording: Callable[[str], str] = str) -> dict[str, Any]:
    """What a model is, and how to read its numbers."""
    facts = model.facts
    return {
        "name": name,
        "sha256": model.sha256,
        "recipe": facts["recipe"]["name"],
        "created": facts["created"],
        "members": facts["members"],
        "training_runs": facts["training"]["runs"],
        "calibrated": facts["calibrated"],
        "values_are": "probabilities" if facts["calibrated"] else "scores from 0 to 1",
        "caution": wording(model.caution),
        "has_elution_network": model.has_elution_network,
        "families": [
            {"name": family, "prevalence": model.prevalence[family]} for family in model.families
        ],
    }


def named(models: Iterable[tuple[str, Model]]) -> dict[str, Any]:
    """Which models and which gale an answer is of."""
    return {
        "gale_version": version("gale-ms"),
        "models": [{"name": name, "sha256": model.sha256} for name, model in models],
    }


def of_run(run: StoredRun) -> dict[str, Any]:
    """What is known of a run."""
    said: dict[str, Any] = {
        "id": run.id,
        "job": run.job,
        "place": [run.number, run.part],
        "name": run.name,
        "bytes": run.size,
        "state": run.state,
    }
    if run.result is None:
        return said
    rows = run.result["predictions"]
    said |= {"sha256": run.result["sha256"], "predictions": [_prediction(row) for row in rows]}
    if any(row["status"] != FAILED for row in rows):
        said |= {
            "page": f"{API}/runs/{run.id}/page",
            "evidence": f"{API}/runs/{run.id}/evidence",
            "peaks": f"{API}/runs/{run.id}/peaks",
        }
    return said


def _prediction(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": row["model"],
        "model_sha256": row["model_sha256"],
        "status": row["status"],
        "message": row["message"],
        UNLIKE: row[UNLIKE],
        "families": {
            name: {"value": value, "spread": spread}
            for name, (value, spread) in row["families"].items()
        },
    }


def of_counts(counts: dict[str, int]) -> dict[str, int]:
    """How far a job is."""
    return {
        "runs": sum(counts.values()),
        WAITING: counts[WAITING],
        READING: counts[READING],
        DONE: counts[DONE],
    }


def is_done(counts: dict[str, int]) -> bool:
    """Whether nothing of a job waits or is being read."""
    return counts[WAITING] == counts[READING] == 0


def failure_of(runs: Sequence[StoredRun]) -> str | None:
    """The first message if every run failed with every model; None if one did not."""
    rows = [row for run in runs if run.result for row in run.result["predictions"]]
    if not rows or any(row["status"] != FAILED for row in rows):
        return None
    return str(rows[0]["message"])

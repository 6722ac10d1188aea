"""Cut-offs as they are asked for: a threshold for each family, and the calls that follow from it.

`gale.evaluation.cutoffs` finds them in a training; a model has them among its facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gale.errors import GaleError, ModelError, TableError
from gale.evaluation.cutoffs import AIMS, Aim, threshold_of, why_none
from gale.plumbing.frames import Tabular, frame_of
from gale.plumbing.kinds import checked
from gale.plumbing.tables import CALL, DOUBTFUL, NO, YES
from gale.plumbing.text import listed, shown
from gale.plumbing.toml import parse_toml, read_toml_text, unknown_key

Wish = float | str | Mapping[str, float]
"""A threshold, an aim such as ``"precision=0.9"``, or a table such as ``{"precision": 0.9}``."""

At = str | Path | Mapping[str, Wish]
"""An aim for all families, the name of a TOML file, or a wish for each family."""

EXPECTED = "precision=0.9, recall=0.9 (or other numbers up to 1), f1, or a TOML file"

OF_FAMILY = "a number from 0 to 1, 'f1', or an aim such as { precision = 0.9 }"


@dataclass(frozen=True)
class Cutoffs:
    """The threshold of each family, from which on a run is called positive.

    Parameters
    ----------
    at : str
        What was asked for.
    thresholds : mapping of str to float or None
        None for a family without one.
    missing : mapping of str to str
        Why a family has none.

    Examples
    --------
    >>> cutoffs = Cutoffs("mine", {"alcohol": 0.4, "mineral": None}, {"mineral": "not in mine"})
    >>> table = pl.DataFrame({"status": ["ok", "doubtful"], "alcohol": [0.4, 0.9], "mineral": 0.1})
    >>> cutoffs.call(table).select("alcohol_call", "mineral_call").rows()
    [('yes', None), (None, None)]
    """

    at: str
    thresholds: Mapping[str, float | None]
    missing: Mapping[str, str]

    @checked
    def call(self, predictions: Tabular) -> pl.DataFrame:
        """Add a column ``<family>_call`` for each family: ``yes``, ``no`` or null.

        There is no call without a threshold, for a run that failed, and for a doubtful one: what
        the threshold reaches was measured on runs like those of the training.

        Raises
        ------
        TableError
            If the table lacks the status, or a family that has a threshold.
        """
        predictions = frame_of(predictions, "predictions")
        with_threshold = [each for each, known in self.thresholds.items() if known is not None]
        wanted = ["status", *with_threshold]
        if lacking := [name for name in wanted if name not in predictions.columns]:
            raise TableError(
                "predictions", f"have no column {listed(lacking)}", "what Model.predict gives"
            )
        called = pl.col("status") != DOUBTFUL
        return predictions.with_columns(
            _call(family, threshold, called).alias(family + CALL)
            for family, threshold in self.thresholds.items()
        )

    def notes(self) -> list[str]:
        """Say which families have no calls, and why."""
        of_reason: dict[str, list[str]] = {}
        for family, why in self.missing.items():
            of_reason.setdefault(why, []).append(family)
        return [f"no calls of {listed(names)}: {why}" for why, names in of_reason.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return what the sidecar of predictions says of them."""
        return {"at": self.at, "thresholds": dict(self.thresholds)}


def _call(family: str, threshold: float | None, called: pl.Expr) -> pl.Expr:
    if threshold is None:
        return pl.lit(None, dtype=pl.String)
    said = pl.when(pl.col(family) >= threshold).then(pl.lit(YES)).otherwise(pl.lit(NO))
    return pl.when(called & pl.col(family).is_not_null()).then(said)


def find_cutoffs(facts: Mapping[str, Any], at: At, source: str) -> Cutoffs:
    """Find the thresholds that are asked for.

    Parameters
    ----------
    facts : mapping
        Of a model.
    at : str, Path or mapping
        See :data:`At`.
    source : str
        Name of the model, for messages.

    Raises
    ------
    GaleError
        If it is nothing that can be asked for.
    TableError
        If the file or the mapping has an unknown family, or something else than a wish.
    ModelError
        If thresholds for an aim are asked for, and the model has none.
    """
    if isinstance(at, str) and not at.endswith(".toml"):
        if (aim := Aim.parse(at)) is None:
            raise GaleError("at", f"is {shown(at)}", EXPECTED)
        wishes: dict[str, float | Aim] = dict.fromkeys(facts["families"], aim)
        name = str(aim)
    else:
        name = "the mapping at" if isinstance(at, Mapping) else str(at)
        wishes = _read_wishes(at, name, facts["families"])
    thresholds: dict[str, float | None] = {}
    missing = {}
    for number, family in enumerate(facts["families"]):
        wish = wishes.get(family)
        thresholds[family] = wish if isinstance(wish, float) else None
        if wish is None:
            missing[family] = f"no threshold in {name}"
        elif isinstance(wish, Aim):
            of_family = _of_family(facts, number, source)
            if why := why_none(of_family, wish):
                missing[family] = why
            else:
                thresholds[family] = threshold_of(of_family, wish)
    return Cutoffs(name, thresholds, missing)


def _of_family(facts: Mapping[str, Any], number: int, source: str) -> Mapping[str, Any]:
    if "cutoffs" not in facts:
        raise ModelError(
            source,
            "has no cut-offs: it was trained by an older gale",
            "a model with cut-offs, or thresholds of your own",
            "train again, or pass at='cutoffs.toml' with a threshold for each family",
        )
    of_family: Mapping[str, Any] = facts["cutoffs"][number]
    return of_family


def _read_wishes(at: At, name: str, families: list[str]) -> dict[str, float | Aim]:
    """Read what is wished for each family from a file or a mapping."""
    if isinstance(at, Mapping):
        given = dict(at)
    else:
        text = read_toml_text(Path(at), "cut-offs", TableError)
        given = parse_toml(text, name, "cut-offs", TableError)
    wishes = {}
    for family, wish in given.items():
        if family not in families:
            raise TableError(f"{name}: {shown(family)}", *unknown_key(family, families))
        if (read := _read_wish(wish)) is None:
            raise TableError(f"{name}: {shown(family)}", f"is {wish!r}", OF_FAMILY)
        wishes[family] = read
    if not wishes:
        raise TableError(name, "has no cut-offs", "a threshold for a family, such as alcohol = 0.4")
    return wishes


def _read_wish(wish: object) -> float | Aim | None:
    """Read a threshold or an aim; None if it is neither."""
    if isinstance(wish, str):
        return Aim.parse(wish)
    if isinstance(wish, Mapping):
        return Aim.parse("=".join(map(str, *wish.items()))) if len(wish) == 1 else None
    if isinstance(wish, bool) or not isinstance(wish, int | float):
        return None
    return float(wish) if 0 <= wish <= 1 else None


@dataclass(frozen=True)
class CutoffRow:
    """A measured cut-off, or why there is none, as cards and reports have it.

    Parameters
    ----------
    family : str
    positive : int
        Number of positive held-out runs.
    aim : str
        In words; empty if there is none for any aim.
    threshold : float or None
    precision, recall : list of three floats, or None
        Value and bounds of the 95 % interval.
    why : str
        Why there is no threshold.
    """

    family: str
    positive: int
    aim: str
    threshold: float | None = None
    precision: list[float] | None = None
    recall: list[float] | None = None
    why: str = ""


def measured_cutoffs(facts: Mapping[str, Any]) -> Iterator[CutoffRow]:
    """List the measured cut-offs of a model, family by family; none of an older model."""
    for family, found in zip(facts["families"], facts.get("cutoffs", []), strict=False):
        if why := why_none(found):
            yield CutoffRow(family, found["positive"], "", why=why)
            continue
        measured = {each["at"]: each for each in found["measured"]}
        for aim in AIMS:
            each = measured.get(str(aim), {"why": why_none(found, aim)})
            known = {key: value for key, value in each.items() if key != "at"}
            yield CutoffRow(family, found["positive"], aim.in_words, **known)

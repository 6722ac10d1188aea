"""Predictions: probabilities of families in runs, as read from the two layouts that gale writes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from gale.campaign.labels import RUN_COLUMNS, is_run_column
from gale.errors import TableError
from gale.evaluation.content import Content
from gale.plumbing import schema
from gale.plumbing.files import exists
from gale.plumbing.frames import Tabular, frame_of, sha256_of_table
from gale.plumbing.kinds import checked
from gale.plumbing.reading import read_text
from gale.plumbing.tables import (
    CALL,
    DOUBTFUL,
    FAILED,
    HEADER,
    NO,
    OK,
    SPREAD,
    SUBMISSION_HEADER,
    TRAINED_ON,
    UNLIKE,
    YES,
    Problems,
    Table,
    decimal_point,
    read_table,
)
from gale.plumbing.text import listed, shown
from gale.run import Floats

IN_MEMORY = "predictions"
"""What messages call predictions that are from no file."""

TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Null)
"""Types of columns of texts."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities of K families in R runs, as read from a file.

    Parameters
    ----------
    source : str
        Name of the file, as used in messages.
    runs : tuple of str, length R
        Names of the runs.
    families : tuple of str, length K
        Names of the families.
    probability : array of shape (R, K)
        NaN for runs whose prediction failed.
    failed : mapping of str to str
        The runs whose prediction failed, and why.
    prevalence : mapping of str to float, optional
        For each family, the share of the model's training runs that hold it.
    model_sha256 : str, optional
        SHA-256 of the model file that predicted, if the sidecar says it.
    trained_on : frozenset of str
        The runs that the model was trained on, as far as their messages say so.
    content : mapping of str to Content, optional
        What was read of each run, if the sidecar says it; None for predictions in memory.
    calls : array of shape (R, K), optional
        1 where the family is called present, 0 where absent, NaN without a call.
    """

    source: str
    runs: tuple[str, ...]
    families: tuple[str, ...]
    probability: Floats
    failed: Mapping[str, str] = field(default_factory=dict)
    prevalence: Mapping[str, float] | None = None
    model_sha256: str | None = None
    trained_on: frozenset[str] = frozenset()
    content: Mapping[str, Content] | None = None
    calls: Floats | None = None

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, source: str = IN_MEMORY) -> Predictions:
        """Take a table from `gale.Model.predict`, or a plain one; `source` names it in messages.

        A plain table has a column ``run`` or ``sample_id``, and one for each family.

        Raises
        ------
        TableError
            If it has other columns, a run twice, or a probability that is not a number from 0 to 1.
        """
        frame = _with_header(frame, source)
        names = [name for name in frame.columns if name not in (*HEADER, UNLIKE)]
        spreads, calls = ({name + end for name in names} & set(names) for end in (SPREAD, CALL))
        families = [name for name in names if name not in spreads | calls]
        for family in families:
            kind, is_family = frame.schema[family], not spreads or family + SPREAD in spreads
            if not (is_family and (kind.is_numeric() or kind == pl.Null)):
                raise TableError(
                    source,
                    f"has a column {shown(family)} of type {kind}"
                    + ("" if is_family else f" without {shown(family + SPREAD)}"),
                    "numbers from 0 to 1 for each family, and nothing else",
                    "drop the column",
                )
            if not frame[family].drop_nulls().drop_nans().is_between(0, 1).all():
                raise TableError(
                    source,
                    f"has values in the column {shown(family)} that are not from 0 to 1",
                    "probabilities",
                    "drop the column if it is no family",
                )
        failed = frame.filter(status="failed")
        return cls(
            source=source,
            runs=tuple(frame["run"]),
            families=tuple(families),
            probability=frame.select(pl.col(families).fill_null(math.nan)).to_numpy(),
            failed=dict(zip(failed["run"], failed["message"], strict=True)),
            trained_on=runs_trained_on(frame.select("run", "message").iter_rows()),
            calls=_calls_of(frame, families, source) if calls else None,
        )


def _with_header(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    """Name the column of the runs ``run``, and add those of status and message where missing."""
    of_runs = [name for name in frame.columns if is_run_column(name)]
    if len(of_runs) != 1:
        raise TableError(
            source,
            f"has {'several columns' if of_runs else 'no column'} of runs",
            f"a column {' or '.join(RUN_COLUMNS)}, then one for each family",
            "pass what Model.predict gives, or gale.read_predictions(file) for a file",
        )
    frame = frame.rename({of_runs[0]: HEADER[0]}).with_columns(
        pl.lit(value, dtype=pl.String).alias(name)
        for name, value in zip(HEADER[1:], (OK, None), strict=True)
        if name not in frame.columns
    )
    for name in HEADER:
        kind = frame.schema[name]
        if not (kind in TEXTS or (name == HEADER[0] and kind.is_integer())):
            raise TableError(source, f"has a column {name} of type {kind}", "texts")
    frame = frame.with_columns(pl.col(HEADER).cast(pl.String))
    runs = frame[HEADER[0]]
    unnamed = runs.is_null() | (runs == "")
    if unnamed.any() or runs.is_duplicated().any():
        row = int((unnamed | runs.is_duplicated()).arg_max() or 0)
        found = "no name" if unnamed[row] else f"{shown(runs[row])}, as in another row"
        raise TableError(f"{source}: row {row}", f"has {found}", "every run once, with its name")
    said = frame["status"].drop_nulls().unique().to_list()
    if wrong := [each for each in said if each not in (OK, DOUBTFUL, FAILED)]:
        raise TableError(
            source, f"has the status {shown(wrong[0])}", f"{OK}, {DOUBTFUL} or {FAILED}"
        )
    return frame


@checked
def read_predictions(path: Path | str | Tabular) -> Predictions:
    """Read predictions in either layout that gale writes, with their sidecar if there is one.

    The file is CSV, Parquet or a workbook; its content decides, not its name. A table has the
    columns ``run,status,message``, optionally ``unlike``, then one per family, then optionally
    ``<family>_spread`` for each, and ``<family>_call``, which is ``yes``, ``no`` or blank;
    ``unlike`` and spreads are ignored. Numbers are blank in rows with the status ``failed``. A
    table in memory, of polars, pandas or any other library that speaks Arrow, or a list of them,
    has the same columns, of which ``status`` and ``message`` may be missing. A
    submission has the column ``sample_id``, then one per
    family. The :func:`sidecar` has the training prevalence of each family.

    Raises
    ------
    TableError
        With all problems found: other columns, a repeated or blank run or family, a status that is
        neither ``ok`` nor ``failed``, a probability that is not a number from 0 to 1, another call,
        a failed row with numbers, a sidecar of another table, or a file that cannot be read.

    Examples
    --------
    >>> import tempfile, polars as pl
    >>> from gale import read_predictions
    >>> table = pl.DataFrame({"sample_id": ["S1", "S2"], "alcohol": [0.8, 0.3]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table.write_csv(f"{folder}/submission.csv")
    ...     predictions = read_predictions(f"{folder}/submission.csv")
    >>> predictions.runs, predictions.families, predictions.probability.tolist()
    (('S1', 'S2'), ('alcohol',), [[0.8], [0.3]])
    """
    if not isinstance(path, str | Path):
        return Predictions.from_frame(frame_of(path, IN_MEMORY))
    path = Path(path)
    problems = Problems(TableError)
    table, beside = read_table(path, problems), _read_sidecar(path)
    families = () if table is None else _family_columns(table, beside, problems)
    problems.check()
    assert table is not None

    table.check_names(0, problems)
    first = table.columns.index(families[0])
    failed = _failed_rows(table, problems) if first >= len(HEADER) else {}
    probability = [
        [
            _probability(table, number, column, number in failed, problems)
            for column in range(first, first + len(families))
        ]
        for number in table.rows
    ]
    named = families[0] + CALL
    first_call = table.columns.index(named) if named in table.columns else 0
    calls = [
        [_call(table, number, column, problems) for column in range(first_call, len(table.columns))]
        for number in table.rows
        if first_call
    ]
    problems.check()
    return Predictions(
        source=str(path),
        runs=tuple(cells[0] for cells in table.rows.values()),
        families=families,
        probability=np.array(probability),
        failed={table.rows[number][0]: message for number, message in failed.items()},
        prevalence=None if beside is None else beside.prevalence,
        model_sha256=None if beside is None else beside.model_sha256,
        trained_on=runs_trained_on(
            (cells[0], cells[2]) for cells in table.rows.values() if first > len(SUBMISSION_HEADER)
        )
        | (frozenset() if beside is None else beside.trained_on),
        content={} if beside is None else beside.content,
        calls=np.array(calls) if first_call else None,
    )


def runs_trained_on(rows: Iterable[tuple[str, str | None]]) -> frozenset[str]:
    """Return the runs whose message says that the model was trained on them."""
    return frozenset(run for run, message in rows if message and TRAINED_ON in message)


def sidecar(path: Path) -> Path:
    """Return the path of the sidecar: that of the predictions, with .json instead of .csv."""
    return path.parent / (path.name.removesuffix(".csv") + ".json")


SIDECAR_FILE = 'the sidecar of predictions, with "families" and "prevalence"'
MOVE_AWAY = "move the file away if it is something else, or predict again"
SIDECAR = schema.Table(
    {"families": schema.ListOf(schema.NAME), "prevalence": schema.ListOf(schema.number(0, 1))},
    {
        "gale_version": schema.TEXT,
        "created": schema.NAME,
        "model": schema.TEXT,
        "model_sha256": schema.TEXT,
        "table_sha256": schema.TEXT,
        "recipe": schema.TEXT,
        "calibrated": schema.YES_NO,
        "notes": schema.ListOf(schema.TEXT),
        "runs": schema.whole(),
        "trained_on": schema.ListOf(schema.TEXT),
        "doubtful": schema.ListOf(schema.TEXT),
        "failed": schema.ListOf(schema.TEXT),
        "cutoffs": schema.PLAIN_TABLE,
        "libraries": schema.ListOf(schema.Table({"name": schema.TEXT, "sha256": schema.TEXT})),
        "content": schema.ListOf(
            schema.Table(
                {"run": schema.TEXT, "file": schema.TEXT, "sha256": schema.TEXT},
                {"content": schema.TEXT},
            )
        ),
    },
)


@dataclass(frozen=True)
class Sidecar:
    """What the sidecar of a table of predictions says of the model."""

    path: Path
    prevalence: Mapping[str, float]
    model_sha256: str | None
    trained_on: frozenset[str]
    content: Mapping[str, Content]


def _family_columns(table: Table, beside: Sidecar | None, problems: Problems) -> tuple[str, ...]:
    """Return the families; a table of neither layout is a problem and has none."""
    for header in ((*HEADER, UNLIKE), HEADER, SUBMISSION_HEADER):
        if table.columns[: len(header)] == header:
            break
    else:
        problems.add(
            table.path,
            f"found the columns {shown(','.join(table.columns))}",
            f"{','.join(HEADER)} or {','.join(SUBMISSION_HEADER)}, then one column for each family",
            "give a file of predictions that gale wrote",
            row=1,
        )
        return ()
    rest = table.columns[len(header) :]
    known = {name + end for name in rest for end in (SPREAD, CALL)}
    others = dict.fromkeys(name for name in rest if name in known)
    families = tuple(name for name in rest if name not in others)
    spreads, calls = (tuple(family + end for family in families) for end in (SPREAD, CALL))
    if not families:
        problems.add(table.path, "found no family columns", "one for each family", row=1)
    elif rest[len(families) :] not in ((), spreads, calls, spreads + calls):
        problems.add(
            table.path,
            f"found the columns {shown(','.join(others))} among the families",
            "the families, then for each in the same order its spread, or no spreads, and so its "
            "call",
            "remove columns that are no families",
            row=1,
        )
    elif beside and (unknown := [name for name in families if name not in beside.prevalence]):
        problems.add(
            table.path,
            f"found {listed(map(shown, unknown), 3)}, which the model has no families for",
            f"those that {beside.path} names: {listed(beside.prevalence, 3)}",
            "remove the columns, or move the JSON file away if it is of other predictions",
            row=1,
        )
    return families


def _failed_rows(table: Table, problems: Problems) -> dict[int, str]:
    """Return the numbers of the failed rows and their messages."""
    for number, cells in table.rows.items():
        if cells[1] not in (OK, DOUBTFUL, FAILED):
            expected = f"{OK}, {DOUBTFUL} or {FAILED}"
            table.note(problems, number, 1, f"found {shown(cells[1])}", expected)
    return {number: cells[2] for number, cells in table.rows.items() if cells[1] == "failed"}


def _probability(table: Table, number: int, column: int, failed: bool, problems: Problems) -> float:
    cell = table.rows[number][column]
    value = _number(cell)
    if not (cell == "" if failed else 0 <= value <= 1):
        expected = "a blank, since the row failed" if failed else "a number from 0 to 1"
        table.note(problems, number, column, f"found {shown(cell)}", expected)
    return value


CALLS = {YES: 1.0, NO: 0.0, "": math.nan, None: math.nan}


def _call(table: Table, number: int, column: int, problems: Problems) -> float:
    cell = table.rows[number][column]
    if cell not in CALLS:
        table.note(problems, number, column, f"found {shown(cell)}", f"{YES}, {NO} or a blank")
    return CALLS.get(cell, math.nan)


def _calls_of(frame: pl.DataFrame, families: Sequence[str], source: str) -> Floats:
    """Take the calls (R, K) of a table; without a column, a family has none."""
    calls = np.full((len(frame), len(families)), np.nan)
    for at, family in enumerate(families):
        cells = frame[family + CALL].to_list() if family + CALL in frame.columns else []
        for row, cell in enumerate(cells):
            if cell not in CALLS:
                raise TableError(
                    source,
                    f"has {cell!r} in the column {shown(family + CALL)}",
                    f"{YES}, {NO} or null",
                    "drop the column if it has no calls",
                )
            calls[row, at] = CALLS[cell]
    return calls


def _number(cell: str) -> float:
    try:
        return float(decimal_point(cell))
    except ValueError:
        return math.nan


def sidecar_facts(table: Path) -> dict[str, Any] | None:
    """Read what the sidecar of a table of predictions says, None where there is none.

    One that says which table it is of belongs to no other; older ones do not say it.

    Raises
    ------
    TableError
        If it cannot be read, or belongs to another table.
    """
    path = sidecar(table)
    if not exists(path):
        return None
    try:
        facts = schema.read_json(read_text(path))
    except (OSError, ValueError) as error:
        raise TableError(path, f"is no JSON ({error})", SIDECAR_FILE, MOVE_AWAY) from error
    schema.check_schema(facts, SIDECAR, str(path), TableError, place="", remedy=MOVE_AWAY)
    if len(facts["families"]) != len(facts["prevalence"]):
        raise TableError(path, "has no prevalence for each family", SIDECAR_FILE, MOVE_AWAY)
    written = facts.get("table_sha256")
    if written is not None and exists(table) and written != sha256_of_table(table):
        raise TableError(
            path,
            f"is not of {table.name} as it is: that was changed, or belongs to other predictions",
            "the sidecar that was written with the table",
            "predict again, or move the JSON file away",
        )
    return cast("dict[str, Any]", facts)


def _read_sidecar(table: Path) -> Sidecar | None:
    """Read of the sidecar of a table what evaluation needs."""
    facts = sidecar_facts(table)
    if facts is None:
        return None
    prevalence = dict(zip(facts["families"], map(float, facts["prevalence"]), strict=True))
    trained_on = frozenset(facts.get("trained_on", ()))
    content = {
        each["run"]: Content(each["file"], each["sha256"], each.get("content", ""))
        for each in facts.get("content", ())
    }
    return Sidecar(sidecar(table), prevalence, facts.get("model_sha256"), trained_on, content)

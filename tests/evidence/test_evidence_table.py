"""The evidence of many runs as one table, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gale
from gale.errors import ModelError, OutputError, ReadError
from gale.evidence import SCHEMA, explain
from gale.evidence.table import DECIMALS, evidence_table, write_evidence
from gale.matching import IndexTable, Matcher
from gale.plumbing.work import Work
from helpers.errors import refused
from helpers.training import Recorder, Trained

pytestmark = pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")


def test_the_rows_are_those_of_each_run(
    trained: Trained, campaign: gale.Campaign, runs: list[Path]
) -> None:
    recorder = Recorder()
    table = evidence_table(trained.model, runs, work=Work(progress=recorder))
    alone = [explain(trained.model, gale.read_run(run)) for run in runs]
    assert_frame_equal(table, pl.concat(alone))
    assert recorder.steps == {"looking for evidence": 3}
    chosen = campaign.of_split("test").select([0, 1, 2])
    named = evidence_table(trained.model, chosen)
    assert named["run"].unique(maintain_order=True).to_list() == list(chosen.runs)
    assert_frame_equal(named.drop("run"), table.drop("run"))
    assert_frame_equal(evidence_table(trained.model, gale.read_run(runs[0])), alone[0])
    assert list(evidence_table(trained.model, []).schema.values()) == list(SCHEMA.values())
    assert trained.model.number == "score"
    assert evidence_table(trained.model, []).columns == alone[0].columns
    assert {*alone[0].columns} ^ {*SCHEMA} == {"probability", "score"}


def test_a_run_that_cannot_be_read(trained: Trained, runs: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.touch()
    recorder = Recorder()
    table = evidence_table(trained.model, [bad, runs[0]], work=Work(progress=recorder))
    assert set(table["run"]) == {str(runs[0])}
    assert [str(bad) in note for note in recorder.notes] == [True]
    with refused(ReadError, bad):
        evidence_table(trained.model, [bad], work=Work(strict=True))


def test_a_library_is_for_models_with_an_elution_network(
    trained: Trained, runs: list[Path]
) -> None:
    with refused(ModelError, trained.model.source):
        evidence_table(trained.model, runs, matcher=Matcher.default())


def test_the_file(stack: gale.Model, runs: list[Path], tmp_path: Path) -> None:
    table = evidence_table(stack, runs, least=0.0)
    write_evidence(table, tmp_path / "e.csv")
    read = pl.read_csv(tmp_path / "e.csv", schema=SCHEMA)
    assert_frame_equal(read, table, abs_tol=0.5 * 10**-DECIMALS, rel_tol=0)
    with refused(OutputError, tmp_path / "e.csv"):
        write_evidence(table, tmp_path / "e.csv")
    write_evidence(table, tmp_path / "e.csv", force=True)


def test_names_of_compounds_that_are_formulas(tmp_path: Path) -> None:
    """Names by which tables are joined stay, and so do numbers."""
    names = ["=1+1", "-pinene", "(-)-menthol", None]
    table = pl.DataFrame({"run": ["=1.csv"] * 4, "compound": names, "index": [-1.5] * 4})
    write_evidence(table, tmp_path / "e.csv")
    read = pl.read_csv(tmp_path / "e.csv")
    assert read["compound"].to_list() == ["'=1+1", "'-pinene", "(-)-menthol", None]
    assert read.drop("compound").equals(table.drop("compound"))


@pytest.mark.slow
def test_an_index_table_outside_the_runs_is_told(stack: gale.Model, runs: list[Path]) -> None:
    index = IndexTable(np.array([180.0, 280.0]), np.array([500.0, 1500.0]), "alkanes.csv")
    recorder = Recorder()
    evidence_table(stack, runs[:2], index=index, work=Work(progress=recorder))
    assert ["alkanes.csv: none of its times" in note for note in recorder.notes] == [True] * 2
    page = gale.run_report(stack, gale.read_run(runs[0]), index=index)
    assert "alkanes.csv: none of its times" in page


@pytest.mark.parametrize("columns", [None, {"time_min": "RT", "mz": "m/z", "intensity": "counts"}])
def test_names_of_columns(
    columns: dict[str, str] | None, trained: Trained, runs: list[Path], tmp_path: Path
) -> None:
    named = tmp_path / "a.csv"
    data = runs[0].read_text("utf-8")
    if columns:
        data = data.replace("time,mass,intensity", "RT,m/z,counts")
    named.write_text(data, "utf-8")
    table = evidence_table(trained.model, named, work=Work(columns=columns))
    assert_frame_equal(table.drop("run"), evidence_table(trained.model, runs[0]).drop("run"))

"""The page of a training: its numbers are those of the predictions, labels and truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.evaluation.second_look import second_look
from gale.evaluation.text import share_text
from gale.model.cutoffs import measured_cutoffs
from gale.plumbing.text import in_words
from gale.report.scored import BASELINE, MODEL, PRIOR, Scored
from gale.report.second_look import second_looks
from gale.report.training_page import _label_sets, label_grids, training_page
from helpers.html_pages import parsed, text

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def known(campaign: gale.Campaign) -> gale.Campaign:
    return campaign.of_split("train", "val")


def out_of_fold(stack_file: Path) -> pl.DataFrame:
    file = stack_file.with_name("stack.out_of_fold.csv")
    return pl.read_csv(file, schema_overrides={"message": pl.String})


@pytest.fixture(scope="module")
def scored(known: gale.Campaign, stack: gale.Model, stack_file: Path) -> Scored:
    table = out_of_fold(stack_file)
    both = {MODEL: table, BASELINE: table}
    return Scored.of("{n_runs} runs", "they chose", known, both, stack.prevalence)


@pytest.fixture(scope="module")
def page(campaign: gale.Campaign, stack: gale.Model, stack_file: Path, scored: Scored) -> Any:
    test = campaign.of_split("test")
    predictions = {MODEL: stack.predict(test)}
    tested = Scored.of("{n_runs} test runs", "nothing", test, predictions, stack.prevalence)
    return parsed(
        training_page(
            campaign, stack, scored, test=tested,
            history=pl.read_csv(stack_file.with_name("stack.history.csv")),
            truth=pl.read_parquet(campaign.root / "truth.parquet"),
        )
    )  # fmt: skip


def test_out_of_fold_predictions_are_those_that_were_scored(
    scored: Scored, stack: gale.Model
) -> None:
    assert len(scored.runs) == 84
    assert scored.scores[MODEL].mean["log_loss"].value == pytest.approx(
        stack.facts["scores"]["log_loss"], abs=1e-6
    )


@pytest.mark.usefixtures("few_listed")
def test_runs_that_cannot_be_scored_are_named(
    known: gale.Campaign, stack: gale.Model, stack_file: Path
) -> None:
    table = out_of_fold(stack_file)
    numbers = [pl.when(pl.col("run") == known.runs[1]).then(None).otherwise(name).alias(name)
               for name in stack.families]  # fmt: skip
    failed = table.with_columns(
        *numbers,
        status=pl.when(pl.col("run") == known.runs[1]).then(pl.lit("failed")).otherwise("status"),
        message=pl.when(pl.col("run") == known.runs[1]).then(pl.lit("is odd")),
    )
    both = {MODEL: failed, BASELINE: table.filter(pl.col("run") != known.runs[3])}
    found = Scored.of("{n_runs} runs", "", known, both, stack.prevalence)
    assert found.where == "82 runs"
    assert found.left_out == {
        known.runs[1]: "this model: is odd", known.runs[3]: "logistic regression: not predicted"
    }  # fmt: skip
    assert {values.shape for values in found.probabilities.values()} == {(82, 9)}
    assert known.runs[1] not in found.runs
    page = parsed(training_page(known, stack, found))
    assert f"{known.runs[1]} (this model: is odd); {known.runs[3]} (logistic" in text(page)


def test_scores_beside_the_prior_and_the_baseline(page: Any, scored: Scored) -> None:
    tables = page.xpath("//h2[@id='scores']/following-sibling::div//table")[:2]
    on_test, on_known = (
        [[text(cell) for cell in row.xpath("./th|./td")] for row in table.xpath("./tbody/tr")]
        for table in tables
    )
    assert [row[0] for row in on_test] == [MODEL, PRIOR]
    assert [row[0] for row in on_known] == [MODEL, BASELINE, PRIOR]
    assert on_known[0][1].startswith(f"{scored.scores[MODEL].mean['log_loss'].value:.3f} [")
    assert on_known[0][2] == ""
    assert on_known[1][2] == "+0.000 [+0.000, +0.000]", "the same predictions"
    difference = float(scored.differences[PRIOR].value)
    assert on_known[2][2].startswith(f"{difference:+.3f} [".replace("-", "−"))
    assert on_known[2][4] == "0.500"


def test_cutoffs(page: Any, stack: gale.Model) -> None:
    (table,) = page.xpath("//h2[@id='cut-offs']/following::table[1]")
    cells = [[cell.text_content() for cell in row] for row in table.xpath(".//tbody/tr")]
    rows = list(measured_cutoffs(stack.facts))
    assert len(cells) == len(rows)
    for found, row in zip(cells, rows, strict=True):
        assert found[1:3] == [f"{row.positive:,}", row.aim]
        if row.threshold is None:
            assert found[3:] == [row.why]
        else:
            shares = [share_text(row.precision), share_text(row.recall)]
            assert found[3:] == [f"{row.threshold:.3g}", *shares]
    assert {row.threshold is None for row in rows} == {True, False}


def test_all_charts_are_there(page: Any) -> None:
    shown = page.xpath("//*[name()='svg']/@aria-label")
    assert shown == [
        "scores of each family", "reliability diagrams", "ROC and precision-recall curves",
        "families found by abundance", "label correlations", "learning curves",
    ]  # fmt: skip


def test_legends_are_above_the_charts(page: Any) -> None:
    legends = [[text(each) for each in legend] for legend in page.xpath("//ul[@class='legend']")]
    assert legends == [
        ["this model", "training prevalence"], ["this model"],
        ["share predicted with 0.5 or more", "mean prediction"],
        ["validation log loss", "training loss"],
    ]  # fmt: skip
    assert page.xpath("//ul[@class='legend']//path/@style")[0].startswith("stroke: var(--base)")


def test_where_it_comes_from(page: Any, stack: gale.Model) -> None:
    facts = {text(name): text(name.getnext()) for name in page.xpath("//dl/dt")}
    assert facts["model file"].endswith(f"SHA-256 {stack.sha256}")
    assert facts["seed"] == str(stack.facts["seed"])


def test_the_data(page: Any, known: gale.Campaign) -> None:
    table = page.xpath("//h2[@id='data']/following-sibling::div//table")[0]
    rows = [[text(cell) for cell in row.xpath("./th|./td")] for row in table.xpath("./tbody/tr")]
    train, val = known.of_split("train"), known.of_split("val")
    assert rows == [
        [
            in_words(family),
            f"{int(train.labels[:, at].sum())}", f"{train.labels[:, at].mean():.3f}", "0",
            f"{int(val.labels[:, at].sum())}", f"{val.labels[:, at].mean():.3f}", "0",
        ]
        for at, family in enumerate(known.families)
    ]  # fmt: skip
    sets = page.xpath("//h2[@id='data']/following-sibling::div//table")[1]
    first = [text(cell) for cell in sets.xpath("./tbody/tr")[0].xpath("./td")]
    none = [int((each.labels.sum(axis=1) == 0).sum()) for each in (train, val)]
    assert ["no family", *map(str, none)] in [
        [text(cell) for cell in row.xpath("./td")] for row in sets.xpath("./tbody/tr")
    ]
    assert int(first[1]) + int(first[2]) >= sum(none)


def test_the_runs_that_are_most_wrong(
    page: Any, campaign: gale.Campaign, stack: gale.Model
) -> None:
    test = campaign.of_split("test")
    p = stack.predict(test).select(stack.families).to_numpy()
    loss = -np.log(np.where(test.labels == 1, p, 1 - p)).mean(axis=1)
    rows = page.xpath("//h2[@id='wrong']/following-sibling::div[1]//tbody/tr")
    opposite = ((p > 0.5) != (test.labels == 1)).any(axis=1)
    worst = [at for at in np.argsort(-loss) if opposite[at]][:20]
    assert len(rows) == len(worst) > 0
    assert [text(row.xpath("./th")[0]) for row in rows[:5]] == [test.runs[at] for at in worst[:5]]
    assert text(rows[0].xpath("./td")[0]) == f"{loss[worst[0]]:.2f}"
    assert "labelled" in text(rows[0])


def test_labels_worth_a_second_look(
    page: Any, campaign: gale.Campaign, stack: gale.Model, scored: Scored
) -> None:
    each, share = scored, scored.labels.mean(axis=0)
    table = second_look(each.runs, each.families, each.labels, each.probability, share)
    expected = table.filter(pl.col("disagreement") > 0)[:30]
    rows = page.xpath("//h2[@id='second-look']/following-sibling::div[1]//tbody/tr")
    assert [text(row.xpath("./th")[0]) for row in rows] == expected["run"].to_list()
    found = second_looks(campaign, stack, each, 2)
    assert len(found) == 2
    for label, row in zip(found, rows, strict=False):
        assert label.window is not None
        assert label.window.family == label.family
        assert f"{label.window.apex_min:.2f} min" in text(row)
        keys = [text(each) for each in row.xpath(".//code")]
        assert keys == [each.inchikey for each in label.window.matches[:1] if each.inchikey]


def test_label_grids() -> None:
    campaign = small(np.array([[1, 0, 1], [0, 1, 1], [1, np.nan, 1], [0, 1, 1]]), "train")
    grids = label_grids(campaign)
    assert list(grids) == ["train"]
    np.testing.assert_allclose(
        grids["train"], [[1, -1, np.nan], [-1, 1, np.nan], [np.nan] * 3], atol=1e-12
    )
    unknown = small(np.array([[1, np.nan, 1], [0, 0, 0], [0, 0, 0]]), "train")
    assert _label_sets(unknown) == [{"families": (), "train": 2, "val": 0}]
    both = small(np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]] * 2), "train", "val")
    assert list(label_grids(both)) == ["train", "val", "val − train"]


def small(labels: np.ndarray, *splits: str) -> gale.Campaign:
    n_runs = len(labels)
    names = tuple(f"r{at}" for at in range(n_runs))
    return gale.Campaign(
        root=Path("x"), runs=names, paths=tuple(map(Path, names)),
        split=tuple(np.repeat(splits, n_runs // len(splits))), families=("a", "b", "c"),
        labels=labels.astype(np.float32), derivatized=np.full(n_runs, np.nan, np.float32),
        group=(None,) * n_runs, checksums=(None,) * n_runs,
    )  # fmt: skip


@pytest.mark.usefixtures("few_listed")
def test_without_test_history_and_truth(
    known: gale.Campaign, stack: gale.Model, scored: Scored
) -> None:
    alone = {name: each for name, each in scored.probabilities.items() if name != BASELINE}
    bare = replace(scored, probabilities=alone)
    page = parsed(training_page(known, stack, bare))
    shown = page.xpath("//*[name()='svg']/@aria-label")
    assert "learning curves" not in shown
    assert len(shown) == 4
    assert "84 runs; they chose" in text(page)

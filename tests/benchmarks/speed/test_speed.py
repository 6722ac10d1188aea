"""benchmarks.speed: ways take turns, agree with each other, and are set beside floors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gale
from benchmarks.speed import features, fitting, rover, stored_features, whole_graph, workers
from benchmarks.speed.timing import in_turn
from gale.training.networks.layers import Dense
from helpers.benchmark_runs import rows_of


def test_ways_take_turns() -> None:
    order: list[str] = []

    def way(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = in_turn({"a": lambda: way("a"), "b": lambda: way("b")}, 3)
    assert order == ["a", "b"] * 3
    assert found == {"a": [1, 3, 5], "b": [2, 4, 6]}


def test_pandas_gives_the_features_of_gale(campaign: gale.Campaign) -> None:
    path = campaign.paths[0]
    for other in (features.featurise_pandas, features.featurise_pandas_grouped):
        np.testing.assert_allclose(other(path), features.featurise_gale(path), atol=1e-5)


@pytest.mark.slow
def test_the_table_of_features(campaign: gale.Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    features.main([str(campaign.paths[0]), "--repeats", "1"])
    rows = rows_of(capsys.readouterr().out)
    assert set(features.WAYS) <= rows.keys()
    assert rows["parse with polars alone"][1] == "1.00"


def test_floors_count_the_products_of_the_published_network() -> None:
    network = fitting.build(torch.float32, [0], [torch.Generator()])
    sizes = [layer.n_in * layer.n_out for layer in network.modules() if isinstance(layer, Dense)]
    assert sizes == [2268 * 1024, 1024 * 512, 512 * 9]
    training, validation = fitting.operations()
    (rows, held_out), *_ = reversed(fitting.make_folds())
    assert len(rows) + len(held_out) == fitting.N_RUNS
    assert validation == 2 * len(held_out) * sum(sizes)
    assert 2 * len(rows) * 2 * sum(sizes) < training < 2 * len(rows) * 3 * sum(sizes)


def test_whole_graphs_beside_the_python_way(
    campaign: gale.Campaign, stack_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole_graph.main([str(stack_file), *map(str, campaign.paths[:2]), "--repeats", "1"])
    rows = rows_of(capsys.readouterr().out)
    assert {"Python", "whole graph", "whole graph, 8 bits"} <= rows.keys()
    assert float(rows["whole graph"][3]) < 1e-5
    assert float(rows["whole graph"][3]) < float(rows["whole graph, 8 bits"][3]) < 0.1


def test_features_by_several_workers() -> None:
    measured = {"this process": [(9.0, 9.0), (2.0, 1.0)], "2 workers": [(9.0, 9.0), (1.0, 0.1)]}
    rows = {name: cells for name, *cells in workers.table(measured, 10)}
    assert rows["this process"] == ["5.0", "1.00", "100.00"]
    assert rows["2 workers"] == ["10.0", "2.00", "10.00"]


def test_how_often_features_are_in_memory(tmp_path: Path) -> None:
    stored_features.make_campaign(tmp_path / "campaign", 120)
    made = gale.Campaign.open(tmp_path / "campaign")
    assert len(made) == 120
    made.check_trainable()
    assert gale.read_run(made.paths[0]).notes == ()
    measured = {"train": [(10.0, 500.0), (100.0, 800.0)]}
    rows = stored_features.table(measured, [1000, 10_000], more=200.0)
    assert rows[1:] == [["train", "10", "500", "100", "800", "1.50"]]


LISTED = """
1,000 (100.0%)  PROGRAM TOTALS
  610 (61.00%)  ???:(anonymous namespace)::read_csv(std::string const&) [/tmp/predict]
1,220 (9.00%)  ???:(anonymous namespace)::Whole::Whole(std::string const&) [/tmp/predict]
   90 (9.00%)  ???:(anonymous namespace)::Whole::predict((anonymous namespace)::Run&) [/tmp/predict]
"""


def test_instructions_are_told_by_what_they_are_for() -> None:
    expected = {"reading the CSV": 610, "opening": 1220, "prediction": 90, "all": 1000}
    assert rover.of_functions(LISTED) == expected
    with pytest.raises(SystemExit, match="no Whole::predict"):
        rover.of_functions(LISTED.replace("predict(", "other("))


def test_seconds_of_flight_computers() -> None:
    counts = {"reading the CSV": 0, "opening": 0, "prediction": 100_000_000, "all": 0}
    table = rover.seconds({"flight": rover.Taken(0.6, 53, 29, counts)})
    assert table[1] == ["flight", "0.50", "4.00", "0.10", "0.80"]
    assert len(table[0]) == 5

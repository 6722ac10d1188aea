"""The distance from the training runs: against an oracle, in the graph, and of strange runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

import gale
from gale.errors import GaleWarning
from gale.features.profile import ProfileSpec
from gale.features.summary import SummarySpec
from gale.model import Model
from gale.model.unlike import fit_unlike, unlike
from gale.training.export import PartGraph, to_onnx
from gale.training.networks.layers import Dense
from helpers.graphs import FACTS, GENERATORS, N_FEATURES, SPEC, file_of, linear, output_of
from helpers.model_files import facts_of
from helpers.training import Array, Trained

BLOCKS = {"a": slice(0, 50), "b": slice(50, 57)}


def runs(count: int, seed: int, shift: float = 0.0, rise: float = 0.0) -> Array:
    """Runs of an instrument: a background of its own, a little noise, a few tall peaks."""
    rng = np.random.default_rng(seed)
    background = 0.3 + 0.2 * np.sin(np.arange(57) / 12 + shift) + rise
    noise = rng.normal(0, 0.03, (count, 57))
    peaks = rng.exponential(5, (count, 57)) * (rng.random((count, 57)) < 0.01)
    return (background + noise + peaks).astype(np.float32)


def slow_unlike(features: Array, training: Array, blocks: dict[str, slice]) -> Array:
    """The definition, one run, block and neighbour at a time."""

    def places(rows: Array, columns: slice) -> list[Array]:
        size = columns.stop - columns.start
        windows = np.array_split(np.arange(columns.start, columns.stop), max(1, round(size / 16)))
        soft = np.arcsinh(rows.astype(float) / 0.1)
        return [np.array([row[window].mean() for window in windows]) for row in soft]

    def mean_distance(place: Array, others: list[Array]) -> float:
        each = sorted(float(np.sqrt(((place - other) ** 2).sum())) for other in others)
        return float(np.mean(each[:5]))

    scores, alone = [], []
    for columns in blocks.values():
        known = places(training, columns)
        deviation = np.std(known, axis=0)
        deviation = deviation + 0.05 * np.sqrt((deviation**2).mean())
        known = [place / deviation for place in known]
        left_out = np.array(
            [mean_distance(known[at], known[:at] + known[at + 1 :]) for at in range(len(known))]
        )
        found = [mean_distance(place / deviation, known) for place in places(features, columns)]
        scores.append(np.array(found) / np.quantile(left_out, 0.95))
        alone.append(left_out / np.quantile(left_out, 0.95))
    return np.asarray(np.max(scores, axis=0) / np.quantile(np.max(alone, axis=0), 0.95))


def test_an_oracle() -> None:
    training, others = runs(40, 1), np.concatenate([runs(9, 2), runs(3, 3, shift=1), runs(40, 1)])
    found = unlike(others, fit_unlike(training, BLOCKS))
    np.testing.assert_allclose(found, slow_unlike(others, training, BLOCKS), rtol=1e-9)


@pytest.mark.parametrize("count", [2, 3, 5, 6, 60])
def test_the_graph_computes_the_same(count: int) -> None:
    training = runs(count, 1)
    blocks = fit_unlike(training, BLOCKS)
    strange = np.full((1, 57), 1e6, np.float32)
    others = np.concatenate([training, runs(20, 2), runs(5, 3, shift=2), 0 * strange, strange])
    part = PartGraph(Dense(57, 1, GENERATORS))
    found = output_of(to_onnx([part], 57, {}, unlike=blocks), "unlike", others)
    np.testing.assert_allclose(found, unlike(others, blocks), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_model_says_it(count: int) -> None:
    rng = np.random.default_rng(1)
    training = rng.random((30, N_FEATURES), np.float32)
    others = 2 * rng.random((count, N_FEATURES), np.float32)
    blocks = fit_unlike(training, SPEC.blocks)
    data = file_of([linear(1)], unlike=blocks)
    model = Model(data)
    found = output_of(data, "unlike", others)
    np.testing.assert_allclose(found, unlike(others, blocks), atol=1e-5)
    assert found.shape == (count,)
    expected = Model(file_of([linear(1)])).predict_features(others)
    for with_it, without in zip(model.predict_features(others), expected, strict=True):
        np.testing.assert_array_equal(with_it, without)


def test_one_in_twenty_training_runs_is_above_one() -> None:
    """Each of them scored as if it were no training run; and so are others of their kind."""
    training = runs(200, 1)
    blocks = fit_unlike(training, BLOCKS)
    alone = [
        unlike(
            training[at : at + 1],
            [replace(block, runs=np.delete(block.runs, at, axis=0)) for block in blocks],
        )
        for at in range(len(training))
    ]
    assert np.mean(np.array(alone) > 1) == pytest.approx(0.05)
    assert 0.01 < np.mean(unlike(runs(400, 2), blocks) > 1) < 0.12


def test_another_instrument_and_what_is_no_run() -> None:
    """They score higher than runs of the same instrument, whatever compounds these hold."""
    blocks = fit_unlike(runs(100, 1), BLOCKS)
    same = unlike(runs(100, 2), blocks)
    rich = runs(100, 2)
    rich[:, 20:23] += 20.0  # a compound that no training run holds
    strange = {
        "another background": runs(100, 3, shift=1.0),
        "more background": runs(100, 3, rise=0.3),
        "nothing": np.zeros((1, 57), np.float32),
        "noise": np.random.default_rng(4).exponential(5, (100, 57)).astype(np.float32),
    }
    for what, features in strange.items():
        found = unlike(features, blocks)
        assert found.min() > 1.2, what
        assert np.quantile(found, 0.05) > np.quantile(same, 0.95), what
    assert np.median(unlike(rich, blocks)) < unlike(strange["nothing"], blocks)[0]


@pytest.mark.parametrize("spec", [ProfileSpec(), SummarySpec()], ids=["profile", "summary"])
def test_the_blocks_of_features_cover_them(spec: ProfileSpec | SummarySpec) -> None:
    covered = [column for block in spec.blocks.values() for column in range(738 * 9)[block]]
    assert covered == list(range(spec.n_features))


def test_constant_features() -> None:
    """They say nothing of runs that have them, too, and something of all others."""
    training = runs(30, 1)
    training[:, BLOCKS["b"]] = 0.5
    blocks = fit_unlike(training, BLOCKS)
    others = runs(5, 2)
    others[:, BLOCKS["b"]] = 0.5
    only_a = fit_unlike(training, {"a": BLOCKS["a"]})
    np.testing.assert_allclose(unlike(others, blocks), unlike(others, only_a))
    others[:, BLOCKS["b"]] = 50
    assert unlike(others, blocks).min() > 3


def test_equal_training_runs() -> None:
    training = np.repeat(runs(1, 1), 8, axis=0)
    blocks = fit_unlike(training, BLOCKS)
    assert unlike(training, blocks) == pytest.approx(0)
    assert 0 < unlike(runs(1, 2), blocks)[0] < np.inf


def test_of_many_runs_some_are_kept() -> None:
    blocks = fit_unlike(runs(100, 1), BLOCKS, most_runs=40)
    assert [len(block.runs) for block in blocks] == [40, 40]
    assert np.median(unlike(runs(100, 2), blocks)) < 1


def test_a_trained_model_and_its_table(trained: Trained, campaign: gale.Campaign) -> None:
    model, chosen = trained.model, campaign.of_split("test")
    minutes = np.linspace(1, 9, 300)
    water = np.full(300, 18), 5 + minutes % 1
    blank = gale.Run.from_rows(minutes, *water, source="blank")
    paths = [*chosen.paths[:20], chosen.root / "absent.csv"]
    with pytest.warns(GaleWarning) as given:
        table = model.predict([*paths, blank])
    assert "1 of 22 runs failed" in str(given[0].message)
    assert table.columns[:4] == ["run", "status", "message", "unlike"]
    assert table["unlike"].is_null().to_list() == [False] * 20 + [True, False]
    assert 0 < table["unlike"][:20].median() < 1.5  # type: ignore[operator]
    assert table["unlike"][-1] > 2
    assert f"distance {table['unlike'][-1]:,.1f}" in table["message"][-1]
    for message, score in table.select("message", "unlike")[:20].iter_rows():
        assert ("training runs" in (message or "")) == (score > 2)


@pytest.mark.filterwarnings("ignore:.*trained on only")
def test_a_model_without_it() -> None:
    model = Model(file_of([linear(1)], {**FACTS, "columns": None}))
    with pytest.warns(GaleWarning, match="1 of 1 run doubtful"):
        table = model.predict(gale.Run.from_rows([1, 2], [10, 12], [5, 7]))
    assert table["status"].to_list() == ["doubtful"]
    assert table["unlike"].to_list() == [None]
    assert table["message"][0].startswith("the run has only 2 scans")


@pytest.mark.slow
def test_it_is_small(trained: Trained) -> None:
    """Many training runs add a megabyte at most, or hardly more."""
    rng = np.random.default_rng(1)
    for spec in (ProfileSpec(), SummarySpec()):
        blocks = fit_unlike(rng.random((2000, spec.n_features), np.float32), spec.blocks)
        part = PartGraph(Dense(spec.n_features, 1, GENERATORS))
        bare, full = (
            len(to_onnx([part], spec.n_features, {}, unlike=each)) for each in ((), blocks)
        )
        assert full - bare < 1.1e6, spec
    assert facts_of(trained.path.read_bytes())
    stored = {each.name for each in onnx.load(trained.path).graph.output}
    assert stored == {"probability", "member_probability", "unlike"}

"""The tables of benchmarks.ablation."""

from __future__ import annotations

from benchmarks.ablation.scores import Score, table


def test_the_table() -> None:
    scores = {
        "first": {"a": [Score(0.1, 0.01)], "b": [Score(0.2, 0.03)]},
        "second": {"a": [Score(0.11, 0.02)], "b": [Score(0.2, 0.02)]},
        "half": {"a": [Score(0.11, 0.02)], "b": [Score()]},
    }
    assert table(scores) == [
        ["log loss", "a", "b", "mean", "difference", "difference, %", "calibration error"],
        ["first", "0.1000", "0.2000", "0.1500", "", "", "0.020"],
        ["second", "0.1100", "0.2000", "0.1550", "+0.0050", "+5.0 ± 7.1", "0.020"],
        ["half", "0.1100", "-", "-", "-", "-", "-"],
    ]


def test_differences_are_paired_by_seed() -> None:
    scores = {
        "first": {"a": [Score(0.1, 0.0), Score(0.2, 0.0)], "b": [Score(0.3, 0.0), Score(0.4, 0.0)]},
        "better": {
            "a": [Score(0.09, 0.0), Score(0.19, 0.0)],
            "b": [Score(0.28, 0.0), Score(0.38, 0.0)],
        },
        "no seed": {"a": [Score(0.2, 0.0)], "b": [Score(0.4, 0.0)]},
    }
    _, first, better, no_seed = table(scores)
    assert first[3] == "0.2500 ± 0.0707"
    assert better[3:5] == ["0.2350 ± 0.0707", "-0.0150 ± 0.0000"]
    assert no_seed[3:5] == ["0.3000", "+0.0500 ± 0.0707"]

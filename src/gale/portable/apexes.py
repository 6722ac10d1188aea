"""Nodes of apex features: the profile of a run, and the spectra at its apexes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gale.features import apexes
from gale.features.apexes import BLOCK, LEVELS, ApexSpec
from gale.features.elution import ElutionSpec
from gale.model.graph import Graph
from gale.portable.elution import of_signal, seen_ions, signal_of
from gale.portable.ions import (
    SCAN,
    TIME,
    TO_THE_LAST,
    FeatureNodes,
    cast,
    cut,
    double,
    filled,
    median,
    sliding,
)

AFTER_ALL = 2**40
"""Place of the apexes that a run lacks: behind all others."""


@dataclass(frozen=True)
class Level:
    """Names of what the filter of one width finds at all places; score is of all ions together."""

    height: str
    ratio: str
    score: str


def apex_nodes(graph: Graph, spec: ApexSpec) -> FeatureNodes:
    """Write `ApexSpec.events_of`."""
    found, above, image = signal_of(graph, spec.profile.elution)
    profile = of_signal(graph, spec.profile, above, image)
    levels = _levels(graph, _signal(graph, spec.profile.elution))
    n_events, n_mz = spec.shape
    of_groups = [_apexes(graph, levels, *group) for group in apexes.groups_of(n_events)]
    places, spectra = (graph("Concat", *each, axis=0) for each in zip(*of_groups, strict=True))
    by_place = graph("TopK", places, [n_events], axis=0, largest=0, outputs=2)
    rows = graph("Gather", spectra, by_place)
    images = graph("Reshape", graph("Log", graph("Add", rows, 1.0)), [n_events * n_mz])
    vector = graph("Concat", profile, images, axis=0)
    place, together = graph("Gather", places, by_place), _together(graph)
    scan = graph("Add", graph("Mul", place, together), graph("Div", together, 2))
    times = graph("Gather", TIME, graph("Min", scan, _last_scan(graph)))
    known = graph("Less", place, AFTER_ALL)
    times = graph("Where", known, times, double(graph, float("nan")))
    return FeatureNodes(graph("Unsqueeze", vector, [0]), found, times)


def _signal(graph: Graph, spec: ElutionSpec) -> str:
    """Intensity of each m/z in each scan, (M, S), S a whole number of blocks."""
    ions, together = seen_ions(graph, spec), _together(graph)
    n_places = graph("Add", graph("Div", _last_scan(graph), together), 1)
    cells = graph(
        "ScatterElements",
        filled(graph, 0.0, graph("Mul", n_places, spec.n_mz), "float64"),
        graph("Add", graph("Mul", ions.channel, n_places), graph("Div", SCAN, together)),
        graph("Div", ions.relative, cast(graph, together, "float64")),
        reduction="add",
    )
    shape = graph("Concat", graph.constant([spec.n_mz]), n_places, axis=0)
    signal = cast(graph, graph("Reshape", cells, shape), "float32")
    lacking = graph("Mod", graph("Neg", n_places), BLOCK)
    ends = graph("Concat", graph.constant([0]), lacking, axis=0)
    return graph("Pad", signal, ends, "", [1], mode="edge")


def _together(graph: Graph) -> str:
    """How many scans are taken together, shape (1,)."""
    return graph("Add", graph("Div", _last_scan(graph), apexes.LONGEST), 1)


def _last_scan(graph: Graph) -> str:
    """The number of the last scan, shape (1,)."""
    return graph("Sub", graph("Shape", TIME), 1)


def _levels(graph: Graph, signal: str) -> list[Level]:
    """Filter a signal (M, S) at every width."""
    levels, scans = [], 1
    for sigma, factor in LEVELS:
        if factor > scans:
            signal = graph("Div", graph("Add", *_halves(graph, signal)), 2.0)
            scans = factor
        levels.append(_level(graph, signal, sigma, factor))
    return levels


def _halves(graph: Graph, signal: str) -> tuple[str, str]:
    """Every other place of a signal (M, S), beginning with the first and with the second."""
    first, second = (graph("Slice", signal, [start], [TO_THE_LAST], [1], [2]) for start in (0, 1))
    return first, second


def _level(graph: Graph, signal: str, sigma: float, factor: int) -> Level:
    kernel = apexes.kernel_of(sigma)
    height = _filtered(graph, signal, kernel)
    size = 2 * apexes.reach_of(sigma) + 1
    usual = _filtered(graph, signal, np.full(size, 1 / size, dtype=np.float32))
    ratio = graph("Div", height, graph("Sqrt", graph("Add", usual, 1.0)))
    length = cut(graph, graph("Shape", signal), 1, 2)
    looked_at = apexes.LOOKED_AT
    some = graph("Div", graph("Mul", np.arange(looked_at), graph("Sub", length, 1)), looked_at - 1)
    sampled = graph("Transpose", graph("Abs", graph("Gather", ratio, some, axis=1)), perm=[1, 0])
    noise = graph("Mul", median(graph, sampled, looked_at), apexes.TO_DEVIATION)
    noise = graph("Max", noise, float(apexes.least_noise(sigma, factor)))
    ratio = graph("Div", ratio, graph("Unsqueeze", noise, [1]))
    sure = graph("Relu", graph("Sub", ratio, apexes.LEAST_RATIO))
    score = graph("Sqrt", graph("ReduceSumSquare", sure, [0], keepdims=0))
    return Level(height, ratio, score)


def _filtered(graph: Graph, signal: str, kernel: np.ndarray) -> str:
    """Correlate each row of a signal (M, S) with a kernel; the ends are repeated."""
    half = len(kernel) // 2
    padded = graph("Unsqueeze", graph("Pad", signal, [half, half], "", [1], mode="edge"), [1])
    out = graph("Conv", padded, kernel[None, None], kernel_shape=[len(kernel)])
    return graph("Squeeze", out, [1])


def _apexes(graph: Graph, levels: list[Level], group: range, number: int) -> tuple[str, str]:
    """The places (number,) and spectra (number, M) of the highest apexes of a group of levels."""
    best = graph("Max", *[_spread(graph, levels[at].score, LEVELS[at][1]) for at in group])
    scores, scans, spectra = [], [], []
    for at in group:
        (sigma, factor), level = LEVELS[at], levels[at]
        reach = apexes.reach_of(sigma)
        blocks = graph("ReduceMax", graph("Reshape", best, [-1, factor]), [1], keepdims=0)
        around = sliding(graph, "Max", blocks, reach, reach)
        is_top = graph("GreaterOrEqual", level.score, graph("Mul", around, apexes.EQUAL))
        counts = graph("And", is_top, graph("Greater", level.score, apexes.LEAST_SCORE))
        scores.append(graph("Where", counts, level.score, -1.0))
        places = graph("Range", 0, graph("Size", level.score), 1)
        scans.append(graph("Add", graph("Mul", places, factor), factor // 2))
        spectra.append(_spectra(graph, level))
    score = graph("Pad", graph("Concat", *scores, axis=0), [0, number], -1.0)
    highest = [graph("TopK", score, [number], outputs=2, which=which) for which in (0, 1)]
    scan = graph("Pad", graph("Concat", *scans, axis=0), [0, number], AFTER_ALL)
    known = graph("Greater", highest[0], 0.0)
    scan = graph("Where", known, graph("Gather", scan, highest[1]), AFTER_ALL)
    rows = graph("Pad", graph("Concat", *spectra, axis=1), [0, number], 0.0, [1])
    chosen = graph("Transpose", graph("Gather", rows, highest[1], axis=1), perm=[1, 0])
    return scan, graph("Where", graph("Unsqueeze", known, [1]), chosen, 0.0)


def _spectra(graph: Graph, level: Level) -> str:
    """What each place of a level would be as an apex, (M, S')."""
    sure = graph("Clip", graph("Sub", level.ratio, apexes.LEAST_RATIO), 0.0, 1.0)
    weight = graph("Clip", graph("Sub", level.score, apexes.LEAST_SCORE), 0.0, 1.0)
    return graph("Mul", graph("Relu", level.height), graph("Mul", sure, weight))


def _spread(graph: Graph, score: str, factor: int) -> str:
    """The score of a level (S',) at each scan, (S,)."""
    columns = graph("Expand", graph("Unsqueeze", score, [1]), [1, factor])
    return graph("Reshape", columns, [-1])

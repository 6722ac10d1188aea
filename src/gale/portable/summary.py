"""Nodes of summary features: `gale.features.summary`, line by line."""

from __future__ import annotations

from gale.features.summary import BLOCKS, HELIUM, SummarySpec
from gale.model.graph import Graph
from gale.portable.ions import (
    INTENSITY,
    MZ,
    TO_THE_LAST,
    FeatureNodes,
    cast,
    cut,
    double,
    filled,
    rounded,
    total,
)


def summary_nodes(graph: Graph, spec: SummarySpec) -> FeatureNodes:
    """Write `SummarySpec.features_of`."""
    kept = list(spec.mz)
    shifted = [mz + 1 for mz in kept]
    size = max(*kept, HELIUM) + 3  # the last bin takes all m/z above
    mz, intensity = _in_range(graph, spec)
    mz_bin = graph("Min", mz, size - 1)
    largest = _scattered(graph, size, mz_bin, intensity, "max")
    time, height = _peaks(graph, mz, mz_bin, intensity, largest, size)

    light = graph("Not", graph("Equal", mz_bin, HELIUM))
    others = graph("Compress", mz_bin, light), graph("Compress", intensity, light)
    without_helium = double(graph, [float(mz != HELIUM) for mz in range(size)])
    largest = graph("Mul", largest, without_helium)
    mean, d1, d2, dd = _means(graph, *others, size)
    seen = graph("GreaterOrEqual", graph("Gather", height, [*kept, *shifted]), double(graph, 0.0))
    found = graph("ReduceMax", cast(graph, seen, "int64"), keepdims=0)
    highest = graph("Gather", largest, shifted)
    top = graph("ReduceMax", highest, keepdims=0)
    positive = graph("Greater", top, double(graph, 0.0))
    blocks = {
        "mean": _log1p(graph, graph("Gather", mean, shifted)),
        "d1": _signed_log(graph, graph("Gather", d1, shifted)),
        "time": graph("Gather", time, kept),
        "height": graph("Gather", height, kept),
        "d2": _signed_log(graph, graph("Gather", d2, shifted)),
        "relative": graph("Div", highest, graph("Where", positive, top, double(graph, 1.0))),
        "dd": _signed_log(graph, graph("Gather", dd, shifted)),
    }
    vector = graph("Concat", *[blocks[name] for name in BLOCKS], axis=0)
    features = graph("Unsqueeze", cast(graph, vector, "float32"), [0])
    return FeatureNodes(features, graph("Greater", found, 0))


def _in_range(graph: Graph, spec: SummarySpec) -> tuple[str, str]:
    """Write `rounded_ions`."""
    mz = rounded(graph, MZ)
    inside = graph("GreaterOrEqual", mz, 0 if spec.mz_min is None else spec.mz_min)
    if spec.mz_max is not None:
        inside = graph("And", inside, graph("LessOrEqual", mz, spec.mz_max))
    return graph("Compress", mz, inside), graph("Compress", INTENSITY, inside)


def _scattered(graph: Graph, size: int, places: str, values: str, how: str) -> str:
    """The sum or the largest of the values at each place, double precision; 0 without any."""
    zeros = filled(graph, 0.0, [size], "float64")
    return graph("ScatterElements", zeros, places, values, reduction=how)


def _peaks(
    graph: Graph, mz: str, mz_bin: str, intensity: str, largest: str, size: int
) -> tuple[str, str]:
    """Relative scan index and scaled log height of the first highest ion of each bin; else −1."""
    # as published, the last ion of a scan counts for the next one: a fall is at the ion before it
    fall = graph("Less", cut(graph, mz, 1, TO_THE_LAST), cut(graph, mz, 0, -1))
    falls = cast(graph, fall, "int64")
    scans = graph("CumSum", graph("Concat", falls, [0], axis=0), 0)
    n_falls = graph("Max", total(graph, falls), 1)
    row = graph("Range", 0, graph("Squeeze", graph("Shape", mz)), 1)
    is_highest = graph("Equal", intensity, graph("Gather", largest, mz_bin))
    candidate = graph("Where", is_highest, row, TO_THE_LAST)
    first = graph(
        "ScatterElements",
        filled(graph, TO_THE_LAST, [size], "int64"),
        mz_bin,
        candidate,
        reduction="min",
    )
    seen = graph("Less", first, TO_THE_LAST)
    scan = graph("Gather", scans, graph("Where", seen, first, 0))
    time = graph("Div", cast(graph, scan, "float64"), cast(graph, n_falls, "float64"))
    height = graph("Div", _log1p(graph, largest), double(graph, 10.0))
    none = double(graph, -1.0)
    return graph("Where", seen, time, none), graph("Where", seen, height, none)


def _means(graph: Graph, mz_bin: str, intensity: str, size: int) -> tuple[str, str, str, str]:
    """Write `_means` of `gale.features.summary`: I[i] and its differences to the rows before."""
    later = cut(graph, mz_bin, 2, TO_THE_LAST)
    here, one_before, two_before = (
        _scattered(graph, size, later, cut(graph, intensity, 2 - lag, -lag or TO_THE_LAST), "add")
        for lag in range(3)
    )
    d1 = graph("Sub", here, one_before)
    d2 = graph("Sub", here, two_before)
    twice = graph("Mul", one_before, double(graph, 2.0))
    dd = graph("Add", graph("Sub", here, twice), two_before)
    rise = graph("Sub", cut(graph, intensity, 1, 2), cut(graph, intensity, 0, 1))
    d1 = graph("Add", d1, _scattered(graph, size, cut(graph, mz_bin, 1, 2), rise, "add"))
    first = _scattered(graph, size, cut(graph, mz_bin, 0, 2), cut(graph, intensity, 0, 2), "add")
    here = graph("Add", here, first)
    ones = graph("Expand", double(graph, 1.0), graph("Shape", mz_bin))
    count = graph("Max", _scattered(graph, size, mz_bin, ones, "add"), double(graph, 1.0))
    units = (1.0, 1000.0, 1000.0, 10.0)
    mean, d1, d2, dd = (
        graph("Div", graph("Div", value, count), double(graph, unit))
        for value, unit in zip((here, d1, d2, dd), units, strict=True)
    )
    return mean, d1, d2, dd


def _log1p(graph: Graph, values: str) -> str:
    return graph("Log", graph("Add", values, double(graph, 1.0)))


def _signed_log(graph: Graph, values: str) -> str:
    return graph("Mul", graph("Sign", values), _log1p(graph, graph("Abs", values)))

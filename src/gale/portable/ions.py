"""What all kinds of features begin with: the inputs of a whole graph, and small helpers."""

from __future__ import annotations

from dataclasses import dataclass

from gale.model.graph import ELEMENT_TYPES, Graph, Input, ValueInfo

INPUTS = (
    ValueInfo("time_min", ["scans"], "float64", "Time of each scan in minutes, never decreasing."),
    ValueInfo(
        "scan_of_ion",
        ["ions"],
        "int64",
        "Scan of each ion, counted from 0, never decreasing; a scan may have no ions.",
    ),
    ValueInfo(
        "mz",
        ["ions"],
        "float64",
        "m/z of each ion, above 0; within a scan in the order in which it was recorded, which is "
        "usually that of m/z.",
    ),
    ValueInfo(
        "intensity", ["ions"], "float64", "Intensity of each ion, at least 0, in any one unit."
    ),
)
"""The inputs, in this order: a run of at least one scan and any number of ions."""

TIME, SCAN, MZ, INTENSITY = (value.name for value in INPUTS)

TO_THE_LAST = 2**63 - 1
"""The end of a slice that goes to the last place."""

LARGEST = 1.7e308
"""Stands behind all numbers that are sorted, so that there is always one."""


@dataclass(frozen=True)
class FeatureNodes:
    """Names of what the nodes of features give.

    Parameters
    ----------
    features : str
        Single precision, shape (1, D). Any numbers if `found` is false.
    found : str
        Whether there is an ion in the range of the features, shape ().
    time_min : str
        Times of the spectra in minutes, double precision, shape (N,); empty without spectra.
    """

    features: str
    found: str
    time_min: str = ""


def double(graph: Graph, value: Input) -> str:
    """A constant of double precision."""
    return graph.constant(value, "float64")


def cast(graph: Graph, value: str, dtype: str) -> str:
    """A value as another type."""
    return graph("Cast", value, to=ELEMENT_TYPES[dtype])


def filled(graph: Graph, number: float, size: Input, dtype: str = "float32") -> str:
    """A vector of the same number everywhere."""
    return graph("Expand", graph.constant(number, dtype), size)


def total(graph: Graph, value: str) -> str:
    """The sum of all elements, shape (); 0 if there are none."""
    return graph("ReduceSum", value, keepdims=0)


def cut(graph: Graph, value: str, start: int, end: int, axis: int = 0) -> str:
    """The places `start` to `end` along an axis; negative ones count from the end."""
    return graph("Slice", value, [start], [end], [axis])


def rounded(graph: Graph, mz: str) -> str:
    """m/z rounded half to even, as 64-bit integers."""
    return cast(graph, graph("Round", mz), "int64")


def median(graph: Graph, values: str, size: int) -> str:
    """The median along axis 0, whose length is `size`; the axis is gone."""
    # the highest one or two of the lower half; sorting all of it would take longer than the rest
    lower = graph("TopK", values, [size // 2 + 1], axis=0, largest=0, sorted=0, outputs=2, which=0)
    middle = graph("TopK", lower, [2 - size % 2], axis=0, outputs=2, which=0)
    return graph("ReduceMean", middle, [0], keepdims=0)


def sliding(graph: Graph, operator: str, values: str, before: int, after: int) -> str:
    """``Max`` or ``Min`` over `before` + 1 + `after` places along axis 0, fewer at the ends.

    Windows of 2, 4, 8 … places are made of two each, and the last of two that overlap, which takes
    the logarithm of the steps.
    """
    filling = graph.constant(float("-inf") if operator == "Max" else float("inf"))
    width, reached = before + 1 + after, 1
    values = graph("Pad", values, [before, after], filling, [0])
    while reached < width:
        step = min(reached, width - reached)
        values = graph(
            operator, cut(graph, values, 0, -step), cut(graph, values, step, TO_THE_LAST)
        )
        reached += step
    return values

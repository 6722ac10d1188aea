"""Nodes of profile and event features: elution images and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from gale.features import profile
from gale.features.elution import FLOOR_QUANTILE, LARGEST_RANGE, SMOOTHED_BINS, ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import BLOCKS, ProfileSpec
from gale.features.summary import HELIUM
from gale.model.graph import Graph
from gale.portable.ions import (
    INTENSITY,
    LARGEST,
    MZ,
    SCAN,
    TIME,
    TO_THE_LAST,
    FeatureNodes,
    cast,
    cut,
    double,
    filled,
    median,
    rounded,
    sliding,
    total,
)


def profile_nodes(graph: Graph, spec: ProfileSpec) -> FeatureNodes:
    """Write `ProfileSpec.features_of`."""
    found, signal, image = signal_of(graph, spec.elution)
    vector = of_signal(graph, spec, signal, image)
    return FeatureNodes(graph("Unsqueeze", vector, [0]), found)


def event_nodes(graph: Graph, spec: EventSpec) -> FeatureNodes:
    """Write `EventSpec.describe`."""
    bins = spec.profile.elution.bins
    found, signal, image = signal_of(graph, spec.profile.elution)
    sums = graph("ReduceSum", cast(graph, image, "float64"), [1], keepdims=0)
    n_events = spec.shape[0]
    busiest = graph("TopK", sums, [n_events], outputs=2)  # the earlier one of equal bins is first
    rows = graph("TopK", busiest, [n_events], largest=0, outputs=2, which=0)
    spectra = graph("Reshape", graph("Gather", image, rows), [-1])
    vector = graph("Concat", of_signal(graph, spec.profile, signal, image), spectra, axis=0)
    start, end = cut(graph, TIME, 0, 1), cut(graph, TIME, -1, TO_THE_LAST)
    middle = graph("Add", cast(graph, rows, "float64"), double(graph, 0.5))
    share = graph("Div", middle, double(graph, bins))
    times = graph("Add", start, graph("Mul", share, graph("Sub", end, start)))
    return FeatureNodes(graph("Unsqueeze", vector, [0]), found, times)


def signal_of(graph: Graph, spec: ElutionSpec) -> tuple[str, str, str]:
    """Whether there is an ion in range, then `excess` and `over_noise`, both (T, M)."""
    found, signal = _highest(graph, spec)
    above = graph("Sub", signal, _opening(graph, _smooth(graph, signal), spec))
    excess = graph("Relu", above)
    noise = graph("Add", median(graph, excess, spec.bins), 1.0)
    image = graph("Log", graph("Add", graph("Div", excess, noise), 1.0))
    return found, excess, image


def _highest(graph: Graph, spec: ElutionSpec) -> tuple[str, str]:
    """Whether there is an ion in range, and `gale.features.elution.highest`."""
    n_cells = spec.bins * spec.n_mz
    ions = seen_ions(graph, spec)
    time_bin = _time_bins(graph, spec.bins)
    row = graph("Mul", graph("Gather", time_bin, SCAN), spec.n_mz)
    flat = graph(
        "ScatterElements",
        filled(graph, 1.0, [n_cells]),
        graph("Add", row, ions.channel),
        cast(graph, ions.relative, "float32"),
        reduction="max",
    )
    # bins may be finer than scans: a bin between two scans shows the earlier one
    of_scans = graph(
        "ScatterElements",
        filled(graph, 0.0, [spec.bins]),
        time_bin,
        cast(graph, time_bin, "float32"),
        reduction="max",
    )
    latest = cast(graph, sliding(graph, "Max", of_scans, spec.bins - 1, 0), "int64")
    image = graph("Gather", graph("Reshape", flat, [spec.bins, spec.n_mz]), latest)
    return ions.found, image


@dataclass(frozen=True)
class SeenIons:
    """Names of what says which ions of a run are in range.

    Parameters
    ----------
    found : str
        Whether there is one, shape ().
    channel : str
        The place of the m/z of each ion, (I,); any place for ions that are not in range.
    relative : str
        Intensities in units of the run's floor, (I,), double precision; 0 likewise.
    """

    found: str
    channel: str
    relative: str


def seen_ions(graph: Graph, spec: ElutionSpec) -> SeenIons:
    """Write `gale.features.elution.seen_ions`."""
    nominal = rounded(graph, MZ)
    seen = graph("Greater", INTENSITY, double(graph, 0.0))
    for limit in (
        graph("GreaterOrEqual", nominal, spec.mz_first),
        graph("LessOrEqual", nominal, spec.mz_last),
        graph("Not", graph("Equal", nominal, HELIUM)),
    ):
        seen = graph("And", seen, limit)
    n_seen = total(graph, cast(graph, seen, "int64"))
    floor = _floor(graph, graph("Compress", INTENSITY, seen), n_seen)
    return SeenIons(
        graph("Greater", n_seen, 0),
        graph("Clip", graph("Sub", nominal, spec.mz_first), 0, spec.n_mz - 1),
        graph("Where", seen, graph("Div", INTENSITY, floor), double(graph, 0.0)),
    )


def _floor(graph: Graph, seen: str, n_seen: str) -> str:
    """The run's floor, of the intensities of the ions in range: its quantile, or more."""
    sorted_from = graph("Concat", seen, double(graph, [LARGEST]), axis=0)
    last = graph("Max", graph("Sub", n_seen, 1), 0)
    at = graph("Mul", cast(graph, last, "float64"), double(graph, FLOOR_QUANTILE))
    below = graph("Floor", at)
    place = cast(graph, below, "int64")
    above = graph("Min", graph("Add", place, 1), last)
    number = graph("Reshape", graph("Add", above, 1), [1])
    lowest = graph("TopK", sorted_from, number, largest=0, outputs=2, which=0)
    low, high = graph("Gather", lowest, place), graph("Gather", lowest, above)
    weight = graph("Sub", at, below)
    quantile = graph("Add", low, graph("Mul", graph("Sub", high, low), weight))
    most = graph("ReduceMax", graph("Concat", seen, double(graph, [0.0]), axis=0), keepdims=0)
    return graph("Max", quantile, graph("Div", most, double(graph, LARGEST_RANGE)))


def _time_bins(graph: Graph, bins: int) -> str:
    """The time bin of each scan, shape (S,)."""
    since_start = graph("Sub", TIME, cut(graph, TIME, 0, 1))
    last = cut(graph, since_start, -1, TO_THE_LAST)
    none = graph("Equal", last, double(graph, 0.0))
    length = graph("Where", none, double(graph, 1.0), last)
    at = graph("Mul", graph("Div", since_start, length), double(graph, bins))
    return cast(graph, graph("Min", at, double(graph, bins - 1)), "int64")


def _smooth(graph: Graph, signal: str) -> str:
    """The moving mean of a signal (T, M) along time, computed in double precision."""
    half = SMOOTHED_BINS // 2
    padded = graph("Pad", cast(graph, signal, "float64"), [half, half], "", [0], mode="edge")
    sums = cut(graph, padded, 0, -2 * half)
    for step in range(1, SMOOTHED_BINS):
        end = step - 2 * half
        sums = graph("Add", sums, cut(graph, padded, step, end or TO_THE_LAST))
    return cast(graph, graph("Div", sums, double(graph, SMOOTHED_BINS)), "float32")


def _opening(graph: Graph, signal: str, spec: ElutionSpec) -> str:
    """The part of a signal (T, M) that lasts."""
    half = round(spec.baseline * spec.bins / 2)
    lowest = sliding(graph, "Min", signal, half, half)
    return sliding(graph, "Max", lowest, half, half)


def of_signal(graph: Graph, spec: ProfileSpec, signal: str, image: str) -> str:
    """Write `ProfileSpec.of_signal`, shape (D,)."""
    whole = graph("ReduceSum", signal, [1], keepdims=1)
    usual = graph("Mul", graph("Add", median(graph, whole, spec.elution.bins), 1.0), 2.0)
    root = graph("Sqrt", graph("Div", signal, graph("Add", whole, usual)))
    blocks = {
        "height": graph("ReduceMax", image, [0], keepdims=0),
        "share": graph("ReduceMax", root, [0], keepdims=0),
        "loss": _losses(graph, spec, root),
    }
    scaled = [graph("Mul", blocks[name], profile.SCALE[name]) for name in BLOCKS]
    return graph("Concat", *scaled, axis=0)


def _losses(graph: Graph, spec: ProfileSpec, root: str) -> str:
    """Largest product over time bins of spectra (T, M) with themselves moved; shape (L,).

    A convolution in which each time bin is a channel of its own, with its spectrum as the kernel.
    """
    bins, n_mz = spec.elution.bins, spec.elution.n_mz
    moved = min(spec.losses, n_mz - 1)
    if moved == 0:
        return filled(graph, 0.0, [spec.losses])
    longer = graph("Pad", root, [0, moved], 0.0, [1])
    later = graph("Reshape", cut(graph, longer, 1, TO_THE_LAST, axis=1), [1, bins, -1])
    kernels = graph("Reshape", root, [bins, 1, n_mz])
    products = graph("Conv", later, kernels, group=bins, kernel_shape=[n_mz])
    highest = graph("ReduceMax", products, [0, 1], keepdims=0)
    return graph("Pad", highest, [0, spec.losses - moved], 0.0)

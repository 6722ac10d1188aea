"""Figures: what is drawn on which axes, in what unit, and the same bytes each time."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure

import gale
from gale.errors import PlotError
from gale.plotting import THEMES, plot_run, save_figure
from gale.plotting.measures import base_peak
from gale.plotting.names import MOST_NAMES
from gale.run import Run, extracted_ion
from helpers.errors import refused
from helpers.scanned_runs import background, run_of, with_peaks

pytestmark = pytest.mark.slow

RUN = run_of(with_peaks(background()))


def draw(run: Run, **choices: Any) -> Any:
    return plot_run(run, **choices)


def elements(svg: bytes) -> Any:
    return etree.fromstring(svg).iter("{*}text")


def labels(figure: Figure) -> list[str]:
    return [axes.get_ylabel() for axes in figure.axes]


def drawn(axes: Axes) -> dict[str, Any]:
    return {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.get_lines()}


def saved(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    save_figure(figure, buffer, form)
    return buffer.getvalue()


def test_chromatograms_and_map() -> None:
    figure = draw(RUN)
    assert labels(figure) == [
        "ion current\n(10⁶ × unit of the file)", "m/z", "intensity (unit of the file)",
    ]  # fmt: skip
    lines = drawn(figure.axes[0])
    np.testing.assert_array_equal(lines["total ion current"], RUN.total_ion_current)
    np.testing.assert_array_equal(lines["base peak (highest ion)"], base_peak(RUN))
    assert figure.axes[1].get_xlabel() == "time (min)"
    assert figure.axes[0].get_title("left") == f"memory: 600 scans, {RUN.n_ions:,} ions"
    image = figure.axes[1].images[0]
    assert isinstance(image.norm, LogNorm)
    assert image.get_cmap().name == "viridis"


def test_chosen_ions_and_a_spectrum() -> None:
    figure = draw(RUN, mz=(44, 207, 999), at_min=2.5)
    assert len(figure.axes) == 5
    lines = drawn(figure.axes[1])
    np.testing.assert_array_equal(lines["m/z 44"], extracted_ion(RUN, 44))
    assert not lines["m/z 999 (no ions)"].any()
    spectrum = figure.axes[3]
    assert spectrum.get_title("left").startswith("spectrum at 2.500 min, scan 301; 100 % is m/z ")
    assert (spectrum.get_xlabel(), spectrum.get_ylabel()) == ("m/z", "relative\nintensity (%)")
    sticks = spectrum.collections[0].get_paths()
    assert len(sticks) == RUN.ions_per_scan[300]
    assert max(stick.vertices[:, 1].max() for stick in sticks) == 100
    for axes in figure.axes[:3]:
        assert axes.get_lines()[-1].get_xdata()[0] == 2.5 or axes is figure.axes[2]


@pytest.mark.parametrize("log", [False, True])
def test_names_stand_above_their_peaks_within_the_picture(log: bool) -> None:
    times = RUN.time_min
    names = [(float(times[at]), f"a rather long name $ {at}") for at in (300, 301, 0, 150, 599)]
    figure = draw(RUN, labels=[*names, (times[-1] + 1, "after the end")], log=log)
    axes = figure.axes[0]
    texts = {text.get_text(): text for text in axes.texts}
    assert list(texts) == [name for _, name in names if not name.endswith("301")]
    figure.draw_without_rendering()
    inside = axes.get_window_extent()
    for time, name in names[:1] + names[2:]:
        box = texts[name].get_window_extent()
        assert inside.x0 - 1 <= box.x0 < box.x1 <= inside.x1 + 1
        assert box.y1 <= inside.y1 + 1
        height = RUN.total_ion_current[np.abs(times - time).argmin()]
        assert box.y0 >= axes.transData.transform((time, height))[1] - 1
    assert not draw(RUN).axes[0].texts


def test_crowded_names_leave_room_for_each_other() -> None:
    first, last = RUN.time_min[[0, -1]]
    names = [(float(at), "x") for at in np.linspace(first, last, 500)]
    shown = draw(RUN, labels=names).axes[0].texts
    assert len(shown) == MOST_NAMES


def test_ranges() -> None:
    figure = draw(RUN, time_range=(1.0, 2.0), mz_range=(50.0, 100.0), at_min=4.0)
    assert figure.axes[0].get_xlim() == (1.0, 2.0)
    assert figure.axes[1].get_ylim() == (49.5, 100.5)
    spectrum = figure.axes[2]
    assert spectrum.get_xlim() == (50.0, 100.0)
    assert "scan 481;" in spectrum.get_title("left")  # as the run counts, not the range
    for name, choice, found in (
        ("time_range", (7.0, 9.0), "7 to 9 min"),
        ("mz_range", (500.0, 600.0), "m/z 500 to 600"),
        ("at_min", 9.0, "9 min"),
    ):
        with refused(PlotError, "memory", found=found):
            draw(RUN, **{name: choice})


def test_an_unknown_theme() -> None:
    with refused(PlotError, "theme", found="'sepia'", expected=["light", "dark"]):
        draw(RUN, theme="sepia")


def test_logarithmic() -> None:
    figure = draw(RUN, mz=[44], log=True)
    assert [axes.get_yscale() for axes in figure.axes[:2]] == ["log", "log"]
    assert labels(figure)[0] == "ion current\n(unit of the file)"
    assert len(saved(figure, "png")) > 10_000


@pytest.mark.parametrize("theme", THEMES)
def test_png(theme: str) -> None:
    data = saved(draw(RUN, theme=theme), "png")
    assert data.startswith(b"\x89PNG")
    assert data == saved(draw(RUN, theme=theme), "png")


def test_svg() -> None:
    data = saved(draw(RUN, mz=[44]), "svg")
    assert data == saved(draw(RUN, mz=[44]), "svg")
    texts = {" ".join(each.itertext()).strip() for each in elements(data)}
    assert {"time (min)", "m/z", "m/z 44", "total ion current"} <= texts
    assert len(data) < 300_000


@pytest.mark.parametrize("name", ["a$b$_{c.csv", "<b>&.csv", "\u6e2c\u5b9a.csv", "x" * 300])
def test_names_are_shown_as_they_are(name: str) -> None:
    run = Run.from_scans(
        RUN.time_min, RUN.ions_per_scan, RUN.mz, RUN.intensity, source=f"folder/{name}"
    )
    data = saved(draw(run), "svg")
    shown = name if len(name) < 36 else f"{name[:35]}…"
    assert any(
        "".join(each.itertext()).startswith(f"{shown}: 600 scans") for each in elements(data)
    )
    assert saved(draw(run), "png")


@pytest.mark.parametrize(
    "run",
    [
        Run.from_scans([0.0, 1.0], [1, 1], [57.0, 57.0], [0.0, 0.0]),
        Run.from_scans([0.0, 0.0, 1.0, 1.0], [1, 0, 1, 1], [57.0, 58.0, 59.0], [5.0, 1.0, 2.0]),
        Run.from_scans([0.0, 1.0], [1, 1], [57.0, 19_000.0], [1e-9, 1e30]),
        Run.from_scans([1.0, 2.0, 3.0], [0, 1, 0], [57.3], [1.0]),
    ],
)
def test_odd_runs_can_be_drawn(run: Run) -> None:
    figure = draw(run, mz=[57], at_min=float(run.time_min[0]))
    assert saved(figure, "png").startswith(b"\x89PNG")
    assert saved(draw(run, log=True), "svg")


def test_a_run_that_takes_no_time() -> None:
    with refused(PlotError, "memory", found="2 min"):
        draw(Run.from_scans([2.0, 2.0], [1, 0], [57.0], [5.0]))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours (WCAG 2.1)."""
    shares = []
    for colour in (one, other):
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
        ]
        shares.append(np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05)
    return float(max(shares) / min(shares))


@pytest.mark.parametrize("name", THEMES)
def test_colours_differ_and_are_seen(name: str) -> None:
    theme = THEMES[name]
    assert len(set(theme.names.values())) == len(theme.names)
    for colour in (theme.total, theme.base, *theme.ions):
        assert contrast(colour, theme.paper) >= 3
    assert contrast(theme.ink, theme.paper) >= 7


def test_no_display_is_needed_and_none_is_opened() -> None:
    code = (
        "import sys, gale; gale.plot_run\n"
        "print('matplotlib.pyplot' in sys.modules, 'tkinter' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
    assert gale.plot_run is plot_run


def test_save_to_a_path(tmp_path: Path) -> None:
    save_figure(draw(RUN), tmp_path / "x", "png")
    assert (tmp_path / "x").read_bytes().startswith(b"\x89PNG")

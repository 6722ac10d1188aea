"""Pictures of a run: chromatograms, an ion map, and spectra.

They need no display: figures are those of matplotlib, without a window.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from gale.errors import OutputError, PlotError
from gale.plotting.layout import heights_of, left_of, place_panels
from gale.plotting.measures import cut_time
from gale.plotting.names import Label, draw_names
from gale.plotting.panels import (
    Span,
    draw_chromatograms,
    draw_ions,
    draw_lanes,
    draw_map,
    draw_spectrum,
)
from gale.plotting.themes import THEMES, Theme
from gale.plumbing.kinds import checked
from gale.plumbing.text import shortened
from gale.run import Run

__all__ = [
    "THEMES",
    "Label",
    "Span",
    "Theme",
    "draw_chromatograms",
    "draw_ions",
    "draw_lanes",
    "draw_map",
    "draw_spectrum",
    "plot_run",
    "save_figure",
]

DOTS_PER_INCH = 150

LONGEST_NAME = 36
"""Longer file names are cut in the title, which shares its line with a legend."""


class ShownFigure(Figure):
    """A figure that a notebook shows without being asked, also where pyplot was never imported."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the picture, and the size at which it is sharp on fine screens."""
        content = io.BytesIO()
        save_figure(self, content, "png")
        width, height = self.get_size_inches() * DOTS_PER_INCH / 2
        return content.getvalue(), {"width": round(width), "height": round(height)}


@checked
def plot_run(
    run: Run,
    *,
    mz: Sequence[int] = (),
    at_min: float | None = None,
    time_range: tuple[float, float] | None = None,
    mz_range: tuple[float, float] | None = None,
    log: bool = False,
    lanes: Mapping[str, Sequence[Span]] | None = None,
    labels: Sequence[Label] = (),
    theme: str = "light",
) -> Figure:
    """Draw a run: chromatograms, lanes, extracted ions, ion map, and a spectrum, top to bottom.

    Parameters
    ----------
    run : Run
    mz : sequence of int
        m/z to draw the extracted ion chromatograms of; ions are rounded to them.
    at_min : float, optional
        Time of the spectrum to draw, in minutes; none by default.
    time_range : pair of float, optional
        First and last minute; the whole run by default.
    mz_range : pair of float, optional
        First and last m/z of the map and the spectrum; all by default.
    log : bool
        Whether the chromatograms have a logarithmic axis, to show small peaks beside large ones.
    lanes : mapping of str to sequence of Span, optional
        Times to mark below the chromatograms, in one lane per name.
    labels : sequence of (float, str)
        Times and what is written above the chromatogram there, such as the `labels` of
        :func:`gale.find_peaks`; the first 24 that have room.
    theme : str
        ``light`` or ``dark``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    PlotError
        If the theme is unknown, the ranges contain nothing, or the time of the spectrum is outside
        the run.

    Examples
    --------
    Here ``run_file`` is the path of a run. To keep the figure, use its ``savefig``.

    >>> from gale import plot_run, read_run
    >>> figure = plot_run(read_run(run_file), mz=[31, 91], at_min=3.0)
    >>> [axes.get_ylabel().splitlines()[0] for axes in figure.axes]
    ['ion current', 'extracted ions', 'm/z', 'relative', 'intensity (unit of the file)']
    """
    if theme not in THEMES:
        raise PlotError("theme", f"is {theme!r}", " or ".join(THEMES))
    mz_range = None if mz_range is None else (float(mz_range[0]), float(mz_range[1]))
    colours = THEMES[theme]
    part = cut_time(run, time_range)
    heights = heights_of(
        n_lanes=len(lanes or {}),
        with_ions=bool(mz),
        with_spectrum=at_min is not None,
        with_names=bool(labels),
    )
    with mpl.rc_context(colours.settings):
        figure = ShownFigure()
        axes = place_panels(figure, heights, left_of(lanes or ()))
        draw_chromatograms(axes["chromatograms"], part, colours, log=log)
        draw_names(axes["chromatograms"], part, labels, colours)
        if lanes:
            draw_lanes(axes["lanes"], lanes, colours)
        if mz:
            draw_ions(axes["ions"], part, mz, colours, log=log)
        draw_map(axes["map"], axes["scale"], part, colours, mz_range=mz_range, mz=mz)
        if at_min is not None:
            draw_spectrum(axes["spectrum"], run, at_min, colours, mz_range=mz_range)
        timed = [axes[name] for name in heights if name != "spectrum"]
        _align_times(timed, part, at_min, colours)
        axes["chromatograms"].set_title(
            _title(part), loc="left", fontsize=11, pad=9, y=1.0, parse_math=False
        )
    return figure


def _align_times(panels: list[Axes], part: Run, at_min: float | None, theme: Theme) -> None:
    """Give the panels one time axis, labelled below the last one, and mark the spectrum's time."""
    for axes in panels:
        axes.set_xlim(part.time_min[0], part.time_min[-1])
        axes.tick_params(labelbottom=axes is panels[-1])
        if at_min is not None:
            axes.axvline(at_min, color=theme.muted, linewidth=0.9, linestyle="dashed")
    panels[-1].set_xlabel("time (min)")


def _title(run: Run) -> str:
    name = shortened(Path(run.source).name, LONGEST_NAME)
    return f"{name}: {run.n_scans:,} scans, {run.n_ions:,} ions"


@checked
def save_figure(figure: Figure, file: str | os.PathLike[str] | IO[bytes], form: str) -> None:
    """Write a figure; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    file : path, or file open for writing bytes
    form : str
        ``png`` or ``svg``.

    Raises
    ------
    PlotError
        If the form is another.
    OutputError
        If the file cannot be written.

    Examples
    --------
    Here ``run_file`` is the path of a run.

    >>> import io
    >>> from gale import plot_run, read_run, save_figure
    >>> buffer = io.BytesIO()
    >>> save_figure(plot_run(read_run(run_file)), buffer, "png")
    >>> buffer.getvalue()[1:4]
    b'PNG'
    """
    if form not in ("png", "svg"):
        raise PlotError("form", f"is {form!r}", "png or svg", "use figure.savefig for other forms")
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "gale"}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # a character of the file name that the font lacks is drawn as a box
        warnings.filterwarnings("ignore", "Glyph .* missing")
        try:
            _write(figure, file, form)
        except OSError as error:
            raise OutputError(
                str(file),
                f"cannot be written ({error.strerror or error})",
                remedy="check its folder",
            ) from error


def _write(figure: Figure, file: str | os.PathLike[str] | IO[bytes], form: str) -> None:
    """Write a figure as its ``savefig`` does, which would draw all of it twice to lay it out."""
    canvas, dots = figure.canvas, figure.dpi
    figure.dpi = DOTS_PER_INCH
    try:
        if form == "svg":
            FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})  # type: ignore[no-untyped-call]
        else:
            FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})  # type: ignore[no-untyped-call]
    finally:
        figure.dpi = dots
        figure.set_canvas(canvas)

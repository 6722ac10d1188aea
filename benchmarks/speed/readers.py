"""Reading runs: every format, beside the bare parse below it and beside other readers.

One simulated run is written in every format; wide tables and folders of instruments get one of
whole m/z. All ways work on the same file in one process, in turn, repeat after repeat; the table
has the best of the repeats, and how many times as long as gale the others take. Memory is how far
reading the file raises the peak of a process of its own, in multiples of the run's columns of m/z
and intensity (Linux only). Other readers are those of the dependency group ``bench`` that are
installed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks import options, tables
from benchmarks.speed import other_readers as others
from benchmarks.speed import run_files as files
from benchmarks.speed.timing import in_turn, seconds
from gale.readers import read_run
from gale.run import Run

Way = Callable[[Path], object]
Write = Callable[[Run, Path], None]

MEASURE = """
import sys
from pathlib import Path
from gale.readers import read_run
def of(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024
small, large = sys.argv[1:]
read_run(small)  # what is imported and set aside once
Path("/proc/self/clear_refs").write_text("5")  # the peak is measured from here
before = of("VmRSS")
read_run(large)
print(of("VmHWM") - before)
"""


@dataclass(frozen=True)
class Format:
    """How to write a format, and the other ways of reading it, each with the module it needs."""

    write: Write
    ways: Mapping[str, tuple[str, Way]]
    nominal: bool = False
    suffix: str = ""


FORMATS = {
    "csv": Format(
        files.write_csv,
        {"polars": ("polars", pl.read_csv), "pandas": ("pandas", others.pandas_csv)},
    ),
    "wide-csv": Format(
        files.write_wide,
        {"polars": ("polars", pl.read_csv), "pandas": ("pandas", others.pandas_csv)},
        nominal=True,
    ),
    "parquet": Format(
        files.write_parquet,
        {
            "polars": ("polars", pl.read_parquet),
            "pyarrow": ("pyarrow", others.pyarrow_parquet),
            "pandas": ("pyarrow", others.pandas_parquet),
        },
    ),
    "arrow": Format(
        files.write_arrow,
        {
            "polars": ("polars", others.polars_arrow),
            "pandas": ("pyarrow", others.pandas_arrow),
        },
    ),
    "andi": Format(
        files.write_andi,
        {
            "header": ("gale", others.bare_netcdf),
            "scipy": ("scipy", others.scipy_netcdf),
            "netCDF4": ("netCDF4", others.netcdf4_netcdf),
            "PyMassSpec": ("pyms", others.pyms_andi),
        },
    ),
    "netcdf-4": Format(
        files.write_hdf5,
        {
            "h5py": ("h5py", others.h5py_netcdf),
            "netCDF4": ("netCDF4", others.netcdf4_netcdf),
        },
    ),
    "jcamp": Format(
        files.write_jcamp,
        {
            "split": ("gale", others.bare_lines),
            "PyMassSpec": ("pyms", others.pyms_jcamp),
        },
    ),
    "mzml": Format(
        files.write_mzml,
        {
            "lxml": ("lxml", others.bare_xml),
            "pyteomics": ("pyteomics", others.pyteomics_mzml),
            "pymzML": ("pymzml", others.pymzml_mzml),
        },
    ),
    "mzml-slof": Format(files.write_numpress, {"lxml": ("lxml", others.bare_xml)}),
    "mzxml": Format(
        files.write_mzxml,
        {
            "lxml": ("lxml", others.bare_xml),
            "pyteomics": ("pyteomics", others.pyteomics_mzxml),
        },
    ),
    "chemstation": Format(
        files.write_chemstation,
        {"rainbow": ("rainbow", others.rainbow_chemstation)},
        True,
        ".D",
    ),
    "masshunter": Format(
        files.write_masshunter,
        {"rainbow": ("rainbow", others.rainbow_masshunter)},
        True,
        ".D",
    ),
    "masslynx": Format(
        files.write_masslynx,
        {"rainbow": ("rainbow", others.rainbow_masslynx)},
        True,
        ".raw",
    ),
}


HEADER = ["format", "MB", "gale, s", "MB/s", "Mions/s", "peak / columns",
          "others, times as long as gale"]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Write, read, and print the table."""
    parser = options.parser("benchmarks.speed.readers", __doc__, repeats=5)
    parser.add_argument("--ions", type=int, default=1_000_000, help="of the run")
    parser.add_argument("--scans", type=int, default=5_000, help="of the run")
    parser.add_argument("--formats", nargs="*", choices=FORMATS, default=list(FORMATS),
                        metavar="FORMAT", help=f"only these of {', '.join(FORMATS)}")  # fmt: skip
    asked = parser.parse_args(arguments)
    rows = [HEADER]
    for name in asked.formats:
        if name == "netcdf-4" and importlib.util.find_spec("h5py") is None:
            options.tell("netcdf-4 is left out: h5py is not installed")
            continue
        make = files.make_nominal_run if FORMATS[name].nominal else files.make_run
        with tempfile.TemporaryDirectory() as folder:
            run, small = make(asked.scans, asked.ions), make(20, min(asked.ions, 400))
            rows.append(row(name, run, small, Path(folder), asked.repeats))
        options.tell("  ".join(rows[-1]))
    title = f"A run of {asked.ions:,} ions in {asked.scans:,} scans, best of {asked.repeats}"
    tables.show(title, rows, markdown=asked.markdown)


def row(name: str, run: Run, small: Run, folder: Path, repeats: int) -> list[str]:
    """Measure one format."""
    form = FORMATS[name]
    path, small_path = folder / f"large{form.suffix}", folder / f"small{form.suffix}"
    form.write(run, path)
    form.write(small, small_path)
    ways: dict[str, Way] = {"gale": read_run}
    for other, (module, way) in form.ways.items():
        if importlib.util.find_spec(module) and works(way, path):
            ways[other] = way
    timed = {other: partial(seconds, partial(way, path)) for other, way in ways.items()}
    best = {other: min(values) for other, values in in_turn(timed, repeats).items()}
    own, size = best.pop("gale"), size_of(path) / 1e6
    columns = run.mz.nbytes + run.intensity.nbytes
    return [
        name,
        f"{size:.1f}",
        f"{own:.3f}",
        f"{size / own:.0f}",
        f"{run.n_ions / own / 1e6:.2f}",
        f"{peak_bytes(small_path, path) / columns:.1f}",
        ", ".join(f"{other} {taken / own:.2f}" for other, taken in best.items()),
    ]


def peak_bytes(small: Path, large: Path) -> float:
    """Give the most memory that reading a file takes, after a small one of the same format.

    NaN where the system does not say.
    """
    if sys.platform != "linux":
        return float("nan")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(large)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def works(way: Way, path: Path) -> bool:
    """Whether another reader reads the file at all; gale has to."""
    try:
        way(path)
    except Exception as error:  # noqa: BLE001
        options.tell(f"left out on {path.name}: {type(error).__name__}: {str(error)[:80]}")
        return False
    return True


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    every = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in every if each.is_file())


if __name__ == "__main__":
    main()

"""Reading runs: every format, beside the bare parse below it and beside other readers.

    python benchmarks/readers.py [--ions 1000000] [--scans 5000] [--repeats 5]

One simulated table of ions is written in every format. All ways work on the same file in one
process, in turn, repeat after repeat; the table has the best of the repeats, and how many times as
long as gale the others take. The peak of memory is what tracemalloc sees in a further pass (polars
and the libraries in C keep theirs from it), in multiples of the run's columns of m/z and intensity.
Other readers are those of the dependency group ``bench`` that are installed.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import io
import struct
import tempfile
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from lxml import etree
from scipy.io import netcdf_file

from gale.readers import netcdf, read_run
from gale.run import Run

Way = Callable[[Path], object]


def make_run(n_scans: int, n_ions: int) -> Run:
    """Make a run of random centroids."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n_ions, np.full(n_scans, 1 / n_scans))
    mz = np.concatenate([np.sort(np.round(rng.uniform(40, 600, n), 4)) for n in counts])
    time_min = 3 + np.arange(n_scans) * 30 / n_scans
    return Run.from_scans(time_min, counts, mz, np.round(rng.lognormal(7, 2, n_ions), 1))


def frame(run: Run) -> pl.DataFrame:
    """Give the run as a long table."""
    times = np.repeat(run.time_min, run.ions_per_scan)
    return pl.DataFrame({"time": times, "mass": run.mz, "intensity": run.intensity})


def write_csv(run: Run, path: Path) -> None:
    """Write a long CSV file."""
    frame(run).write_csv(path)


def write_parquet(run: Run, path: Path) -> None:
    """Write a Parquet file."""
    frame(run).write_parquet(path)


def write_arrow(run: Run, path: Path) -> None:
    """Write an Arrow IPC file."""
    frame(run).write_ipc(path)


def _variables(run: Run) -> dict[str, np.ndarray]:
    return {
        "scan_acquisition_time": run.time_min * 60,
        "scan_index": run.scan_start[:-1].astype(np.int32),
        "point_count": run.ions_per_scan.astype(np.int32),
        "mass_values": run.mz.astype(np.float32),
        "intensity_values": run.intensity.astype(np.float32),
    }


def write_andi(run: Run, path: Path) -> None:
    """Write ANDI in netCDF-3."""
    with netcdf_file(path, "w") as file:
        file.experiment_type = "Centroided Mass Spectrum"
        for name, values in _variables(run).items():
            file.createDimension(f"of_{name}", len(values))
            file.createVariable(name, values.dtype, (f"of_{name}",))[:] = values


def write_hdf5(run: Run, path: Path) -> None:
    """Write ANDI in netCDF-4."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, values in _variables(run).items():
            file.create_dataset(name, data=values, compression="gzip")


def write_jcamp(run: Run, path: Path) -> None:
    """Write JCAMP-DX."""
    with path.open("w") as file:
        file.write("##TITLE= a run\n")
        for s, seconds in enumerate((run.time_min * 60).tolist()):
            ions = slice(run.scan_start[s], run.scan_start[s + 1])
            mz, intensity = run.mz[ions].tolist(), run.intensity[ions].tolist()
            file.write(f"##PAGE= T={seconds}\n##NPOINTS= {len(mz)}\n##XYDATA= (XY..XY)\n")
            file.writelines(f" {x}, {y}\n" for x, y in zip(mz, intensity, strict=True))
        file.write("##END=\n")


def _cv(accession: str, name: str, more: str = "") -> str:
    return f'<cvParam cvRef="MS" accession="{accession}" name="{name}" {more}/>'


def _array(values: np.ndarray, kind: str, *, numpress: bool) -> str:
    number = _cv("MS:1000523", "64-bit float")
    if numpress and "1000515" in kind:
        shorts = (np.log1p(values) * 3000 + 0.5).astype("<u2")
        raw = struct.pack(">d", 3000.0) + shorts.tobytes()
        packing = _cv("MS:1002314", "MS-Numpress short logged float compression")
    else:
        raw = zlib.compress(values.astype("<f8").tobytes(), 1)
        packing = _cv("MS:1000574", "zlib compression")
    text = base64.b64encode(raw).decode()
    return (
        f'<binaryDataArray encodedLength="{len(text)}">{number}{packing}{kind}'
        f"<binary>{text}</binary></binaryDataArray>"
    )


def write_mzml(run: Run, path: Path, *, numpress: bool = False) -> None:
    """Write mzML with zlib, or with slof for intensities."""
    spectra = []
    unit = 'unitCvRef="UO" unitName="minute" unitAccession="UO:0000031"'
    for s, minutes in enumerate(run.time_min.tolist()):
        ions = slice(run.scan_start[s], run.scan_start[s + 1])
        arrays = _array(run.mz[ions], _cv("MS:1000514", "m/z array"), numpress=numpress) + _array(
            run.intensity[ions], _cv("MS:1000515", "intensity array"), numpress=numpress
        )
        at = _cv("MS:1000016", "scan start time", f'value="{minutes}" {unit}')
        level = _cv("MS:1000511", "ms level", 'value="1"')
        spectra.append(
            f'<spectrum index="{s}" id="scan={s + 1}" defaultArrayLength="{len(run.mz[ions])}">'
            f'{level}{_cv("MS:1000127", "centroid spectrum")}<scanList count="1"><scan>{at}</scan>'
            f'</scanList><binaryDataArrayList count="2">{arrays}</binaryDataArrayList></spectrum>'
        )
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<mzML xmlns="http://psi.hupo.org/ms/mzml" '
        f'version="1.1.0"><run id="a"><spectrumList count="{len(spectra)}">'
        f"{''.join(spectra)}</spectrumList></run></mzML>\n"
    )


def write_numpress(run: Run, path: Path) -> None:
    """Write mzML with numpress."""
    write_mzml(run, path, numpress=True)


def write_mzxml(run: Run, path: Path) -> None:
    """Write mzXML with 64-bit numbers."""
    scans = []
    for s, seconds in enumerate((run.time_min * 60).tolist()):
        ions = slice(run.scan_start[s], run.scan_start[s + 1])
        pairs = np.column_stack([run.mz[ions], run.intensity[ions]]).astype(">f8")
        scans.append(
            f'<scan num="{s + 1}" msLevel="1" peaksCount="{len(pairs)}" centroided="1" '
            f'retentionTime="PT{seconds}S"><peaks precision="64" byteOrder="network" '
            f'contentType="m/z-int" compressionType="none" compressedLen="0">'
            f"{base64.b64encode(pairs.tobytes()).decode()}</peaks></scan>"
        )
    path.write_text(
        '<?xml version="1.0"?>\n<mzXML '
        'xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">'
        f'<msRun scanCount="{len(scans)}">{"".join(scans)}</msRun></mzXML>\n'
    )


def bare_xml(path: Path) -> object:
    """Parse the XML alone."""
    return [event for event, _ in etree.iterparse(io.BytesIO(path.read_bytes()))]


def bare_netcdf(path: Path) -> object:
    """Look at the variables alone."""
    return netcdf.read(path.read_bytes(), path.name)


def scipy_netcdf(path: Path) -> object:
    """Copy the variables with scipy."""
    with netcdf_file(path, "r", mmap=False) as file:
        return {name: variable.data.copy() for name, variable in file.variables.items()}


def bare_lines(path: Path) -> object:
    """Split the text alone."""
    return path.read_bytes().split()


def read_arrow(path: Path) -> object:
    """Read with polars."""
    return pl.read_ipc(path)


def pandas_csv(path: Path) -> object:
    """Read with pandas."""
    import pandas as pd

    return pd.read_csv(path)


def pandas_parquet(path: Path) -> object:
    """Read with pandas."""
    import pandas as pd

    return pd.read_parquet(path)


def pyteomics_mzml(path: Path) -> object:
    """Read all arrays with pyteomics."""
    from pyteomics import mzml

    with mzml.MzML(str(path), use_index=False) as reader:
        return [(each["m/z array"], each["intensity array"]) for each in reader]


def pyteomics_mzxml(path: Path) -> object:
    """Read all arrays with pyteomics."""
    from pyteomics import mzxml

    with mzxml.MzXML(str(path), use_index=False) as reader:
        return [(each["m/z array"], each["intensity array"]) for each in reader]


def pymzml_mzml(path: Path) -> object:
    """Read all arrays with pymzML."""
    import pymzml

    return [(each.mz, each.i) for each in pymzml.run.Reader(str(path))]


def pyms_andi(path: Path) -> object:
    """Read with PyMassSpec."""
    from pyms.GCMS.IO.ANDI import ANDI_reader

    return ANDI_reader(path)


def pyms_jcamp(path: Path) -> object:
    """Read with PyMassSpec."""
    from pyms.GCMS.IO.JCAMP import JCAMP_reader

    return JCAMP_reader(path)


FORMATS: dict[str, tuple[Callable[[Run, Path], None], dict[str, tuple[str, Way]]]] = {
    "csv": (write_csv, {"polars": ("polars", pl.read_csv), "pandas": ("pandas", pandas_csv)}),
    "parquet": (
        write_parquet,
        {"polars": ("polars", pl.read_parquet), "pandas": ("pyarrow", pandas_parquet)},
    ),
    "arrow": (write_arrow, {"polars": ("polars", read_arrow)}),
    "andi": (
        write_andi,
        {
            "header": ("gale", bare_netcdf),
            "scipy": ("scipy", scipy_netcdf),
            "PyMassSpec": ("pyms", pyms_andi),
        },
    ),
    "netcdf-4": (write_hdf5, {"h5py": ("h5py", bare_netcdf)}),
    "jcamp": (write_jcamp, {"split": ("gale", bare_lines), "PyMassSpec": ("pyms", pyms_jcamp)}),
    "mzml": (
        write_mzml,
        {
            "lxml": ("lxml", bare_xml),
            "pyteomics": ("pyteomics", pyteomics_mzml),
            "pymzML": ("pymzml", pymzml_mzml),
        },
    ),
    "mzml-slof": (write_numpress, {"lxml": ("lxml", bare_xml)}),
    "mzxml": (
        write_mzxml,
        {"lxml": ("lxml", bare_xml), "pyteomics": ("pyteomics", pyteomics_mzxml)},
    ),
}


def seconds_of(ways: dict[str, Way], path: Path, repeats: int) -> dict[str, float]:
    """Time every way, in turn; the best of the repeats."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way(path)
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak_bytes(path: Path) -> int:
    """Give the most memory that reading with gale takes at one time."""
    tracemalloc.start()
    read_run(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def works(way: Way, path: Path) -> bool:
    """Whether another reader reads the file at all; gale has to."""
    try:
        way(path)
    except Exception as error:  # noqa: BLE001
        print(f"  left out on {path.name}: {type(error).__name__}: {str(error)[:80]}")
        return False
    return True


def main(arguments: list[str] | None = None) -> None:
    """Write, read, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ions", type=int, default=1_000_000)
    parser.add_argument("--scans", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--formats", nargs="*", default=list(FORMATS))
    options = parser.parse_args(arguments)
    run = make_run(options.scans, options.ions)
    print("format        MB  gale s   MB/s   Mions/s  peak/columns  others, times as long as gale")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.formats:
            row(name, run, Path(folder) / name, options.repeats)


def row(name: str, run: Run, path: Path, repeats: int) -> None:
    """Measure one format, and print its row."""
    write, others = FORMATS[name]
    if name == "netcdf-4" and importlib.util.find_spec("h5py") is None:
        return
    write(run, path)
    ways: dict[str, Way] = {"gale": read_run} if works(read_run, path) else {}
    if not ways:
        return
    for other, (module, way) in others.items():
        if importlib.util.find_spec(module) and works(way, path):
            ways[other] = way
    best = seconds_of(ways, path, repeats)
    own, size = best.pop("gale"), path.stat().st_size / 1e6
    ratios = "  ".join(f"{other} {seconds / own:.2f}" for other, seconds in best.items())
    columns: Any = run.mz.nbytes + run.intensity.nbytes
    print(
        f"{name:10} {size:5.1f}  {own:6.3f}  {size / own:5.0f}  {run.n_ions / own / 1e6:8.2f}  "
        f"{peak_bytes(path) / columns:12.1f}  {ratios}",
        flush=True,
    )


if __name__ == "__main__":
    main()

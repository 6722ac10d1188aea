"""Runs written as files of every format, in plain code, to check reading."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.io import netcdf_file

from gale.run import Run


def small_run(n_scans: int = 40, *, seed: int = 0, empty: tuple[int, ...] = ()) -> Run:
    """A run of 3 min with 3 to 9 nominal-mass centroids per scan, and none in scans `empty`."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(3, 10, n_scans)
    counts[list(empty)] = 0
    mz = np.concatenate([np.sort(rng.choice(300, n, replace=False)) + 40.0 for n in counts])
    mz += np.round(rng.uniform(-0.1, 0.1, len(mz)), 4)
    intensity = np.round(rng.lognormal(7, 2, len(mz)), 1)
    time_min = 2.5 + np.arange(n_scans) * 3.0 / n_scans
    return Run.from_scans(time_min, counts, mz, intensity)


@st.composite
def runs(draw: st.DrawFn, *, min_ions: int = 0) -> Run:
    """Runs of 2 to 12 scans with `min_ions` to 6 ions each, and at least one ion in total."""
    counts = draw(st.lists(st.integers(min_ions, 6), min_size=2, max_size=12).filter(any))
    steps = st.floats(1e-3, 5.0)
    time = np.cumsum(draw(st.lists(steps, min_size=len(counts), max_size=len(counts))))
    values = st.tuples(st.floats(1.0, 900.0), st.floats(0.0, 1e9))
    ions = [draw(st.lists(values, min_size=n, max_size=n).map(sorted)) for n in counts]
    flat = np.array([ion for scan in ions for ion in scan])
    return Run.from_scans(time, counts, flat[:, 0], flat[:, 1])


def assert_same(found: Run, expected: Run) -> None:
    np.testing.assert_allclose(found.time_min, expected.time_min, rtol=1e-12)
    np.testing.assert_array_equal(found.scan_start, expected.scan_start)
    np.testing.assert_array_equal(found.mz, expected.mz)
    np.testing.assert_array_equal(found.intensity, expected.intensity)


def frame(run: Run) -> pl.DataFrame:
    time = np.repeat(run.time_min, run.ions_per_scan)
    return pl.DataFrame({"time": time, "mass": run.mz, "intensity": run.intensity})


def csv(run: Run) -> bytes:
    return frame(run).write_csv().encode()


def parquet(run: Run) -> bytes:
    buffer = io.BytesIO()
    frame(run).write_parquet(buffer)
    return buffer.getvalue()


def andi(
    run: Run,
    *,
    attributes: Mapping[str, object] | None = None,
    replace: Mapping[str, tuple[str, NDArray[Any]]] | None = None,
    scale: Mapping[str, Mapping[str, object]] | None = None,
    drop: tuple[str, ...] = (),
) -> bytes:
    """An ANDI file; `replace` has variables as (type, values), `scale` attributes of variables."""
    variables: dict[str, tuple[str, NDArray[Any]]] = {
        "scan_acquisition_time": ("d", run.time_min * 60),
        "scan_index": ("i", run.scan_start[:-1]),
        "point_count": ("i", run.ions_per_scan),
        "total_intensity": ("d", run.total_ion_current),
        "mass_values": ("d", run.mz),
        "intensity_values": ("d", run.intensity),
        **(replace or {}),
    }
    buffer = io.BytesIO()
    file = netcdf_file(buffer, "w")
    for name, value in (attributes or {"experiment_type": "Centroided Mass Spectrum"}).items():
        setattr(file, name, value)
    for name, (kind, values) in variables.items():
        if name in drop:
            continue
        file.createDimension(f"of_{name}", len(values))
        variable = file.createVariable(name, kind, (f"of_{name}",))
        variable[:] = values
        for attribute, value in (scale or {}).get(name, {}).items():
            setattr(variable, attribute, value)
    file.flush()
    data: bytes = buffer.getvalue()
    file.close()
    return data


def jcamp(run: Run, *, header: str = "##TITLE= a run\n", end: str = "##END=\n") -> bytes:
    lines = [header]
    for s, (time, tic) in enumerate(zip(run.time_min, run.total_ion_current, strict=True)):
        ions = slice(run.scan_start[s], run.scan_start[s + 1])
        pairs = zip(run.mz[ions].tolist(), run.intensity[ions].tolist(), strict=True)
        lines.append(
            f"##SCAN_NUMBER= {s + 1}\n##PAGE=   T={float(time) * 60!r}\n##TIC= {float(tic)!r}\n"
            f"##NPOINTS= {run.ions_per_scan[s]}\n##XYDATA= (XY..XY)\n"
        )
        lines.extend(f" {mz!r}, {intensity!r}\n" for mz, intensity in pairs)
    return "".join([*lines, end]).encode()


def cv(accession: str, name: str = "", value: object = "", unit: str = "") -> str:
    of_unit = f' unitCvRef="UO" unitAccession="{unit}"' if unit else ""
    return f'<cvParam cvRef="X" accession="{accession}" name="{name}" value="{value}"{of_unit}/>'


SECOND, MINUTE = "UO:0000010", "UO:0000031"
CENTROID, PROFILE = "MS:1000127", "MS:1000128"


def binary(values: NDArray[np.float64], kind: str, *, dtype: str, compress: bool) -> str:
    raw = values.astype(dtype).tobytes()
    text = base64.b64encode(zlib.compress(raw) if compress else raw).decode()
    number = cv("MS:1000523" if dtype == "<f8" else "MS:1000521")
    packing = cv("MS:1000574", "zlib compression") if compress else cv("MS:1000576")
    return (
        f'<binaryDataArray encodedLength="{len(text)}">{number}{packing}{cv(kind)}'
        f"<binary>{text}</binary></binaryDataArray>"
    )


def spectrum(
    time: str,
    mz: NDArray[np.float64],
    intensity: NDArray[np.float64],
    *,
    params: str = cv(CENTROID),
    level: int = 1,
    dtype: str = "<f8",
    compress: bool = True,
) -> str:
    arrays = "".join(
        binary(values, kind, dtype=dtype, compress=compress)
        for kind, values in (("MS:1000514", mz), ("MS:1000515", intensity))
    )
    return (
        f'<spectrum id="scan={time}" defaultArrayLength="{len(mz)}">'
        f"{cv('MS:1000511', 'ms level', level)}{params}"
        f"<scanList><scan>{time}</scan></scanList>"
        f"<binaryDataArrayList>{arrays}</binaryDataArrayList></spectrum>"
    ).replace(f'id="scan={time}"', 'id="scan"')


def at(minutes: float, unit: str = MINUTE) -> str:
    value = minutes if unit == MINUTE else minutes * 60
    return cv("MS:1000016", "scan start time", repr(float(value)), unit)


def mzml_file(spectra: list[str], *, before: str = "", count: int | None = None) -> bytes:
    number = len(spectra) if count is None else count
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<mzML xmlns="http://psi.hupo.org/ms/mzml">{before}'
        '<run id="a run" startTimeStamp="2024-01-13T01:39:09Z">'
        f'<spectrumList count="{number}">{"".join(spectra)}</spectrumList></run></mzML>\n'
    ).encode()


def mzml(run: Run, *, unit: str = MINUTE, params: str = cv(CENTROID), **options: Any) -> bytes:
    return mzml_file(
        [
            spectrum(at(time, unit), run.mz[a:b], run.intensity[a:b], params=params, **options)
            for time, a, b in zip(
                run.time_min, run.scan_start[:-1], run.scan_start[1:], strict=True
            )
        ]
    )


WRITERS = {"csv": csv, "parquet": parquet, "andi": andi, "jcamp": jcamp, "mzml": mzml}

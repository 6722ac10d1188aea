"""Files and folders of every format that gale reads, of one run, for benchmarks.speed.readers."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.io import netcdf_file

from gale.run import Run
from tests.helpers.vendor_files import data_ms, lay_out, masshunter, masslynx

LOWEST_MZ, HIGHEST_MZ = 40, 600

HIGHEST_NOMINAL = 340
"""The folders that the tests write scan up to here."""


def make_run(n_scans: int, n_ions: int) -> Run:
    """Make a run of random centroids."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n_ions, np.full(n_scans, 1 / n_scans))
    mz = [np.sort(np.round(rng.uniform(LOWEST_MZ, HIGHEST_MZ, n), 4)) for n in counts]
    intensity = np.round(rng.lognormal(7, 2, n_ions), 1)
    return Run.from_scans(_times(n_scans), counts, np.concatenate(mz), intensity)


def make_nominal_run(n_scans: int, n_ions: int) -> Run:
    """Make a run of whole m/z and of intensities that every maker's format can hold."""
    rng = np.random.default_rng(0)
    every = np.tile(np.arange(LOWEST_MZ, HIGHEST_NOMINAL), (n_scans, 1))
    mz = np.sort(rng.permuted(every, axis=1)[:, : n_ions // n_scans], axis=1)
    intensity = rng.integers(1, 4_000, mz.size) * 8.0 ** rng.choice([0, 0, 0, 1, 2], mz.size)
    return Run.from_scans(_times(n_scans), np.full(n_scans, mz.shape[1]), mz.ravel(), intensity)


def _times(n_scans: int) -> NDArray[np.float64]:
    return 3 + np.round(np.arange(n_scans) * 30 / n_scans, 6)


def frame(run: Run) -> pl.DataFrame:
    """Give the run as a long table."""
    times = np.repeat(run.time_min, run.ions_per_scan)
    return pl.DataFrame({"time": times, "mass": run.mz, "intensity": run.intensity})


def write_csv(run: Run, path: Path) -> None:
    """Write a long CSV file."""
    frame(run).write_csv(path)


def write_wide(run: Run, path: Path) -> None:
    """Write a CSV file with a row for each scan and a column for each m/z."""
    table = np.zeros((run.n_scans, HIGHEST_NOMINAL - LOWEST_MZ))
    table[run.scan_of_ion, run.mz.astype(int) - LOWEST_MZ] = run.intensity
    names = [f"m/z {mz}" for mz in range(LOWEST_MZ, HIGHEST_NOMINAL)]
    wide = pl.DataFrame(table, schema=names)
    wide.insert_column(0, pl.Series("RT (min)", run.time_min)).write_csv(path)


def write_parquet(run: Run, path: Path) -> None:
    """Write a Parquet file."""
    frame(run).write_parquet(path)


def write_arrow(run: Run, path: Path) -> None:
    """Write an Arrow IPC file."""
    frame(run).write_ipc(path)


def _variables(run: Run) -> dict[str, NDArray[np.generic]]:
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


def _array(values: NDArray[np.float64], kind: str, *, numpress: bool) -> str:
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


def write_chemstation(run: Run, path: Path) -> None:
    """Write a folder of ChemStation."""
    lay_out(path, {"data.ms": data_ms(run)})


def write_masshunter(run: Run, path: Path) -> None:
    """Write a folder of MassHunter."""
    lay_out(path, masshunter(run))


def write_masslynx(run: Run, path: Path) -> None:
    """Write a folder of MassLynx."""
    lay_out(path, masslynx(run))

"""Other readers, and what is below gale's own, for benchmarks.speed.readers."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
from lxml import etree
from scipy.io import netcdf_file

from gale.readers.andi import netcdf


def bare_xml(path: Path) -> object:
    """Parse the XML alone."""
    return [event for event, _ in etree.iterparse(io.BytesIO(path.read_bytes()))]


def bare_netcdf(path: Path) -> object:
    """Look at the variables alone."""
    return netcdf.read(path.read_bytes(), path.name)


def bare_lines(path: Path) -> object:
    """Split the text alone."""
    return path.read_bytes().split()


def polars_arrow(path: Path) -> object:
    """Read with polars."""
    return pl.read_ipc(path)


def scipy_netcdf(path: Path) -> object:
    """Copy the variables with scipy."""
    with netcdf_file(path, "r", mmap=False) as file:
        return {name: variable.data.copy() for name, variable in file.variables.items()}


def netcdf4_netcdf(path: Path) -> object:
    """Copy the variables with netCDF4."""
    import netCDF4

    with netCDF4.Dataset(path) as file:
        return {name: variable[:] for name, variable in file.variables.items()}


def h5py_netcdf(path: Path) -> object:
    """Copy the variables with h5py."""
    import h5py

    with h5py.File(path) as file:
        return {name: file[name][:] for name in file}


def pandas_csv(path: Path) -> object:
    """Read with pandas."""
    import pandas as pd

    return pd.read_csv(path)


def pandas_parquet(path: Path) -> object:
    """Read with pandas, which uses pyarrow."""
    import pandas as pd

    return pd.read_parquet(path)


def pyarrow_parquet(path: Path) -> object:
    """Read with pyarrow."""
    from pyarrow import parquet

    return parquet.read_table(path)


def pandas_arrow(path: Path) -> object:
    """Read with pandas, which uses pyarrow."""
    import pandas as pd

    return pd.read_feather(path)


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


def rainbow_chemstation(path: Path) -> object:
    """Read the spectra with rainbow, in bins of m/z as wide as it makes them by itself."""
    from rainbow.agilent import chemstation

    return chemstation.parse_ms(str(path / "data.ms"))


def rainbow_masshunter(path: Path) -> object:
    """Read the spectra with rainbow, which does not bin them."""
    from rainbow.agilent import masshunter

    return masshunter.parse_mspeakdata(str(path / "AcqData"))


def rainbow_masslynx(path: Path) -> object:
    """Read the spectra with rainbow, in bins of m/z as wide as it makes them by itself."""
    from rainbow.waters import masslynx

    _, counts, _ = masslynx.parse_funcidx(str(path / "_FUNC001.IDX"))
    return masslynx.parse_funcdat6(str(path / "_FUNC001.DAT"), counts, bin_width=1.0)

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gale.errors import MissingExtraError, ReadError, UnsupportedFormatError
from gale.features import compute_features
from gale.features.summary import SummarySpec
from gale.readers import parse_run
from gale.readers.andi import netcdf
from helpers.errors import check_error, refused
from helpers.netcdf_files import classic, hdf5
from helpers.run_files import andi, assert_same, small_run


@pytest.mark.parametrize("version", [1, 2, 5])
@pytest.mark.parametrize(
    "records", [(), ("scan_acquisition_time",), ("scan_index", "scan_acquisition_time")]
)
@pytest.mark.parametrize("streamed", [False, True])
def test_classic_forms(version: int, records: tuple[str, ...], streamed: bool) -> None:
    run = small_run(empty=(2, 9))
    data = classic(run, version, records=records, streamed=streamed and bool(records))
    found = parse_run(data, "x")
    assert_same(found, run)
    assert found.facts["spectra"] == "centroid"


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "shuffle": True}])
def test_netcdf4(options: dict[str, Any]) -> None:
    run = small_run(empty=(2, 9))
    found = parse_run(hdf5(run, **options), "x")
    assert_same(found, run)
    assert_same(found, parse_run(andi(run), "x"))
    assert found.facts["spectra"] == "centroid"


@pytest.mark.parametrize("version", [1, 5])
def test_cut_anywhere(version: int) -> None:
    data = classic(small_run(4), version)
    for end in range(4, len(data)):
        with pytest.raises(ReadError) as raised:
            parse_run(data[:end], "x")
        check_error(raised.value)


def test_netcdf4_cut_anywhere() -> None:
    data = hdf5(small_run(4))
    for end in range(8, len(data) - 1, 97):
        with pytest.raises(ReadError) as raised:
            parse_run(data[:end], "x")
        check_error(raised.value)


@pytest.mark.parametrize("version", [1, 2, 5])
def test_every_number_of_the_header_may_lie(version: int) -> None:
    data = classic(small_run(3), version)
    end = data.index(b"intensity_values", data.index(b"experiment_type")) + 60
    for at in range(4, min(end, len(data) - 8), 4):
        damaged = data[:at] + b"\x7f\xff\xff\xff" + data[at + 4 :]
        with contextlib.suppress(ReadError):  # and nothing else
            parse_run(damaged, "x")


def test_a_dataset_that_says_it_has_terabytes() -> None:
    h5py = pytest.importorskip("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("mass_values", (2**40,), "f8", chunks=(1024,))
    with refused(ReadError, "x", found=("mass_values", "8,796,093,022,208 bytes")):
        parse_run(buffer.getvalue(), "x")


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["mass_values"] = np.ones(3)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["mass_values"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "mass_values")
    with refused(UnsupportedFormatError, "x", found="variables []"):
        parse_run(buffer.getvalue(), "x")


def test_without_h5py(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with refused(MissingExtraError, "x", found="HDF5", remedy='pip install "gale-ms[hdf5]"'):
        parse_run(netcdf.HDF5 + b"abc", "x")
    path = tmp_path / "a.cdf"
    path.write_bytes(netcdf.HDF5 + b"abc")
    # One such file must not stop a batch.
    assert not compute_features([path, small_run()], SummarySpec()).ok[0]


def test_a_declared_fill_value_is_dropped() -> None:
    run = small_run()
    data = andi(
        run, scale={"intensity_values": {"_FillValue": run.intensity[5]}}, drop=("total_intensity",)
    )
    assert parse_run(data, "x").n_ions == run.n_ions - 1

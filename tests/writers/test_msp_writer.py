"""Spectra written as MSP read back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gale
from gale.errors import OutputError
from gale.writers.msp import BASE_PEAK, Entry, msp_text, write_msp
from helpers.errors import refused

SPECTRA = st.dictionaries(st.integers(1, 900), st.floats(1e-3, 1e9), min_size=1, max_size=30)


@given(spectra=st.lists(SPECTRA, min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_spectra_read_back(spectra: list[dict[int, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spectra.msp")
        entries = [
            Entry(
                f"peak {number}",
                np.array(sorted(ions)),
                np.array([ions[mz] for mz in sorted(ions)]),
            )
            for number, ions in enumerate(spectra)
        ]
        write_msp(entries, path)
        again = gale.read_library(path)
    assert again.name == tuple(f"peak {number}" for number in range(len(spectra)))
    for number, ions in enumerate(spectra):
        mz, height = again.spectrum(number)
        highest = max(ions.values())
        expected = {at: round(BASE_PEAK * each / highest) for at, each in ions.items()}
        assert dict(zip(mz, height, strict=True)) == pytest.approx(
            {at: each for at, each in expected.items() if each}, abs=1
        )


def test_names_and_facts_stay_on_their_line(tmp_path: Path) -> None:
    entry = Entry("a\nNum Peaks: 9", np.array([57]), np.array([3.0]), {"RI": "900", "Comment": ""})
    write_msp([entry], tmp_path / "one.msp")
    assert (tmp_path / "one.msp").read_text() == (
        "Name: a Num Peaks: 9\nRI: 900\nNum Peaks: 1\n57 999;\n"
    )
    again = gale.read_library(tmp_path / "one.msp")
    assert (again.name, again.retention_index.tolist()) == (("a Num Peaks: 9",), [900.0])


@given(
    name=st.text(st.characters(codec="ascii"), max_size=600).filter(str.strip),
    comment=st.text(st.characters(codec="ascii"), max_size=1200),
    spectra=st.lists(SPECTRA, min_size=1, max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_records_keep_the_rules_of_others(
    name: str, comment: str, spectra: list[dict[int, float]]
) -> None:
    """The rules of NIST MS Search (its manual, "NIST text format"), which MS-DIAL reads, too."""
    facts = {"RETENTIONTIME": "7.2100", "RETENTIONINDEX": "900.0", "Comment": comment}
    text = msp_text(
        Entry(name, np.array(sorted(ions)), np.array([ions[mz] for mz in sorted(ions)]), facts)
        for ions in spectra
    )
    assert text.isascii()
    records = text.rstrip("\n").split("\n\n")
    assert len(records) == len(spectra)
    for record in records:
        lines = record.split("\n")
        end = next(at for at, line in enumerate(lines) if line.startswith("Num Peaks: "))
        keys = [line.split(": ", 1)[0] for line in lines[: end + 1]]
        assert keys[0] == "Name"
        assert set(keys[1:-1]) <= {"RETENTIONTIME", "RETENTIONINDEX", "Comment"}
        assert len(set(keys)) == len(keys)
        assert len(lines[0]) <= len("Name: ") + 511
        assert max(map(len, lines)) <= len("Comment: ") + 1023
        peaks = [pair.split() for line in lines[end + 1 :] for pair in line.split(";") if pair]
        assert lines[end] == f"Num Peaks: {len(peaks)}"
        masses, heights = zip(*((int(mz), int(height)) for mz, height in peaks), strict=True)
        assert sorted(set(masses)) == list(masses)
        assert (min(heights) >= 1, max(heights)) == (True, 999)


def test_an_existing_file_stays(tmp_path: Path) -> None:
    (tmp_path / "one.msp").write_text("mine")
    with refused(OutputError, tmp_path / "one.msp", remedy="force=True"):
        write_msp([], tmp_path / "one.msp")
    assert (tmp_path / "one.msp").read_text() == "mine"

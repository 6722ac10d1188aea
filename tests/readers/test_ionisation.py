"""The ionisation that a file states is a fact of its run, and a model of electrons says nothing."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import gale
from gale.inspection.verdict import verdict
from gale.readers import parse_run, read_run
from gale.readers.ionisation import ELECTRON, ionisation, polarity, stated
from gale.run import Run
from helpers.commands import succeed
from helpers.run_files import andi, cv, jcamp, mzml, small_run
from helpers.training import Trained
from helpers.vendor_files import (
    SCAN_FIELDS,
    data_ms,
    lay_out,
    masshunter,
    masslynx,
    nominal_run,
    schema,
)
from helpers.xml_files import mzxml

WORDS = {
    "electron ionization": ELECTRON,
    "EI+": ELECTRON,
    "Electron Impact": ELECTRON,
    "70 eV EI": ELECTRON,
    "electrospray ionization": "electrospray ionisation",
    "nanoESI": "electrospray ionisation",
    "ES+": "electrospray ionisation",
    "Chemical Ionization": "chemical ionisation",
    "Negative Ion chemical ionization": "chemical ionisation",
    "NCI": "chemical ionisation",
    "atmospheric pressure chemical ionization": "atmospheric-pressure chemical ionisation",
    "APCI": "atmospheric-pressure chemical ionisation",
    "Field Ionization": "field ionisation",
    "FI+": "field ionisation",
    "Field Desorption": "field desorption",
    "Fast Atom Bombardment": "fast atom bombardment",
    "matrix-assisted laser desorption ionization": "matrix-assisted laser desorption",
    "Other Ionization": "other ionisation",
    "electrospray inlet": "",
    "EI/CI": "",
    "unknown": "",
    "-": "",
    "": "",
}


@pytest.mark.parametrize("text", WORDS)
def test_words_of_formats_and_makers(text: str) -> None:
    assert ionisation(text) == WORDS[text]
    assert ionisation(ionisation(text)) == WORDS[text]  # a fact is understood again


def test_polarities() -> None:
    found = [polarity(text) for text in ("EI+", "ES-", "negative scan", "Positive Polarity", "EI")]
    assert found == ["positive", "negative", "negative", "positive", ""]
    assert stated([], ["-", "+"]) == {"polarity": "positive and negative"}


def of_mzml(source: str, sign: str) -> Run:
    text = mzml(small_run(), params=cv("MS:1000127") + sign).decode()
    other = '<instrumentConfiguration id="B"><componentList><source order="1">{}</source>'
    end = "</componentList></instrumentConfiguration>"
    lists = other.format(cv("MS:1000057", "electrospray inlet")) + end
    lists += other.format(source).replace('"B"', '"A"') + end
    text = text.replace("<run ", f"{lists}<run ", 1)
    return parse_run(text.encode(), "x")


def test_mzml() -> None:
    chemical = of_mzml(cv("MS:1000071", "chemical ionization"), cv("MS:1000129", "negative scan"))
    assert chemical.facts["ionisation"] == "chemical ionisation"
    assert chemical.facts["polarity"] == "negative"
    electron = of_mzml(cv("MS:1000389", "electron ionization"), cv("MS:1000130", "positive scan"))
    assert (electron.facts["ionisation"], electron.facts["polarity"]) == (ELECTRON, "positive")


def test_mzxml() -> None:
    text = mzxml(small_run(), polarity="-").decode()
    assert "polarity" in text
    text = text.replace("</msInstrument>", '<msIonisation value="CI"/></msInstrument>')
    facts = parse_run(text.encode(), "x").facts
    assert (facts["ionisation"], facts["polarity"]) == ("chemical ionisation", "negative")


def test_andi() -> None:
    attributes = {
        "experiment_type": "Centroided Mass Spectrum",
        "test_ionization_mode": "Field Ionization",
        "test_ionization_polarity": "Positive Polarity",
    }
    facts = parse_run(andi(small_run(), attributes=attributes), "x").facts
    assert (facts["ionisation"], facts["polarity"]) == ("field ionisation", "positive")


def test_jcamp() -> None:
    run = parse_run(jcamp(small_run(), header="##TITLE= a\n##.IONIZATION MODE= CI-\n"), "x")
    assert (run.facts["ionisation"], run.facts["polarity"]) == ("chemical ionisation", "negative")


@pytest.mark.parametrize(
    ("mode", "kind", "sign"),
    [(0, ELECTRON, "positive"), (3, "chemical ionisation", "negative"), (31, None, None)],
)
def test_masslynx(mode: int, kind: str | None, sign: str | None, tmp_path: Path) -> None:
    files = masslynx(nominal_run())
    packed = struct.unpack_from("<H", files["_FUNCTNS.INF"])[0] | mode << 5
    files["_FUNCTNS.INF"] = struct.pack("<H", packed) + files["_FUNCTNS.INF"][2:]
    facts = read_run(lay_out(tmp_path / "a.raw", files)).facts
    assert (facts.get("ionisation"), facts.get("polarity")) == (kind, sign)


def test_masshunter(tmp_path: Path) -> None:
    files = masshunter(nominal_run())
    assert "ionisation" not in read_run(lay_out(tmp_path / "a.D", files)).facts
    files = masshunter(nominal_run(), method=4)
    as_ = {"ScanMethodID": "IonMode", "CycleNumber": "IonPolarity"}  # which is 0
    fields = tuple((as_.get(name, name), kind) for name, kind in SCAN_FIELDS)
    files["AcqData/MSScan.xsd"] = schema(fields)
    facts = read_run(lay_out(tmp_path / "b.D", files)).facts
    assert (facts["ionisation"], facts["polarity"]) == ("chemical ionisation", "positive")


def test_data_ms_beside_the_scans_of_masshunter(tmp_path: Path) -> None:
    files = masshunter(nominal_run(), method=4)
    fields = tuple(
        ("IonMode" if name == "ScanMethodID" else name, kind) for name, kind in SCAN_FIELDS
    )
    files |= {"data.ms": data_ms(nominal_run()), "AcqData/MSScan.xsd": schema(fields)}
    run = read_run(lay_out(tmp_path / "a.D", files))
    assert (run.format, run.facts["ionisation"]) == ("chemstation", "chemical ionisation")
    files["AcqData/MSScan.bin"] = b"damaged"
    run = read_run(lay_out(tmp_path / "b.D", files))
    assert (run.n_scans, run.facts.get("ionisation")) == (40, None)


def with_facts(run: Run, **facts: str) -> Run:
    ions = run.ions_per_scan
    return Run.from_scans(run.time_min, ions, run.mz, run.intensity, facts=facts, source="a.cdf")


def test_predictions_of_another_ionisation_are_doubtful(runs: list[Path], trained: Trained) -> None:
    run = gale.read_run(runs[0])
    for facts, words in (
        ({"ionisation": "electrospray ionisation"}, "states electrospray ionisation: a model of"),
        ({"polarity": "negative"}, "states negative ions"),
        ({"ionisation": ELECTRON, "polarity": "negative"}, "electron ionisation of negative ions"),
    ):
        with pytest.warns(gale.GaleWarning, match="doubtful"):
            row = trained.model.predict(with_facts(run, **facts)).row(0, named=True)
        assert row["status"] == "doubtful"
        assert words in row["message"]
    assert verdict(with_facts(run, ionisation=ELECTRON, polarity="positive")).weighty == ()


@pytest.mark.slow
def test_inspect_page_and_converted_file_say_it(
    runs: list[Path], trained: Trained, tmp_path: Path
) -> None:
    run = with_facts(gale.read_run(runs[0]), ionisation="chemical ionisation", polarity="positive")
    gale.write_run(run, tmp_path / "a.mzML")
    done = succeed("inspect", tmp_path / "a.mzML")
    assert "ionisation    chemical ionisation" in done.output
    assert "odd: the file states chemical ionisation" in done.output
    with pytest.warns(gale.GaleWarning, match="doubtful"):
        page = gale.run_report(trained.model, read_run(tmp_path / "a.mzML"))
    assert (
        page.count("the file states chemical ionisation") == 2
    )  # in the frame, and at the numbers
    assert "Doubtful: do not rely" in page

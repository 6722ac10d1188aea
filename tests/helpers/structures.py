"""Small inputs of every kind with changed structure, and what gale is asked to do with them.

A new kind needs one line in :data:`KINDS`: what makes its files, and what uses them. The files are
written into an empty folder; the result is anything, or a GaleError. tools/fuzz.py runs them.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from lxml import etree

import gale
from gale.campaign.labels import read_label_table
from gale.errors import GaleError
from gale.evaluation.predictions import sidecar
from gale.run import Run
from helpers import mutations as m
from helpers.campaign_folders import RUN, RUNS, TABLES
from helpers.errors import check_error
from helpers.netcdf_files import columns, hdf5_of
from helpers.run_files import csv, frame, jcamp, mzml, small_run
from helpers.vendor_files import FOLDERS, data_ms, nominal_run
from helpers.xml_files import mzxml

MODELS = Path(__file__).parents[1] / "model" / "models"

Files = dict[str, bytes]


@dataclass(frozen=True)
class Kind:
    """A kind of input: what makes the files of a case, and what uses them."""

    make: Callable[[random.Random], Files]
    use: Callable[[Path], object]


def check(kind: Kind, folder: Path) -> str:
    """Use the files in a folder, and name what came of it.

    Raises
    ------
    Exception
        Whatever is neither a result nor a GaleError.
    """
    try:
        result = kind.use(folder)
    except GaleError as error:
        check_error(error)
        return type(error).__name__
    return type(result).__name__


@cache
def _run() -> Run:
    return small_run(5)


def _grid(run: Run) -> m.Grid:
    return [line.split(",") for line in csv(run).decode().splitlines()]


def _wide_grid() -> m.Grid:
    header = ["RT (min)", *map(str, range(40, 60))]
    return [header, *([f"{2 + at / 10}", *(["5", "0"] * 10)] for at in range(6))]


def _tables(rng: random.Random) -> Files:
    return {"a.csv": m.table(rng, rng.choice([_grid(_run()), _wide_grid()]))}


RETYPES: tuple[Callable[[pl.Series], pl.Series], ...] = (
    lambda column: column.cast(pl.String),
    lambda column: column.cast(pl.Int64, strict=False),
    lambda column: column * 1e308,
    lambda column: column * float("nan"),
    lambda column: column.shift(1),
    lambda column: column.reverse(),
    lambda column: -column,
    lambda column: column > 50,
    lambda column: column.cast(pl.Float32),
)
"""Changes to a column of numbers."""


def _parquet(rng: random.Random) -> Files:
    whole = frame(_run())
    table = whole
    for name in rng.sample(whole.columns, rng.randint(1, 3)):
        changed = rng.choice(RETYPES)(whole[name])
        table = table.with_columns(changed.alias(rng.choice([name, name, "time", "m/z", "a"])))
    return {"a.parquet": _parquet_of(table.head(rng.choice([0, 1, 2, 50, 50, 50])))}


def _parquet_of(table: object) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def _arrays(rng: random.Random) -> Files:
    found: dict[str, object] = dict(columns(_run()))
    for _ in range(rng.randint(1, 3)):
        name, other = rng.choice(list(found)), rng.choice(list(found))
        values = np.atleast_1d(np.asarray(found[name]))
        values = np.zeros(3) if values.dtype.kind == "S" else values
        found[name] = rng.choice(
            [values[:-1], values[::-1], values.astype("f4"), values * 0, values * -1, values[:0],
             np.array(3.0), values.astype("S4"), np.tile(values, (2, 1)), np.asarray(found[other])]
        )  # fmt: skip
        if rng.random() < 0.3:
            found[rng.choice(["a", "total_intensity", "ordinate_values"])] = found.pop(name)
    return {"a.cdf": hdf5_of(found)}


def _xml(rng: random.Random) -> Files:
    name = rng.choice(["a.mzML", "a.mzXML"])
    write = mzml if name == "a.mzML" else mzxml
    return {name: m.xml(rng, write(_run()))}


def _archive(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _archives(rng: random.Random) -> Files:
    folder = _folders(rng)
    others = {
        "a.csv": csv(_run()),
        "read me.txt": b"Dear lab",
        "x/data.ms": data_ms(nominal_run(3)),
    }
    files = {
        **folder,
        **{name: others[name] for name in rng.sample(list(others), rng.randint(0, 2))},
    }
    if rng.random() < 0.3:
        files["inner.zip"] = _archive(others)
    return {"a.zip": _archive(m.several(rng, m.change_files, files))}


def _folders(rng: random.Random) -> Files:
    maker = rng.choice(list(FOLDERS))
    suffix = {"masslynx": "raw"}.get(maker, "D")
    files = m.several(rng, m.change_files, FOLDERS[maker](nominal_run(4)))
    for name, data in files.items():
        if name.lower().endswith((".xml", ".xsd")) and rng.random() < 0.3:
            try:
                files[name] = m.xml(rng, data)
            except (ValueError, etree.XMLSyntaxError):
                continue
    return {f"a.{suffix}/{name}": data for name, data in files.items()}


def _any_run(folder: Path) -> object:
    """Read the one run of a folder, look at it, and write it; what is written reads back."""
    run = gale.read_run(next(folder.iterdir(), folder / "none"), centroid="a" in folder.name)
    gale.oddities(run)
    gale.write_run(run, folder / "again.mzML")
    again = gale.read_run(folder / "again.mzML", centroid=True)
    assert again.n_scans == run.n_scans
    return run


MSP = """Name: toluene\nRI: 763\nFormula: C7H8\nSMILES: Cc1ccccc1\nInChIKey: YXFVVABEGXRONW-UHFFFAOY
Num Peaks: 3\n91 999; 92 600\n65 130\n\nName: water\nNum Peaks: 2\n18 999\n17 200\n"""

MASSBANK = """ACCESSION: MSBNK-A-1\nRECORD_TITLE: toluene; EI\nCH$NAME: toluene\nCH$FORMULA: C7H8
CH$SMILES: Cc1ccccc1\nAC$INSTRUMENT_TYPE: EI-B\nAC$MASS_SPECTROMETRY: MS_TYPE MS
AC$MASS_SPECTROMETRY: IONIZATION EI\nPK$NUM_PEAK: 2\nPK$PEAK: m/z int. rel.int.
  91.0 999 999\n  92.0 600 600\n//\n"""

RECIPE = {
    "name": "a",
    "features": {"kind": "summary", "mz": [57, 91]},
    "network": {"hidden": [4], "dropout": 0.1},
    "fitting": {"epochs": 2, "learning_rate": 0.01, "schedule": "constant"},
    "soup": {"kind": "fixed", "size": 2, "interpolate": [1.0]},
    "folds": {"count": 2},
    "calibrate": True,
    "parts": [{"name": "b", "kind": "logistic", "share": 0.5}, {"name": "c", "share": 0.5}],
}

FAMILIES = {
    "phenol": {"any": ["[OX2H]c"], "none": ["N"], "description": "a"},
    "mineral": {"elements_required": ["Si"], "elements_allowed": ["Si", "O"]},
}

LABELS = [["run", "alcohol", "mineral"], ["a", "1", "0"], ["b", "", "1"], ["c", "0", "0"]]

PREDICTED = [
    [
        *("run", "status", "message", "unlike", "alcohol", "mineral"),
        *("alcohol_spread", "mineral_spread"),
    ],
    ["a", "ok", "", "0.5", "0.25", "0.5", "0.1", "0.1"],
    ["b", "failed", "is empty", "", "", "", "", ""],
    ["c", "ok", "", "1", "1e-3", "1", "0", "0.2"],
]  # fmt: skip

SIDECAR = {
    "families": ["alcohol", "mineral"],
    "prevalence": [0.3, 0.5],
    "model": "m",
    "content": [{"run": "a", "file": "a.csv", "sha256": "01"}],
}


def _predictions(rng: random.Random) -> Files:
    files = {"p.csv": m.table(rng, PREDICTED), "labels.csv": m.table(rng, LABELS)}
    if rng.random() < 0.5:
        files["labels.csv"] = "\n".join(map(",".join, LABELS)).encode()
    if rng.random() < 0.5:
        text = json.dumps(m.several(rng, m.change_nested, SIDECAR))
        files[sidecar(Path("p.csv")).name] = m.encode(rng, text)
    return files


def _evaluated(folder: Path) -> object:
    predictions = gale.read_predictions(folder / "p.csv")
    labels = read_label_table(folder / "labels.csv")
    return gale.evaluate(predictions, labels, resamples=5)


def _campaigns(rng: random.Random) -> Files:
    metadata = TABLES["metadata.csv"] + "".join(
        f"{run},{split},,{split}_features/{run}.csv,{'0' * 32}\n" for run, split in RUNS.items()
    )
    files = {name: text.encode() for name, text in {**TABLES, "metadata.csv": metadata}.items()}
    changed = rng.choice(list(files))
    grid = [line.split(",") for line in files[changed].decode().splitlines()]
    files[changed] = m.table(rng, grid)
    files |= {f"{split}_features/{run}.csv": RUN.format(1).encode() for run, split in RUNS.items()}
    return m.several(rng, m.change_files, files) if rng.random() < 0.5 else files


def _folder_of_runs(rng: random.Random) -> Files:
    files = {f"{name}.csv": csv(_run()) for name in "abc"}
    files["labels.csv"] = m.table(rng, LABELS)
    return m.several(rng, m.change_files, files) if rng.random() < 0.5 else files


def _opened(folder: Path) -> object:
    campaign = gale.Campaign.open(folder)
    campaign.family_table()
    campaign.fingerprint()
    return campaign.select(campaign.labelled)


def _recipes(rng: random.Random) -> Files:
    choices = {key: RECIPE[key] for key in rng.sample(list(RECIPE), rng.randint(1, len(RECIPE)))}
    changed = m.several(rng, m.change_nested, choices)
    if rng.random() < 0.3:
        return {"a.toml": m.text(rng, m.toml(changed))}
    return {"a.toml": m.encode(rng, m.toml(changed))}


def _rules(rng: random.Random) -> Files:
    return {"a.toml": m.encode(rng, m.toml(m.several(rng, m.change_nested, FAMILIES)))}


def _families(folder: Path) -> object:
    table = gale.read_family_table(folder / "a.toml")
    return gale.families_of(["CCO", "Oc1ccccc1", "not a structure"], table)


def _index(rng: random.Random) -> Files:
    return {"i.csv": m.table(rng, [["time_min", "index"], ["1.0", "800"], ["2.5", "900"]])}


def _extreme_runs(rng: random.Random) -> Files:
    """A run of extreme numbers, as a table of three columns in which a reader finds no fault."""
    run = small_run(rng.choice([2, 3, 12]), seed=rng.randrange(50))
    table = frame(run)
    for name in rng.sample(table.columns, rng.randint(1, 2)):
        factor = rng.choice([0.0, 1e-300, 1e-6, 1e3, 1e9, 1.0])
        table = table.with_columns((table[name] * factor + rng.choice([0, 0, 1, 49])).alias(name))
    return {"a.parquet": _parquet_of(table)}


@cache
def _model(name: str) -> gale.Model:
    return gale.Model.load(MODELS / name)


def _evidence(folder: Path) -> object:
    run = gale.read_run(folder / "a.parquet", centroid=True)
    gale.explain(_model("elution.onnx"), run, least=0.0)
    return gale.find_attributions(_model("format1.onnx"), run, least=0.0)


def _damaged_model(rng: random.Random) -> Files:
    """A model with other facts or another graph, which tools/fuzz_models.py makes and uses."""
    from tools import fuzz_models

    return {"m.onnx": fuzz_models.damaged(np.random.default_rng(rng.getrandbits(64)))}


def _used_model(folder: Path) -> None:
    from tools import fuzz_models

    fuzz_models.use((folder / "m.onnx").read_bytes(), pages=False)


KINDS = {
    "tables": Kind(_tables, _any_run),
    "typed tables": Kind(_parquet, _any_run),
    "xml": Kind(_xml, _any_run),
    "andi": Kind(_arrays, _any_run),
    "jcamp": Kind(lambda rng: {"a.jdx": m.text(rng, jcamp(_run()).decode())}, _any_run),
    "folders": Kind(_folders, _any_run),
    "archives": Kind(_archives, _any_run),
    "libraries": Kind(
        lambda rng: {"a.msp": m.text(rng, rng.choice([MSP, MASSBANK, MSP + MASSBANK]))},
        lambda folder: gale.Matcher(gale.read_library(folder / "a.msp")),
    ),
    "labels": Kind(
        lambda rng: {"labels.csv": m.table(rng, LABELS)},
        lambda folder: read_label_table(folder / "labels.csv"),
    ),
    "predictions": Kind(_predictions, _evaluated),
    "campaigns": Kind(_campaigns, _opened),
    "folders of runs": Kind(_folder_of_runs, _opened),
    "recipes": Kind(_recipes, lambda folder: gale.Recipe.load(folder / "a.toml")),
    "families": Kind(_rules, _families),
    "index tables": Kind(_index, lambda folder: gale.IndexTable.read(folder / "i.csv")),
    "evidence": Kind(_extreme_runs, _evidence),
    "models": Kind(_damaged_model, _used_model),
}
"""Every kind of input, by name."""

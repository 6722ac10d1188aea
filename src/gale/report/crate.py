"""A result as an RO-Crate: `ro-crate-metadata.json`, which repositories of research data read.

The file says what is in the folder of a result and how it came about, after RO-Crate 1.1 and the
profile Process Run Crate 0.5 (Leo et al., PLOS ONE 19 (2024) e0309210): gale, in its version, made
the table from runs and a model, which are named with their SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gale.errors import OutputError, TableError
from gale.evaluation.predictions import sidecar, sidecar_facts
from gale.plumbing.files import check_here, writing
from gale.plumbing.frames import files_of_table
from gale.plumbing.kinds import checked
from gale.plumbing.reading import sha256_of
from gale.plumbing.text import counted

FILE = "ro-crate-metadata.json"
"""Name that the standard gives to the file."""

CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".msp": "text/plain",
    ".mztab": "text/tab-separated-values",
    ".onnx": "application/octet-stream",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

DIGITS = 64
"""Of a whole SHA-256."""

Entity = dict[str, Any]


@checked
def write_crate(
    table: str | Path,
    *,
    include: Sequence[str | Path] = (),
    name: str | None = None,
    license: str | None = None,  # noqa: A002
    authors: Sequence[str] = (),
    force: bool = False,
) -> Path:
    r"""Describe a table of predictions and its folder as an RO-Crate.

    Parameters
    ----------
    table : str or path
        Table of predictions, with the JSON file that `gale predict` wrote beside it.
    include : sequence of str or path
        Further files in the folder of the table, or below it, that belong to the result.
    name : str, optional
        What the result is called; by default after the table.
    license : str, optional
        Address of the licence of the result.
    authors : sequence of str
        Names of those who made it.
    force : bool
        Whether an existing ``ro-crate-metadata.json`` is overwritten.

    Returns
    -------
    Path
        The file, in the folder of the table.

    Raises
    ------
    TableError
        If there is no JSON file beside the table, or it belongs to another table.
    OutputError
        If a file to include is missing or elsewhere, or the file exists or cannot be written.

    Examples
    --------
    >>> import gale, json, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "predictions.csv")
    ...     _ = table.write_text("run,status,message,alcohol\n")
    ...     facts = {"families": ["alcohol"], "prevalence": [0.2], "gale_version": "0.1.0"}
    ...     facts["created"] = "2026-11-29T10:00:00+00:00"
    ...     _ = table.with_suffix(".json").write_text(json.dumps(facts))
    ...     crate = json.loads(gale.write_crate(table).read_text())
    >>> crate["@graph"][0]["about"]
    {'@id': './'}
    """
    table = Path(table)
    check_here(table)
    facts = sidecar_facts(table)
    if facts is None or "created" not in facts:
        raise TableError(
            table,
            "has no JSON file beside it that says how it was made",
            str(sidecar(table)),
            "predict again, or keep the JSON file with the table",
        )
    results = [_file(each, table.parent) for each in (*files_of_table(table), sidecar(table))]
    entities = results + [_file(Path(each), table.parent) for each in include]
    root = _root(table, facts, entities, name)
    action = _action(facts, results)
    people = [
        {"@id": f"#author-{at}", "@type": "Person", "name": each}
        for at, each in enumerate(authors, start=1)
    ]
    if people:
        root["author"] = action["agent"] = _references(people)
    if license is not None:
        root["license"] = {"@id": license}
        people.append({"@id": license, "@type": "CreativeWork", "name": license})
    graph = [*_fixed(facts), root, *entities, *_inputs(facts), action, *people]
    target = table.parent / FILE
    with writing(target, force=force) as temporary:
        text = json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", "utf-8", newline="\n")
    return target


def _fixed(facts: Mapping[str, Any]) -> list[Entity]:
    """Describe the file itself, the profile and gale."""
    return [
        {
            "@id": FILE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": SPECIFICATION},
        },
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {
            "@id": "#gale",
            "@type": "SoftwareApplication",
            "name": "gale",
            "version": str(facts.get("gale_version", "unknown")),
        },
    ]


def _root(
    table: Path, facts: Mapping[str, Any], files: Sequence[Entity], name: str | None
) -> Entity:
    families = ", ".join(map(str, facts["families"]))
    n_families = counted(len(facts["families"]), "compound family", "compound families")
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": name or f"Compound families predicted by gale: {table.name}",
        "description": (
            f"Predictions of {n_families} ({families}) for "
            f"{counted(facts.get('runs', 0), 'GC-MS run')}, made by gale."
        ),
        "datePublished": facts["created"],
        "conformsTo": {"@id": PROFILE},
        "hasPart": _references(files),
        "mentions": {"@id": "#prediction"},
    }


def _action(facts: Mapping[str, Any], results: Sequence[Entity]) -> Entity:
    notes = " ".join(map(str, facts.get("notes", ())))
    return {
        "@id": "#prediction",
        "@type": "CreateAction",
        "name": "Prediction of compound families",
        "description": notes or "gale predict",
        "endTime": facts["created"],
        "instrument": {"@id": "#gale"},
        "object": _references(_inputs(facts)),
        "result": _references(results),
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }


def _inputs(facts: Mapping[str, Any]) -> list[Entity]:
    """Name the model, the runs and the libraries, which are not part of the crate."""
    model = {"@id": "#model", "@type": "CreativeWork", "name": str(facts.get("model", "a model"))}
    model |= _digest(facts.get("model_sha256", ""))
    runs = [
        {
            "@id": f"#run-{number}",
            "@type": "CreativeWork",
            "name": each["run"],
            "alternateName": each["file"],
            **_digest(each["sha256"]),
        }
        for number, each in enumerate(facts.get("content", ()), start=1)
    ]
    libraries = [
        {
            "@id": f"#library-{number}",
            "@type": "CreativeWork",
            "name": f"spectral library {each['name']}",
            **_digest(each["sha256"]),
        }
        for number, each in enumerate(facts.get("libraries", ()), start=1)
    ]
    return [model, *runs, *libraries]


def _digest(digits: str) -> dict[str, str]:
    """State a SHA-256, or that only its beginning is known."""
    if len(digits) == DIGITS:
        return {"sha256": digits}
    return {"identifier": f"SHA-256 beginning with {digits}"} if digits else {}


def _file(path: Path, folder: Path) -> Entity:
    """Describe a file of the crate.

    Raises
    ------
    OutputError
        If it is not in the folder or below it, or is no file.
    """
    if not path.is_file():
        raise OutputError(path, "is not a file", "files of the result", "write it first")
    try:
        relative = path.resolve().relative_to(folder.resolve())
    except ValueError:
        raise OutputError(
            path, f"is outside of {folder}", "files in the folder of the table", "move it there"
        ) from None
    return {
        "@id": quote(relative.as_posix()),
        "@type": "File",
        "name": relative.as_posix(),
        "encodingFormat": MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"),
        "contentSize": str(path.stat().st_size),
        "sha256": sha256_of(path),
    }


def _references(entities: Iterable[Entity]) -> list[dict[str, str]]:
    return [{"@id": each["@id"]} for each in entities]

"""RO-Crates of results, checked by the rules of the standard."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pytest

import gale
from gale.errors import OutputError, TableError
from gale.report.crate import FILE
from helpers.commands import error_of, succeed
from helpers.errors import check_error, refused
from helpers.training import Trained


@pytest.fixture
def table(trained: Trained, campaign: gale.Campaign, tmp_path: Path) -> Path:
    path = tmp_path / "my predictions.csv"
    words = ["--model", trained.path, "--no-cache", "-q"]
    succeed("predict", *campaign.files[:2], *words, "-o", path)
    return path


def check(path: Path) -> dict[str, dict[str, Any]]:
    """Read a crate by the rules of RO-Crate 1.1 and of the profile; return entities by name."""
    crate = json.loads(path.read_text("utf-8"))
    assert set(crate) == {"@context", "@graph"}
    assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {each["@id"]: each for each in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    assert all(each["@type"] for each in entities.values())
    about = entities[FILE]
    assert about["@type"] == "CreativeWork"
    assert about["about"] == {"@id": "./"}
    assert about["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = entities["./"]
    assert root["@type"] == "Dataset"
    assert all(root[name] for name in ("name", "description", "datePublished", "hasPart"))
    for each in entities.values():
        for value in each.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    assert list(item) == ["@id"]
                    known = item["@id"] in entities
                    assert known or item["@id"].startswith(("https://w3id.org", "http://schema"))
    files = [each for each in entities.values() if each["@type"] == "File"]
    assert {each["@id"] for each in root["hasPart"]} == {each["@id"] for each in files}
    for each in files:
        content = (path.parent / unquote(each["@id"])).read_bytes()
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
        assert each["contentSize"] == str(len(content))
    (action,) = [each for each in entities.values() if each["@type"] == "CreateAction"]
    assert entities[action["instrument"]["@id"]]["@type"] == "SoftwareApplication"
    assert action["endTime"] == root["datePublished"]
    assert action["object"]
    assert action["result"]
    return entities


def test_what_made_a_table(table: Path, trained: Trained, campaign: gale.Campaign) -> None:
    written = gale.write_crate(table)
    assert written == table.parent / FILE
    entities = check(written)
    assert entities["#model"]["sha256"] == trained.model.sha256
    for number, file in enumerate(campaign.files[:2], start=1):
        run = entities[f"#run-{number}"]
        assert run["alternateName"] == file.name
        known = run["identifier"].removeprefix("SHA-256 beginning with ")
        assert len(known) >= 16
        assert hashlib.sha256(file.read_bytes()).hexdigest().startswith(known)
    assert "my%20predictions.csv" in entities
    assert {each["@id"] for each in entities["#prediction"]["result"]} == {
        "my%20predictions.csv", "my%20predictions.json",
    }  # fmt: skip


def test_the_command(table: Path) -> None:
    (table.parent / "pages").mkdir()
    page = table.parent / "pages" / "a.html"
    page.write_text("<p>")
    words = ["--include", page, "--author", "Ada", "--author", "Grace", "--name", "A result"]
    address = "https://creativecommons.org/licenses/by/4.0/"
    said = succeed("crate", table, *words, "--license", address).output
    assert str(table.parent / FILE) in said
    entities = check(table.parent / FILE)
    root = entities["./"]
    assert (root["name"], root["license"]) == ("A result", {"@id": address})
    assert [entities[each["@id"]]["name"] for each in root["author"]] == ["Ada", "Grace"]
    assert entities["pages/a.html"]["encodingFormat"] == "text/html"
    check_error(error_of("crate", table), table.parent / FILE, kind=OutputError)
    succeed("crate", table, "--force")


@pytest.mark.parametrize("value", [None, -1, 10**400, 0.5, True, "", [None], [{}], {}, "\ud800"])
def test_facts_that_were_changed_are_refused_or_written(table: Path, value: object) -> None:
    """Whatever is in a file beside predictions, it is a crate or an error of one line."""
    beside = table.with_suffix(".json")
    facts = json.loads(beside.read_text())
    for name in facts:
        beside.write_text(json.dumps({**facts, name: value}))
        try:
            check(gale.write_crate(table, force=True))
        except TableError as error:
            assert str(beside) in str(error) or str(table) in str(error)  # noqa: PT017
            assert len(str(error).splitlines()) == 1  # noqa: PT017


def test_a_table_of_several_files(
    trained: Trained, campaign: gale.Campaign, tmp_path: Path
) -> None:
    model, labels = ("--model", trained.path), ("--labels", campaign.root / "test_labels.csv")
    succeed("predict", campaign.root, "--split", "test", *model, "-o", f"{tmp_path}/many/", "-q")
    assert "log loss" in succeed("evaluate", tmp_path / "many", *labels, "--resamples", 5).stdout
    entities = check(gale.write_crate(tmp_path / "many"))
    assert {each["@id"] for each in entities["#prediction"]["result"]} == {
        "many/part-00000.parquet", "many.json",
    }  # fmt: skip
    part = tmp_path / "many" / "part-00000.parquet"
    pl.read_parquet(part).reverse().write_parquet(part)
    check_error(error_of("evaluate", tmp_path / "many", *labels), found="is not of many")


def test_tables_that_do_not_say_how_they_were_made(table: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / "other.csv"
    for path, found in ((table.parent / "none.csv", "not a file"), (outside, "outside")):
        if path == outside:
            path.write_text("a")
        with refused(OutputError, path, found=found):
            gale.write_crate(table, include=[path])
    outside.unlink()
    table.write_text(table.read_text() + "\n")
    with refused(TableError, table.with_suffix(".json"), found="is not of"):
        gale.write_crate(table)
    table.with_suffix(".json").unlink()
    with refused(TableError, table, found="no JSON file", remedy="predict again"):
        gale.write_crate(table)
    assert not (tmp_path / FILE).exists()

"""The API: what comes in, what goes out, and that it is what `Model.predict` gives."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

import gale
from gale.readers import checksum_of
from helpers.eluting import Eluting, run_of
from helpers.run_files import csv
from helpers.services import API, MODEL, client_of, form, run_csv, wait_done, zipped
from helpers.vendor_files import FOLDERS, nominal_run

SMALL = gale.Model.load(MODEL)


def predicted(path: Path, data: bytes, name: str = "run.csv") -> pl.DataFrame:
    (path / name).write_bytes(data)
    return SMALL.predict(path / name)


def events_of(text: str) -> list[tuple[str, int, dict[str, Any]]]:
    """Kind, number and data of each event of a stream."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        found.append((lines["event"], int(lines["id"]), json.loads(lines["data"])))
    return found


def test_numbers_are_those_of_the_library(client: TestClient, tmp_path: Path) -> None:
    answer = client.post(f"{API}/predict", files=form([("run.csv", run_csv())]))
    assert answer.status_code == 200
    assert answer.headers["gale-model"] == f"{SMALL.sha256}, {SMALL.sha256}"
    said = answer.json()
    assert [each["sha256"] for each in said["models"]] == [SMALL.sha256] * 2
    (run,) = said["runs"]
    assert (run["name"], run["sha256"]) == ("run.csv", checksum_of(run_csv()))
    expected = predicted(tmp_path, run_csv()).row(0, named=True)
    for row, name in zip(run["predictions"], ("small", "again"), strict=True):
        assert (row["model"], row["model_sha256"]) == (name, SMALL.sha256)
        assert (row["status"], row["message"]) == (expected["status"], expected["message"])
        for family in SMALL.families:
            values = row["families"][family]
            assert np.float32(values["value"]) == np.float32(expected[family])
            assert np.float32(values["spread"]) == np.float32(expected[f"{family}_spread"])
        assert row["unlike"] == pytest.approx(expected["unlike"], rel=1e-6)


def test_a_batch_has_a_row_for_each_file(client: TestClient) -> None:
    files = [("a.csv", run_csv(1)), ("empty.csv", b""), ("b.csv", run_csv(2))]
    said = client.post(f"{API}/predict", files=form(files)).json()
    assert [run["name"] for run in said["runs"]] == ["a.csv", "empty.csv", "b.csv"]
    statuses = [run["predictions"][0]["status"] for run in said["runs"]]
    assert statuses == ["ok", "failed", "ok"]
    failed = said["runs"][1]
    assert failed["predictions"][0]["message"].startswith("empty.csv: is empty")
    assert "page" not in failed


def test_a_file_that_cannot_be_read_is_a_problem(client: TestClient) -> None:
    answer = client.post(f"{API}/predict", files=form([("x.csv", b"hello")]))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "gale-model" in answer.headers
    problem = answer.json()
    assert problem["title"] == "Unprocessable Entity"
    assert problem["detail"].startswith("x.csv: is text without columns")
    assert str(Path.cwd()) not in answer.text
    assert problem["runs"][0]["predictions"][0]["status"] == "failed"


def test_a_job_and_its_events(client: TestClient) -> None:
    answer = client.post(f"{API}/jobs", files=form([("a.csv", run_csv(1)), ("b.csv", b"")]))
    assert answer.status_code == 202
    job = answer.json()["id"]
    assert answer.headers["location"] == f"{API}/jobs/{job}"
    more = client.post(f"{API}/jobs/{job}/runs", files=form([("c.csv", run_csv(3))]))
    assert [run["name"] for run in more.json()["runs"]] == ["c.csv"]
    headers = {"Accept": "text/event-stream"}
    events = events_of(client.get(f"{API}/jobs/{job}", headers=headers).text)
    runs = [(number, data["name"]) for kind, number, data in events if kind == "run"]
    assert sorted(name for _, name in runs) == ["a.csv", "b.csv", "c.csv"]
    assert events[-1][0] == "done"
    progress = [data for kind, _, data in events if kind == "progress"]
    assert progress[-1] == {"runs": 3, "waiting": 0, "reading": 0, "done": 3}
    # whoever was cut off after the first run gets the others
    headers["Last-Event-ID"] = str(runs[0][0])
    again = events_of(client.get(f"{API}/jobs/{job}", headers=headers).text)
    assert [data["name"] for kind, _, data in again if kind == "run"] == [
        name for _, name in runs[1:]
    ]
    said = client.get(f"{API}/jobs/{job}").json()
    assert said["done"]
    assert [run["name"] for run in said["runs"]] == ["a.csv", "b.csv", "c.csv"]


def test_the_table_is_what_gale_predict_writes(client: TestClient, tmp_path: Path) -> None:
    files = [("a.csv", run_csv(1)), ("=1+1.csv", b""), ("a.csv", run_csv(2))]
    job = client.post(f"{API}/jobs", files=form(files)).json()["id"]
    wait_done(client, job)
    answer = client.get(f"{API}/jobs/{job}/table", params={"model": "again"})
    assert answer.headers["content-disposition"] == 'attachment; filename="predictions-again.csv"'
    (tmp_path / "table.csv").write_bytes(answer.content)
    read = gale.read_predictions(tmp_path / "table.csv")
    assert read.runs == ("a.csv", "=1+1.csv", "a.csv (2)")
    assert list(read.failed) == ["=1+1.csv"]
    expected = predicted(tmp_path, run_csv(2)).select(SMALL.families).to_numpy()[0]
    np.testing.assert_array_equal(read.probability[2].astype("f4"), expected.astype("f4"))
    parquet = client.get(f"{API}/jobs/{job}/table", params={"format": "parquet"}).content
    table = pl.read_parquet(io.BytesIO(parquet))
    assert table["run"].to_list() == list(read.runs)
    assert table.columns == answer.text.splitlines()[0].split(",")


def test_a_workbook_has_names_as_texts(client: TestClient) -> None:
    """Such as =1+1, which would be computed."""
    job = client.post(f"{API}/jobs", files=form([("=1+1", b"")])).json()["id"]
    wait_done(client, job)
    content = client.get(f"{API}/jobs/{job}/table", params={"format": "xlsx"}).content
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
        assert "=1+1" in book.read("xl/sharedStrings.xml").decode()


@pytest.mark.slow
def test_pages_and_peaks(client: TestClient, tmp_path: Path) -> None:
    data = csv(run_of([Eluting(150, 5000.0, {43: 60.0, 57: 100.0, 71: 50.0, 85: 30.0})]))
    files = [("<b>a.csv", data), ("b.csv", b"")]
    job = client.post(f"{API}/jobs", files=form(files)).json()["id"]
    good, bad = wait_done(client, job)["runs"]
    page = client.get(good["page"])
    assert page.status_code == 200
    assert "sandbox allow-scripts" in page.headers["content-security-policy"]
    assert (
        "unsafe-inline"
        not in page.headers["content-security-policy"].split("script-src")[1].split(";")[0]
    )
    assert SMALL.sha256 in page.text
    assert client.get(good["page"]).text == page.text  # made once
    run = gale.read_run(_written(tmp_path, data))
    assert len(gale.find_peaks(run)) == 1
    for what, table, column in (
        ("evidence", gale.explain(SMALL, run), "ion_1"),
        ("peaks", gale.find_peaks(run).table, "compound"),
    ):
        said = client.get(good[what]).json()
        assert [row[column] for row in said[what]] == table[column].to_list()
        assert said["columns"] == table.columns
        text = client.get(good[what], params={"format": "csv"}).text
        assert len(text.splitlines()) == len(table) + 1
    for what in ("page", "evidence", "peaks"):
        answer = client.get(f"{API}/runs/{bad['id']}/{what}")
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("b.csv: is empty")
    content = client.get(f"{API}/jobs/{job}/pages").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        index = archive.read("index.html").decode()
    assert names == ["_b_a.csv.html", "index.html"]
    assert "b.csv: is empty" in index
    assert "<b>a" not in index


def _written(folder: Path, data: bytes) -> Path:
    path = folder / "written.csv"
    path.write_bytes(data)
    return path


def test_a_zip_of_runs_is_taken_apart(client: TestClient) -> None:
    archive = zipped([("all/a.csv", run_csv(1)), ("all/notes.txt", b"read me"),
                      ("all/b.csv.gz", b"\x1f\x8bdamaged"), ("all/c.csv", run_csv(2))])  # fmt: skip
    said = client.post(f"{API}/predict", files=form([("all.zip", archive)])).json()
    found = [(run["name"], run["predictions"][0]["status"]) for run in said["runs"]]
    assert found == [
        ("all.zip/all/a.csv", "ok"),
        ("all.zip/all/b.csv.gz", "failed"),
        ("all.zip/all/c.csv", "ok"),
    ]
    assert said["left_out"] == ["all.zip/all/notes.txt"]


@pytest.mark.filterwarnings("ignore::gale.GaleWarning")
@pytest.mark.parametrize("maker", list(FOLDERS))
def test_the_folder_of_an_instrument(client: TestClient, tmp_path: Path, maker: str) -> None:
    """Sent file by file or in an archive, it is the run that `gale predict` reads."""
    files = [(f"run.D/{name}", data) for name, data in FOLDERS[maker](nominal_run(40)).items()]
    for name, data in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    expected = SMALL.predict(tmp_path / "run.D").row(0, named=True)
    checksum = checksum_of(gale.readers.load(tmp_path / "run.D"))
    for sent in (files, [("run.D.zip", zipped(files))]):
        (run,) = client.post(f"{API}/predict", files=form(sent)).json()["runs"]
        assert run["sha256"] == checksum
        (row, _) = run["predictions"]
        assert row["status"] == expected["status"]
        found = [row["families"][family]["value"] for family in SMALL.families]
        assert found == pytest.approx([expected[family] for family in SMALL.families], rel=1e-6)


def test_a_request_that_is_sent_again_is_taken_once(client: TestClient) -> None:
    job = client.post(f"{API}/jobs").json()["id"]
    for _ in range(2):
        answer = client.post(f"{API}/jobs/{job}/runs", files=form([("a.csv", b"")]),
                             headers={"Idempotency-Key": "one"})  # fmt: skip
        assert len(answer.json()["runs"]) == 1
    assert len(wait_done(client, job)["runs"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/jobs/none", 404),
        ("GET", "/runs/none/page", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/jobs/none", 405),
        ("POST", "/predict", 400),
        ("POST", "/jobs/none/runs", 404),
    ],
)
def test_problems(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, API + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
    assert "gale-model" in answer.headers


def test_models_health_and_metrics(client: TestClient) -> None:
    said = client.get(f"{API}/model").json()
    assert [each["name"] for each in said["models"]] == ["small", "again"]
    assert [each["name"] for each in said["models"][0]["families"]] == list(SMALL.families)
    assert said["limits"]["max_mb"] == 1
    client.post(f"{API}/predict", files=form([("a.csv", run_csv())]))
    assert client.get(f"{API}/health").json() == {"status": "ok", "workers": 1, "waiting": 0}
    lines = client.get(f"{API}/metrics").text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(values['gale_runs_total{status="ok"}']) >= 1
    assert float(values['gale_requests_total{route="predict",status="200"}']) >= 1
    assert float(values["gale_upload_bytes_total"]) >= len(run_csv())
    unknown = client.get(f"{API}/jobs/x/table", params={"model": "none"})
    assert unknown.status_code == 404


@pytest.mark.slow
def test_a_run_of_an_earlier_model(tmp_path: Path) -> None:
    """Its numbers stay, under the fingerprint of that model; there is no page by another one."""
    with client_of(tmp_path / "data") as client:
        job = client.post(f"{API}/predict", files=form([("a.csv", run_csv())])).json()["job"]
    old = gale.Model.load(MODEL.with_name("format1.onnx"))
    with client_of(tmp_path / "data", {"old": MODEL.with_name("format1.onnx")}) as client:
        (run,) = client.get(f"{API}/jobs/{job}").json()["runs"]
        assert run["predictions"][0]["model_sha256"] == SMALL.sha256
        answer = client.get(run["page"])
        assert answer.status_code == 409
        assert "another model" in answer.json()["detail"]
        assert answer.headers["gale-model"] == old.sha256
        table = client.get(f"{API}/jobs/{job}/table").text
        assert len(table.splitlines()) == 1  # a header without rows


def test_the_description_fits_the_answers(client: TestClient) -> None:
    """Every answer of the API has what the OpenAPI document says, and nothing else."""
    document = client.get(f"{API}/openapi.json").json()
    schemas = document["components"]["schemas"]
    done = client.post(f"{API}/predict", files=form([("a.csv", run_csv())])).json()
    run = done["runs"][0]
    accepted = client.post(f"{API}/jobs", files=form([("a.csv", b"")])).json()
    answers = {
        "Prediction": done,
        "Accepted": accepted,
        "Job": client.get(f"{API}/jobs/{done['job']}").json(),
        "NamedRun": client.get(f"{API}/runs/{run['id']}").json(),
        "Run": run,
        "Evidence": client.get(run["evidence"]).json(),
        "Peaks": client.get(run["peaks"]).json(),
        "Models": client.get(f"{API}/model").json(),
        "Health": client.get(f"{API}/health").json(),
        "Problem": client.get(f"{API}/nothing").json(),
    }
    assert set(answers) == set(schemas)
    for name, answer in answers.items():
        for each in (answer, *schemas[name]["examples"]):
            check_schema(each, schemas[name], schemas, name)
    application: Any = client.app
    paths = {route.path for route in application.app.routes if route.path.startswith(API)}
    assert set(document["paths"]) == paths - {f"{API}/openapi.json"}


KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
    "boolean": bool,
    "null": type(None),
}


def check_schema(value: Any, schema: Any, schemas: Any, place: str) -> None:
    """A small validator of what the document uses of JSON Schema."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(isinstance(value, KINDS[kind]) for kind in kinds), (place, value)
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(value) <= set(schema["properties"]), (
            place,
            set(value),
        )
        for key, each in value.items():
            check_schema(each, schema["properties"][key], schemas, f"{place}.{key}")
    elif isinstance(value, dict) and "additionalProperties" in schema:
        for key, each in value.items():
            check_schema(each, schema["additionalProperties"], schemas, f"{place}.{key}")
    elif isinstance(value, list):
        for each in value:
            check_schema(each, schema["items"], schemas, f"{place}[]")


@pytest.mark.slow
def test_profile_data_are_refused_in_the_words_of_the_command_line(tmp_path: Path) -> None:
    """Remedies are put into the words that the service was given."""
    time_min = np.repeat(np.linspace(0, 5, 30), 200)
    mz = np.tile(np.arange(200) * 0.05 + 50, 30)
    run = gale.Run.from_rows(time_min, mz, np.full(len(mz), 5.0))
    with client_of(tmp_path / "data", wording=lambda text: text.replace("pass", "PASS")) as client:
        answer = client.post(f"{API}/predict", files=form([("p.csv", csv(run))]))
        assert answer.status_code == 422
        assert "PASS" in answer.json()["detail"]
        until = time.monotonic() + 20
        while client.get(f"{API}/health").json()["waiting"] and time.monotonic() < until:
            time.sleep(0.05)

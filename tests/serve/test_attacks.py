"""What hostile senders, files and pages of other sites try, and what does not come of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

import gale
from gale.serve import answers, uploads
from gale.serve.guard import Guard, Policy
from gale.serve.metrics import Metrics
from gale.serve.problems import ProblemError
from gale.serve.store import Store
from helpers.services import API, MODEL, TOKEN, client_of, form, run_csv, wait_done, zipped

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>.csv"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with a token, at any address, that takes little; it reads nothing."""
    folder = tmp_path_factory.mktemp("guarded")
    options: dict[str, Any] = {"token": TOKEN, "any_address": True, "hosts": ["gcms.lab"]}
    with client_of(folder / "data", per_client=2, max_mb=1, **options) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name", ["../../evil.csv", "/etc/cron.d/evil", "..\\..\\evil.csv", "C:\\evil.csv", "a/../../b",
             "run.csv\x00.png", "....//evil", "CON", "~/evil", "a" * 3000]
)  # fmt: skip
def test_names_are_never_paths(tmp_path: Path, name: str) -> None:
    data = tmp_path / "inner" / "data"
    store = Store(data)
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="'
        + name.encode().replace(b'"', b"%22")
        + b'"\r\n\r\nhello\r\n--x--\r\n'
    )
    upload = receive(store, body)
    (arrival,) = upload.arrivals()
    assert len(arrival.name) <= uploads.LONGEST_NAME
    assert "\x00" not in arrival.name
    outside = {path for path in files_under(tmp_path) if not path.startswith("inner/data/")}
    assert outside == set()
    (path,) = store.uploads.iterdir()
    assert re.fullmatch("[0-9a-f]{32}", path.name)
    store.close()


class Sender:
    """A request whose body comes in pieces."""

    def __init__(self, *pieces: bytes, kind: str = "multipart/form-data; boundary=x") -> None:
        self.pieces = list(pieces)
        self.headers = {"content-type": kind, "transfer-encoding": "chunked"}

    async def receive(self) -> dict[str, Any]:
        if not self.pieces:
            await asyncio.sleep(60)
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": piece != b""}


def receive(store: Store, *pieces: bytes, most: int = 10**6) -> uploads.Upload:
    request: Any = Sender(*pieces, b"")
    return asyncio.run(uploads.receive(request, store, most))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(name=st.binary(max_size=60), cut=st.integers(0, 300), data=st.data())
def test_any_form_is_received_or_refused(
    tmp_path: Path, name: bytes, cut: int, data: st.DataObject
) -> None:
    """In pieces of any size, whole or cut; only what was received whole is kept."""
    store = Store(tmp_path)
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
        b"content\r\n--x--\r\n"
    )[: cut or None]
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=20))
    pieces, at = [], 0
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size
    pieces = [piece for piece in [*pieces, body[at:]] if piece]
    try:
        upload = receive(store, *pieces)
    except ProblemError as error:
        refused = error.status, list(store.uploads.iterdir())
        assert refused == (400, [])
    else:
        assert [path.read_bytes() for _, path, _ in upload.files] in ([b"content"], [])
        upload.discard()
    store.close()


@pytest.mark.slow
def test_an_archive_cannot_leave_its_folder(client: TestClient, tmp_path_factory: Any) -> None:
    root = tmp_path_factory.getbasetemp()
    before = {path for path in files_under(root) if "evil" in path}
    archive = zipped([("../../evil.csv", run_csv(1)), ("/evil2.csv", run_csv(2)),
                      ("a/../../../evil3.csv", b"")])  # fmt: skip
    said = client.post(f"{API}/predict", files=form([("x.zip", archive)])).json()
    assert [run["predictions"][0]["status"] for run in said["runs"]] == ["ok", "ok", "failed"]
    assert {path for path in files_under(root) if "evil" in path} == before


@pytest.mark.slow
def test_bombs_are_refused(client: TestClient) -> None:
    """Zeros by the gigabyte, a list of files without end, archives in archives."""
    zeros = zipped([(f"{n}.csv", bytes(60 * 2**20)) for n in range(5)])
    many = zipped([(f"{n}.csv", b"") for n in range(1500)])
    nested = run_csv()
    for layer in range(4):
        nested = zipped([(f"{layer}.zip" if layer else "run.csv", nested)])
    files = [("zeros.zip", zeros), ("many.zip", many), ("nested.zip", nested)]
    said = client.post(f"{API}/predict", files=form(files)).json()
    messages = [run["predictions"][0]["message"] for run in said["runs"]]
    assert [run["predictions"][0]["status"] for run in said["runs"]] == ["failed"] * 3
    assert "unpacks to more than 256 MiB" in messages[0]
    assert "1,500 files" in messages[1]
    assert "more than 2 layers" in messages[2]
    assert client.get(f"{API}/health").json()["workers"] == 1


def test_symbolic_links_in_an_archive_are_nothing(client: TestClient) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("run.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    answer = client.post(f"{API}/predict", files=form([("x.zip", buffer.getvalue())]))
    assert answer.status_code == 422
    assert "root:" not in answer.text


@pytest.mark.slow
def test_ten_thousand_parts(client: TestClient) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n\r\n'
    answer = client.post(f"{API}/jobs", content=part * 10_000 + b"--x--\r\n",
                         headers={"Content-Type": "multipart/form-data; boundary=x"})  # fmt: skip
    assert answer.status_code == 413
    assert "parts" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"--x\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\n", 400),
        (b"--x\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(10_000)) + b"\r\n", 400),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" + b"b" * 100_000, 413),
        (b"no form at all", 400),
        (b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nabc\r\n--x--\r\n", 400),
        (b"--x\r\nContent-Disposition: form-data; filename=f\r\n\r\nhal", 400),
    ],
)
def test_odd_forms(tmp_path: Path, body: bytes, status: int) -> None:
    store = Store(tmp_path)
    with pytest.raises(ProblemError) as caught:
        receive(store, body)
    assert caught.value.status == status
    assert list(store.uploads.iterdir()) == []
    store.close()


def test_slow_bodies_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    monkeypatch.setattr(uploads, "SILENCE_S", 0.05)
    request: Any = Sender(b"--x\r\nContent-Disposition: form-data; filename=f\r\n\r\nha")
    with pytest.raises(ProblemError) as caught:
        asyncio.run(uploads.receive(request, store, 10**6))
    assert caught.value.status == 408
    assert list(store.uploads.iterdir()) == []
    # one that never falls silent, but comes drop by drop
    monkeypatch.setattr(uploads, "SILENCE_S", 30.0)
    monkeypatch.setattr(uploads, "GRACE_S", 0.05)
    with pytest.raises(ProblemError) as caught:
        asyncio.run(uploads.receive(request, store, 10**6))
    assert caught.value.status == 408
    store.close()


def test_too_much(client: TestClient, tmp_path: Path) -> None:
    """By what the request states, and where it states nothing, by what comes."""
    answer = client.post(f"{API}/predict", files=form([("a.csv", bytes(2 * 2**20))]))
    assert answer.status_code == 413
    assert "1 MiB" in answer.json()["detail"]
    store = Store(tmp_path)
    begin = b"--x\r\nContent-Disposition: form-data; filename=f\r\n\r\n"
    with pytest.raises(ProblemError) as caught:
        receive(store, begin, *[bytes(1000)] * 100, most=50_000)
    assert caught.value.status == 413
    assert list(store.uploads.iterdir()) == []
    store.close()


@pytest.mark.slow
def test_names_are_escaped_wherever_they_are_shown(client: TestClient) -> None:
    files = [(SCRIPT, run_csv(5)), (f"{SCRIPT}2", b"")]
    job = client.post(f"{API}/jobs", files=form(files)).json()["id"]
    good, bad = wait_done(client, job)["runs"]
    assert good["name"] == SCRIPT  # JSON is no HTML
    assert client.get(f"{API}/jobs/{job}").headers["content-type"] == "application/json"
    assert bad["predictions"][0]["message"].startswith(SCRIPT)
    pages = [client.get(good["page"]).text]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{API}/jobs/{job}/pages").content)) as archive:
        pages += [archive.read(name).decode() for name in archive.namelist()]
        assert not [name for name in archive.namelist() if "/" in name or ".." in name]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page


def test_scripts_of_pages_are_known_by_their_hashes(client: TestClient) -> None:
    """All that run are; what a name might bring in has another hash."""
    job = client.post(f"{API}/predict", files=form([("a.csv", run_csv(6))])).json()
    page = client.get(job["runs"][0]["page"])
    policy = page.headers["content-security-policy"]
    scripts = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert len(scripts) == 3
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    home = client.get("/")
    assert "script-src 'self';" in home.headers["content-security-policy"]
    assert re.findall(r"<script(?! src=)", home.text) == []
    assert re.findall(r"\son\w+=", home.text) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost@evil.example"}, 421),
        ({"Host": "192.168.0.7"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 202),
        ({"Host": "127.0.0.1:8765", "Origin": "http://127.0.0.1:8765"}, 202),
        ({"Host": "[::1]:8765"}, 202),
        ({}, 202),
    ],
)
def test_pages_of_other_sites_and_other_names(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.post(f"{API}/jobs", headers=headers).status_code == status


def test_nothing_is_done_without_the_token(guarded: TestClient) -> None:
    for path in ("model", "metrics", "openapi.json", "jobs/x", "runs/x/page"):
        answer = guarded.get(f"{API}/{path}")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "gale-model" not in answer.headers
    assert guarded.post(f"{API}/predict", files=form([("a", b"")])).status_code == 401
    for wrong in ("", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "é" * 20):
        headers = {b"Authorization": f"Bearer {wrong}".encode()}
        assert guarded.get(f"{API}/model", headers=headers).status_code == 401
    assert (
        guarded.get(f"{API}/model", headers={"Cookie": f"gale_session={TOKEN}"}).status_code == 401
    )
    assert guarded.get(f"{API}/model", headers=bearer(TOKEN)).status_code == 200
    assert guarded.get(f"{API}/health").status_code in (200, 503)
    assert "/assets/app.js" not in guarded.get("/").text
    assert "Token of this server" in guarded.get("/").text


def test_the_page_exchanges_the_token_for_a_cookie(guarded: TestClient) -> None:
    assert guarded.post("/login", json={"token": "wrong"}).status_code == 403
    assert guarded.post("/login", content=b"[]").status_code == 400
    answer = guarded.post("/login", json={"token": TOKEN})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert "/assets/app.js" in guarded.get("/").text
    guarded.cookies.clear()
    foreign = {"Origin": "http://evil.example"}
    assert guarded.post("/login", json={"token": TOKEN}, headers=foreign).status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [("gcms.lab", 200), ("GCMS.LAB:80", 200), ("192.168.0.7:8765", 200), ("evil.example", 421)],
)
def test_hosts_of_a_server_on_the_network(guarded: TestClient, host: str, status: int) -> None:
    headers = {**bearer(TOKEN), "Host": host}
    assert guarded.get(f"{API}/model", headers=headers).status_code == status


def test_one_address_cannot_ask_too_much_at_a_time() -> None:
    policy = Policy(per_client=2)

    async def hang(_: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.05)

    guard = Guard(hang, policy, [], Metrics())
    statuses: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            assert dict(message["headers"])[b"retry-after"] == b"2"

    def ask(client: str) -> Any:
        scope = {"type": "http", "method": "GET", "path": "/", "client": (client, 1),
                 "headers": [(b"host", b"localhost")], "query_string": b""}  # fmt: skip
        return guard(scope, send, send)  # type: ignore[arg-type]

    async def all_at_once() -> None:
        await asyncio.gather(*[ask("one") for _ in range(4)], ask("two"))
        assert statuses == [429, 429]
        await ask("one")

    asyncio.run(all_at_once())
    assert statuses == [429, 429]


def test_a_full_disk(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = client.post(f"{API}/jobs", files=form([("run.csv", run_csv())])).json()

    def fill(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Store, "add_runs", fill)
        answer = client.post(f"{API}/jobs", files=form([("run.csv", run_csv())]))
    assert (answer.status_code, "full" in answer.json()["detail"]) == (507, True)
    assert wait_done(client, before["id"])["runs"][0]["name"] == "run.csv"


@pytest.mark.slow
def test_a_full_queue(tmp_path: Path) -> None:
    with client_of(tmp_path / "data", queue=1) as client:
        files = form([(f"{n}.csv", run_csv(n)) for n in range(20)])
        job = client.post(f"{API}/jobs", files=files).json()["id"]
        answer = client.post(f"{API}/jobs", files=files)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert len(wait_done(client, job)["runs"]) == 20
        assert client.post(f"{API}/predict", files=files[:1]).status_code == 200


def test_a_bug_is_told_to_nobody_but_the_log(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret of the server")

    monkeypatch.setattr(answers, "of_model", fail)
    answer = client.get(f"{API}/model")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "the secret of the server" in caplog.text


def test_every_answer_has_the_headers_that_protect(client: TestClient) -> None:
    for path in ("/", "/assets/app.js", f"{API}/health", f"{API}/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
    assert client.get("/assets/../app.py").status_code == 404
    assert client.get("/assets/%2e%2e%2fapp.py").status_code == 404


@pytest.mark.slow
def test_names_of_models_that_are_the_same(tmp_path: Path) -> None:
    other = tmp_path / "elution.onnx"
    other.write_bytes(MODEL.read_bytes())
    with pytest.raises(gale.GaleError, match="two of the same name"):
        gale.web_service([MODEL, other], tmp_path / "data")
    with pytest.raises(gale.GaleError, match="at least one"):
        gale.web_service([], tmp_path / "data")
    with pytest.raises(gale.GaleError, match="keep_days"):
        gale.web_service([MODEL], tmp_path / "data", speed=3)

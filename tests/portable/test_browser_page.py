"""The page that predicts in a browser: what is in it, and what it answers in Chromium."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import gale
from gale.errors import GaleError, OutputError
from gale.portable.page import BINARY, CODE, page
from gale.portable.whole import whole_graph
from helpers.browsers import CHROMIUM, Watched, chromium
from helpers.commands import error_of, invoke, succeed
from helpers.errors import refused
from helpers.run_files import andi, csv, mzml, small_run

if TYPE_CHECKING:
    from playwright import sync_api

MODEL = Path(__file__).parents[1] / "model" / "models" / "elution.onnx"
RUN = Path(__file__).with_name("format1") / "run.csv"
GOLDEN = Path(os.environ.get("GALE_EXTRA_DATA", "")) / "golden"
EXAMPLE = Path(__file__).parents[2] / "examples" / "node" / "node_modules"
RUNTIME = Path(os.environ.get("GALE_NODE_MODULES", EXAMPLE)) / "onnxruntime-web"


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A folder like that of the package, with other content."""
    dist = tmp_path / "package" / "dist"
    dist.mkdir(parents=True)
    (dist / CODE).write_text("/* ONNX Runtime Web v9.8.7 */ export const env = {};")
    (dist / BINARY).write_bytes(bytes(range(256)))
    return tmp_path / "package"


def blocks_of(data: bytes) -> dict[str, str]:
    """What the data blocks of a page hold, by their names."""
    block = r'<script type="[\w/]+" id="(\w+)"[^>]*>(.*?)</script>'
    return dict(re.findall(block, data.decode("utf-16"), re.DOTALL))


def bytes_of(letters: str) -> bytes:
    """What letters of 15 bits hold, unpacked; bits beyond the last byte are 0."""
    bits = "".join(f"{ord(letter) - 0x1000:015b}" for letter in letters)
    bits += "0" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    return zlib.decompressobj(wbits=31).decompress(data)


def test_the_page_holds_the_model_and_the_runtime(runtime: Path) -> None:
    model = gale.Model.load(MODEL)
    data = page(model, runtime)
    assert page(model, runtime / "dist") == data
    blocks = blocks_of(data)
    kept = {name: bytes_of(blocks[name]) for name in blocks if name != "facts"}
    assert kept == {
        "runtime": (runtime / "dist" / CODE).read_bytes(),
        "wasm": bytes(range(256)),
        "graph": whole_graph(model),
    }
    assert json.loads(blocks["facts"])["families"] == list(model.families)
    assert "ONNX Runtime Web 9.8.7" in data.decode("utf-16")
    assert "Permission is hereby granted" in data.decode("utf-16")
    small = blocks_of(page(model, runtime, int8=True))
    assert bytes_of(small["graph"]) == whole_graph(model, int8=True)


def test_the_page_may_run_its_own_script_and_nothing_else(runtime: Path) -> None:
    text = page(gale.Model.load(MODEL), runtime).decode("utf-16")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    allowed = dict(each.strip().split(" ", 1) for each in policy.replace("&#39;", "'").split(";"))
    assert allowed["default-src"] == allowed["form-action"] == allowed["base-uri"] == "'none'"
    for tag, of in (("script", "script-src"), ("style", "style-src")):
        (own,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert allowed[of].split()[0] == f"'sha256-{digest}'"
    assert set(allowed["script-src"].split()[1:]) == {"blob:", "'wasm-unsafe-eval'"}
    assert len(allowed) == 5
    assert not re.findall(r'(?:src|href|action)="', text)


def test_the_command_and_what_it_refuses(runtime: Path, tmp_path: Path) -> None:
    path = tmp_path / "gale.html"
    words = ("export", MODEL, "--page", "--runtime", runtime, "-o", path)
    assert re.fullmatch(rf"{path}: 9 families, 0.\d\d MB\n", succeed(*words).stdout)
    assert path.read_bytes() == page(gale.Model.load(MODEL), runtime)
    assert isinstance(error_of(*words), OutputError)
    gale.export_page(gale.Model.load(MODEL), path, runtime=runtime, int8=True, force=True)
    for bad in (("--page",), ("--whole", "--runtime", runtime), ("--whole", "--page")):
        assert invoke("export", MODEL, *bad, "-o", tmp_path / "x").exit_code == 2
    (runtime / "dist" / BINARY).unlink()
    with refused(GaleError, runtime / "dist" / BINARY, remedy="npm pack"):
        page(gale.Model.load(MODEL), runtime)
    with refused(GaleError, tmp_path / "dist", found=CODE, remedy="npm pack"):
        page(gale.Model.load(MODEL), tmp_path / "dist")
    assert not (tmp_path / "x").exists()


# --- in a browser ---


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    if not RUNTIME.is_dir():
        pytest.skip("no onnxruntime-web in GALE_NODE_MODULES or beside the example for Node.js")
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def made(browser: sync_api.Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "gale.html"
    gale.export_page(gale.Model.load(MODEL), path, runtime=RUNTIME)
    assert path.stat().st_size < 10e6
    return path


class Opened(Watched):
    """The page in a browser without a network."""

    def __init__(self, browser: sync_api.Browser, path: Path, **settings: Any) -> None:
        super().__init__(browser.new_context(offline=True, **settings).new_page())
        self.page.goto(path.as_uri())
        self.page.get_by_text("Ready.").wait_for()

    def predict(self, *files: Path, before: int = 0) -> pl.DataFrame:
        self.page.set_input_files("#files", files)
        self.page.get_by_text(f"{before + len(files)} runs predicted,").wait_for()
        with self.page.expect_download() as download:
            self.page.click("#save")
        return pl.read_csv(download.value.path())

    def check(self, path: Path) -> None:
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith("blob:")] == [path.as_uri()]


def assert_as_python(found: pl.DataFrame, files: list[Path]) -> None:
    """The table of the page is that of gale predict; status and message may say less.

    The page has the distance also of runs of which gale predict gives none, such as a beginning.
    """
    expected = gale.Model.load(MODEL).predict(files)
    assert found.columns == expected.columns
    assert found["run"].to_list() == [file.name for file in files]
    assert (found["status"] == "failed").to_list() == (expected["status"] == "failed").to_list()
    for name in expected.columns[3:]:
        theirs, own = (table[name].cast(pl.Float64).to_list() for table in (expected, found))
        if name == "unlike":
            own = [None if theirs[at] is None else value for at, value in enumerate(own)]
        assert own == pytest.approx(theirs, abs=1e-5), name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_runs_of_every_format(browser: sync_api.Browser, made: Path, tmp_path: Path) -> None:
    read, other = gale.read_run(RUN), small_run(60, empty=(3,))
    contents = {
        "run.csv": RUN.read_bytes(),
        "run.csv.gz": gzip.compress(csv(other)),
        "run.cdf": andi(read),
        "run.mzML": mzml(read),
        "seconds.mzML": mzml(other, unit="UO:0000010"),
        "packed.mzML": mzml(other, compress=True),
        "cut.cdf": andi(other)[:-400],
        "cut.mzML": mzml(other)[:-400],
        "words.csv": b"time,mass,intensity\n1,43,many\n2,43,1\n",
        "nothing.csv": b"",
        "picture.png": b"\x89PNG\r\n\x1a\n\0\0",
    }
    files = []
    for name, data in contents.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(data)
    opened = Opened(browser, made)
    found = opened.predict(*files)
    assert_as_python(found, files)
    assert "line 2 has 'many'" in found["message"][8]
    # the browser's own page about XML that is cut has a style, which the policy blocks
    opened.complaints = [each for each in opened.complaints if "inline style" not in each]
    opened.check(made)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_golden_runs(browser: sync_api.Browser, made: Path) -> None:
    files = sorted(GOLDEN.glob("*.csv.gz"))
    if not files:
        pytest.skip("GALE_EXTRA_DATA names no folder of golden runs")
    opened = Opened(browser, made)
    assert_as_python(opened.predict(*files), files)
    opened.check(made)


@pytest.mark.slow
def test_one_run_is_drawn(browser: sync_api.Browser, made: Path, tmp_path: Path) -> None:
    opened = Opened(browser, made, viewport={"width": 420, "height": 900}, color_scheme="dark")
    other = tmp_path / "b.csv"
    other.write_bytes(csv(small_run()))
    opened.page.set_input_files("#files", other)
    opened.page.get_by_text("1 run predicted, 0 failed.").wait_for()
    opened.predict(RUN, RUN, before=1)
    page = opened.page
    assert page.locator("#table tbody tr").count() == 3
    assert page.locator("#name").inner_text() == "run.csv"
    assert page.locator("#chromatogram polyline").get_attribute("points")
    assert page.locator("#evidence text.family").count() == 9
    assert page.locator("#evidence rect").count() > 9
    page.get_by_role("button", name="b.csv").click()
    assert page.locator("#name").inner_text() == "b.csv"
    assert page.locator("tr.chosen").inner_text().startswith("b.csv")
    sides = page.locator("main").bounding_box()
    assert sides is not None
    assert sides["width"] <= 420
    opened.check(made)

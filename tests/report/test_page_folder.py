"""A folder of pages: one page for each run, an index of all, and nothing lost that was there."""

from __future__ import annotations

import base64
import hashlib
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import gale
import gale.report.run_page
from gale.errors import ModelError, OutputError, PlotError
from gale.matching import Matcher
from gale.plumbing.text import probability
from gale.plumbing.work import Work
from gale.report import run_pages
from gale.report.folder import index_page, page_names
from helpers.errors import refused
from helpers.html_pages import parsed, text
from helpers.training import Trained

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning"),
]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def index_of(folder: Path) -> Any:
    return parsed((folder / "index.html").read_text("utf-8"))


def test_pages_and_an_index(trained: Trained, runs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("time\n1\n", "utf-8")
    folder = tmp_path / "pages"
    table = run_pages(
        trained.model, [*runs[:2], tmp_path / "bad.csv"], folder, provenance={"by": "a test"}
    )
    assert table["status"].to_list() == ["ok", "ok", "failed"]
    assert names(folder) == {"index.html", *(f"{run.name}.html" for run in runs[:2])}
    assert {(folder / link).exists() for link in index_of(folder).xpath("//tbody//a/@href")} == {
        True
    }
    page = (folder / f"{runs[0].name}.html").read_text("utf-8")
    assert hashlib.sha256(runs[0].read_bytes()).hexdigest() in page
    assert "a test" in page


def test_one_path_and_a_campaign_with_columns_of_its_own(
    trained: Trained, runs: list[Path], tmp_path: Path
) -> None:
    assert len(run_pages(trained.model, runs[0], tmp_path / "one")) == 1
    (tmp_path / "named").mkdir()
    data = runs[0].read_text("utf-8").replace("time,mass,intensity", "RT,m/z,counts")
    (tmp_path / "named/a.csv").write_text(data, "utf-8")
    columns = {"time_min": "RT", "mz": "m/z", "intensity": "counts"}
    campaign = gale.Campaign.open(tmp_path / "named", columns=columns)
    table = run_pages(trained.model, campaign, tmp_path / "many")
    assert table.select("run", "status").rows() == [("a.csv", "ok")]
    given = Work(columns=columns)
    table = run_pages(trained.model, [tmp_path / "named/a.csv"], tmp_path / "given", work=given)
    assert table["status"].to_list() == ["ok"]


def test_a_page_that_cannot_be_made_stops_no_other(
    trained: Trained, runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = gale.report.run_page.run_report

    def fail(model: gale.Model, run: gale.Run, **more: Any) -> str:
        if run.source.endswith(runs[0].name):
            raise PlotError(run.source, "is of no use")
        return drawn(model, run, **more)

    monkeypatch.setattr("gale.report.folder.run_report", fail)
    table = run_pages(trained.model, runs[:2], tmp_path / "pages")
    assert table["status"].to_list() == ["failed", "ok"]
    assert table["message"][0] == f"{runs[0]}: is of no use"
    assert names(tmp_path / "pages") == {"index.html", f"{runs[1].name}.html"}
    assert table["message"][0] in text(index_of(tmp_path / "pages"))


@pytest.mark.parametrize("change", ["other content", "gone"])
def test_a_run_that_changes_meanwhile_costs_its_own_page(
    trained: Trained, runs: list[Path], tmp_path: Path, change: str
) -> None:
    changing = tmp_path / "changing.csv"
    shutil.copy(runs[0], changing)

    class Changing(gale.Progress):
        def begin(self, what: str, total: int) -> None:
            if what == "making pages":
                changing.unlink()
                if change == "other content":
                    shutil.copy(runs[1], changing)

    files = [changing, runs[2]]
    table = run_pages(trained.model, files, tmp_path / "pages", work=gale.Work(progress=Changing()))
    assert table["status"].to_list() == ["failed", "ok"]
    assert ("has changed" if change == "other content" else "not exist") in table["message"][0]
    assert names(tmp_path / "pages") == {"index.html", f"{runs[2].name}.html"}


def test_only_pages_are_replaced(trained: Trained, runs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    run_pages(trained.model, runs[0], folder)
    with refused(OutputError, folder, remedy="force"):
        run_pages(trained.model, runs[0], folder)
    (folder / "old.html").write_bytes((folder / "index.html").read_bytes())
    run_pages(trained.model, runs[0], folder, force=True)
    made = {"index.html", f"{runs[0].name}.html"}
    assert names(folder) == made
    for name in ("mine.txt", "notes.html", "sub.html/mine.html"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("<html>mine</html>", "utf-8")
        first = name.split("/")[0]
        with refused(OutputError) as caught:
            run_pages(trained.model, runs[0], folder, force=True)
        assert first in str(caught.value)
        assert names(folder) == {*made, first}
        (shutil.rmtree if "/" in name else Path.unlink)(folder / first)
    assert names(tmp_path) == {"pages"}


def test_a_library_is_for_models_with_an_elution_network(
    trained: Trained, runs: list[Path], tmp_path: Path
) -> None:
    with refused(ModelError, trained.model.source):
        run_pages(trained.model, runs, tmp_path / "pages", matcher=Matcher.default())
    assert names(tmp_path) == set()


def test_names_of_pages() -> None:
    runs = ["a/x.csv", "b/x.csv", "c/X.csv", "index", "søl & y.cdf", "d/x.csv-2", 300 * "l"]
    names = page_names(runs)
    assert list(names) == runs
    assert names["a/x.csv"] == "x.csv.html"
    assert names["b/x.csv"] == "x.csv-2.html"
    assert names["c/X.csv"] == "X.csv-3.html"
    assert names["index"] == "index-2.html"
    assert names["søl & y.cdf"] == "søl___y.cdf.html"
    assert len({name.lower() for name in names.values()}) == len(runs)
    assert max(map(len, names.values())) < 100
    assert page_names(["x.csv", "x.csv"]) == {"x.csv": "x.csv.html"}


def test_the_index_has_a_row_for_each_run(stack: gale.Model, campaign: gale.Campaign) -> None:
    table = stack.predict(campaign.of_split("test"))
    failed = table.with_columns(
        status=pl.when(pl.col("run") == table["run"][1]).then(pl.lit("failed")).otherwise("status"),
    )
    doubtful = table[3:].with_columns(status=pl.lit("doubtful"))
    table = pl.concat([table[:1], failed[1:2].with_columns(
        message=pl.lit("x.csv: is <odd>"), unlike=pl.lit(None, pl.Float64),
        **{name: pl.lit(None, pl.Float64) for name in stack.families},
    ), table[2:3], doubtful])  # fmt: skip
    pages = page_names(table.filter(status="ok")["run"])
    page = parsed(index_page(table, stack, pages))
    rows = page.xpath("//table[@id='runs']/tbody/tr")
    names = [row.xpath("./th/a/text() | ./th/text()")[0].strip() for row in rows]
    assert names == table["run"].to_list()
    assert [row.xpath("./th/a/@href") for row in rows[:3]] == [
        [pages[table["run"][0]]], [], [pages[table["run"][2]]]
    ]  # fmt: skip
    assert text(rows[1].xpath("./th/div")[0]) == "failed: x.csv: is <odd>"
    assert text(rows[1].xpath("./td")[0]) == "–"
    first = table.row(0, named=True)
    cells = [text(cell) for cell in rows[0].xpath("./td")]
    assert cells[: len(stack.families)] == [probability(first[name]) for name in stack.families]
    marks = [text(row.xpath("./td")[0]).endswith("?") for row in rows]
    assert marks == [status == "doubtful" for status in table["status"]]
    assert any(marks)
    bold = [bool(cell.xpath("./strong")) for cell in rows[0].xpath("./td")][: len(stack.families)]
    assert bold == [first[name] >= 0.5 for name in stack.families]
    address = page.xpath("//a[@download]")[0].get("href")
    saved = base64.b64decode(address.removeprefix("data:text/csv;charset=utf-8;base64,"))
    assert pl.read_csv(saved).select(stack.families).equals(table.select(stack.families))


def test_what_the_index_marks(stack: gale.Model, campaign: gale.Campaign) -> None:
    """Far runs are marked, nothing is bold in a doubtful one, and names are as short as may be."""
    table = stack.predict(campaign.of_split("test"))[:3].with_columns(
        pl.Series("run", ["may/a.csv", "june/a.csv", "june/b.csv"]),
        pl.Series("status", ["ok", "doubtful", "ok"]),
        pl.Series("unlike", [2.0, 7.5, None], dtype=pl.Float64),
        pl.lit(0.9).alias(stack.families[0]),
    )
    page = parsed(index_page(table, stack, page_names(table["run"])))
    rows = page.xpath("//table[@id='runs']/tbody/tr")
    assert [text(row.xpath("./th/a")[0]) for row in rows] == ["may/a.csv", "june/a.csv", "b.csv"]
    assert [row.xpath("./th")[0].get("title") for row in rows] == table["run"].to_list()
    assert [row.get("class") for row in rows] == ["ok", "doubtful far", "ok"]
    assert text(rows[1].xpath("./td")[-1]) == "7.5 far"
    assert [bool(row.xpath("./td[1]/strong")) for row in rows] == [True, False, True]

"""The page in a real browser: it takes what is dropped, shows how far it is, and comes back."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers.browsers import CHROMIUM, Watched, chromium
from helpers.services import MODEL, TOKEN, Server, run_csv, zipped
from helpers.vendor_files import FOLDERS, nominal_run

if TYPE_CHECKING:
    from playwright import sync_api
else:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

DROP = """async ([name, folder, files]) => {
  // what a file manager hands over: an entry of a folder, or files
  const made = files.map(([path, text]) =>
    [path, new File([Uint8Array.from(atob(text), sign => sign.charCodeAt(0))],
      path.split("/").at(-1))]);
  const tree = (below) => {
    const names = [...new Set(below.map(([path]) => path.split("/")[0]))];
    return names.map(name => {
      const inside = below.filter(([path]) => path.split("/")[0] === name);
      if (inside[0][0] === name)
        return { name, isFile: true, file: (done) => done(inside[0][1]) };
      let given = false;
      const entries = tree(inside.map(([path, file]) => [path.slice(name.length + 1), file]));
      return { name, isFile: false, createReader: () => ({
        readEntries: (done) => { done(given ? [] : entries); given = true; } }) };
    });
  };
  const event = new Event("drop", { bubbles: true, cancelable: true });
  event.dataTransfer = { files: [],
    items: tree(made).map(entry => ({ webkitGetAsEntry: () => entry })) };
  document.getElementById("drop").dispatchEvent(event);
}"""


class Opened(Watched):
    """The page of the service."""

    def drop(self, *files: tuple[str, bytes]) -> None:
        coded = [[name, base64.b64encode(data).decode()] for name, data in files]
        self.page.evaluate(DROP, ["", "", coded])

    def wait(self, said: str) -> None:
        sync_api.expect(self.page.locator("#state")).to_have_text(said, timeout=240_000)

    def names(self) -> list[str]:
        """Names of the rows, without messages and buttons."""
        return [
            text.split("\n")[0] for text in self.page.locator("tbody > tr > th").all_inner_texts()
        ]

    def check(self, url: str) -> None:
        assert self.complaints == []
        assert [each for each in self.requests if not each.startswith((url, "data:"))] == []
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as started:
        yield started


def opened(browser: sync_api.Browser, url: str, width: int = 1280, scheme: Any = "light") -> Opened:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    context.set_default_timeout(240_000)
    found = Opened(context.new_page())
    found.page.goto(url)
    return found


def test_drop_progress_table_page_and_a_restart(browser: sync_api.Browser, tmp_path: Path) -> None:
    words = ("--model", tmp_path / "second.onnx", "--max-mb", 1)
    shutil.copy(MODEL, tmp_path / "second.onnx")
    server = Server(tmp_path / "data", *words)
    tab = opened(browser, server.url)
    page = tab.page
    folder = [
        (f"sample.D/{name}", data) for name, data in FOLDERS["masshunter"](nominal_run(40)).items()
    ]
    tab.drop(("a<i>.csv", run_csv(1)), *folder, ("runs/.hidden", b""), ("runs/bad.csv", b"hello"))
    tab.drop(("large.csv", bytes(2 * 2**20)))
    tab.wait("3 of 3 runs done, 1 failed, 1 doubtful")
    assert sorted(tab.names()) == ["a<i>.csv", "bad.csv", "sample.D"]
    sync_api.expect(page.locator("#refused li")).to_contain_text(["large.csv: 2 MiB; this server"])
    bad = page.locator("tbody", has_text="bad.csv")
    sync_api.expect(bad.locator(".message")).to_contain_text("failed: bad.csv: is text without")
    check_order(page)
    row = page.locator("tbody", has_text="a<i>.csv")
    row.get_by_role("button", name="evidence in a<i>.csv by second").press("Enter")
    sync_api.expect(row.get_by_role("table")).to_contain_text("apex (min)")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click()
    text = download.value.path().read_text()
    assert text.startswith("run,status,message,unlike,")
    assert len(text.splitlines()) == 4
    row.get_by_role("link", name="a<i>.csv").click()
    sync_api.expect(page.locator("h1")).to_have_text("a<i>.csv")
    sync_api.expect(page.locator("#readout")).to_contain_text("min, scan")  # its scripts run
    page.go_back()
    tab.wait("3 of 3 runs done, 1 failed, 1 doubtful")
    tab.check(server.url)

    # the server is killed, files are dropped meanwhile, and it comes back at the same place
    port = server.url.rsplit(":", 1)[1]
    server.kill()
    tab.drop(("later.zip", zipped([("x.csv", run_csv(2)), ("y.csv", run_csv(3)), ("z.txt", b"-")])))
    sync_api.expect(page.locator("#lost")).to_be_visible()
    sync_api.expect(page.locator("tbody", has_text="later.zip")).to_contain_text("does not answer")
    server = Server(tmp_path / "data", *words, "--port", port)
    tab.wait("5 of 5 runs done, 1 failed, 1 doubtful")
    sync_api.expect(page.locator("#lost")).to_be_hidden()
    sync_api.expect(page.locator("#left-out")).to_have_text("Not runs, left out: later.zip/z.txt")
    assert "later.zip/x.csv" in tab.names()
    assert "later.zip" not in tab.names()
    assert [each for each in tab.complaints if "ERR_CONNECTION_REFUSED" not in each] == []

    narrow = opened(browser, page.url, 400, "dark")
    narrow.wait("5 of 5 runs done, 1 failed, 1 doubtful")
    narrow.check(server.url)
    colour = narrow.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", colour)[:3])) < 150
    check_names(narrow.page)
    server.end()


def check_order(page: sync_api.Page) -> None:
    """The table is sorted by the keyboard, and what is typed filters it."""
    heading = page.locator("thead th", has_text="run").first
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    texts = [text.split("\n")[0] for text in page.locator("tbody > tr > th").all_inner_texts()]
    assert texts == sorted(texts)
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    page.get_by_role("searchbox").fill("without columns")
    assert page.locator("tbody:visible").count() == 1
    sync_api.expect(page.locator("#count")).to_have_text("1 of 3 runs")
    page.get_by_role("searchbox").fill("")


def check_names(page: sync_api.Page) -> None:
    """A screen reader finds a name for all that can be used."""
    unnamed = """all => all.filter(each => !(each.textContent.trim() || each.ariaLabel
        || each.labels?.length)).length"""
    assert page.locator("a, button, input").evaluate_all(unnamed) == 0
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("h1").count() == 1
    ids = page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))


def test_the_token_is_asked_for_once(browser: sync_api.Browser, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN.replace(" ", "-"))
    server = Server(tmp_path / "data", "--token-file", tmp_path / "token")
    tab = opened(browser, server.url)
    page = tab.page
    page.get_by_label("Token of this server").fill("wrong")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#said")).to_have_text("This is not the token.")
    page.get_by_label("Token of this server").fill(TOKEN.replace(" ", "-"))
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#models")).to_contain_text("elution")
    for number in range(12):  # one after the other, while others are being done
        tab.drop((f"{number}.csv", run_csv(number)))
    tab.wait("12 of 12 runs done")
    sync_api.expect(page.locator("tbody td.cell").first).to_be_visible()
    assert page.locator("tbody .wait").count() == 0
    assert [each for each in tab.complaints if "status of 403" not in each] == []
    # a link with the token, as it is printed
    other = opened(browser, f"{server.url}/#token={TOKEN.replace(' ', '-')}")
    sync_api.expect(other.page.locator("#models")).to_contain_text("elution")
    assert "token" not in other.page.url
    server.end()

"""The example notebooks: run from top to bottom, and committed without what they print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gale
from gale.plotting import ShownFigure
from helpers.notebooks import cells_of, execute

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["competition", "my_lab", "one_run"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_no_outputs_and_public_names_alone(path: Path) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["language_info"]["name"]) == (4, "python")
    assert path.stat().st_size < 20_000
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    for cell in cells_of(path):
        text = "".join(cell["source"])
        assert text.strip()
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            assert "from gale" not in text
            assert "import gale." not in text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("competition", [gale.Campaign, gale.Run, gale.Model]),
        ("my_lab", [gale.Campaign, gale.Model]),
        ("one_run", [gale.Run, ShownFigure]),
    ],
)
def test_a_notebook_runs(
    name: str, shown: list[type], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    values = execute(FOLDER / f"{name}.ipynb")
    kinds = {type(value) for value in values}
    assert kinds >= set(shown)
    if name == "competition":
        submission = (tmp_path / "submission.csv").read_text().splitlines()
        assert len(submission) == 33
        assert gale.Model.load("model.onnx").families

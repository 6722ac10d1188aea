"""Every public name has an example in its docstring, and the example runs.

Examples import what they use. They run in a folder that holds what a user has: ``campaign``,
``model.onnx`` with the files that its training wrote beside it, and ``run.csv``; `model_file` and
`run_file` are of conftest.py. An example that needs one of these says so.
"""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

import gale

NAMES = [name for name in gale.__all__ if name not in ("__version__", "errors")]

SLOW = {
    "ablate", "run_pages", "run_report", "save_ablation", "simulate", "train", "training_report",
    "watch", "write_features",
}  # fmt: skip
"""Names whose examples take half a second or more."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, campaign_folder: Path, stack_file: Path) -> Path:
    """The folder of a user who has trained a model."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "campaign").symlink_to(campaign_folder)
    for file in stack_file.parent.glob(f"{stack_file.stem}.*"):
        shutil.copy(file, folder / file.name.replace(stack_file.stem, "model", 1))
    run = gale.Campaign.open(campaign_folder).of_split("test").paths[0]
    shutil.copy(run, folder / "run.csv")
    return folder


def needs_said(test: doctest.DocTest) -> bool:
    """Whether the files that an example needs are named in words before it."""
    code = "".join(example.source for example in test.examples)
    words = test.docstring or ""
    named = all(f"``{file}``" in words for file in ("model_file", "run_file") if file in code)
    at_home = re.search(r'(load|open|read_run)\("(model|run|campaign)', code)
    return named and (at_home is None or "In a folder with" in words)


@pytest.mark.usefixtures("few_listed")
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.slow] * (each in SLOW)) for each in NAMES]
)
def test_the_example_of_a_name_runs(
    name: str,
    home: Path,
    tmp_path: Path,
    doctest_namespace: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thing, names = getattr(gale, name), dict(doctest_namespace)
    here = tmp_path / "here"
    shutil.copytree(home, here, symlinks=True)
    monkeypatch.chdir(here)
    tests = doctest.DocTestFinder(recurse=False).find(thing, name, globs=names)
    if inspect.isclass(thing):
        methods = [each for key, each in vars(thing).items() if not key.startswith("_")]
        functions = [getattr(each, "__func__", each) for each in methods]
        tests += [
            test
            for each in functions
            if inspect.isfunction(each)
            for test in doctest.DocTestFinder(recurse=False).find(each, each.__name__, globs=names)
        ]
    examples = [test for test in tests if test.examples]
    assert examples, f"{name} has no example"
    for test in examples:
        assert needs_said(test), f"{test.name} does not say which files its example needs"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in examples:
        output: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gale.GaleWarning)
            runner.run(test, out=output.append)
        assert runner.failures == 0, "".join(output)

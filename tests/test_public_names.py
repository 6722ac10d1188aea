"""What ``import gale`` offers, and what it does not import."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gale
from helpers.commands import start, without
from helpers.training import Trained

ROOT = Path(__file__).parents[1]

HEAVY = {
    "numpy",
    "polars",
    "scipy",
    "lxml",
    "onnxruntime",
    "onnx",
    "torch",
    "sklearn",
    "pydantic",
    "matplotlib",
    "jinja2",
    "starlette",
    "uvicorn",
}


HELP = "from gale.cli import group; group.main({}, standalone_mode=False)"


def test_the_names_are_sorted_and_all_there() -> None:
    assert sorted(gale.__all__) == gale.__all__
    assert dir(gale) == gale.__all__
    modules = {"errors": gale.errors, "__version__": gale.__version__}
    for name in set(gale.__all__) - modules.keys():
        assert getattr(gale, name).__name__ == name


@pytest.mark.parametrize("name", [each for each in gale.__all__ if each != "__version__"])
def test_every_name_is_documented(name: str) -> None:
    thing = getattr(gale, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        methods = [
            key
            for key, each in vars(thing).items()
            if not key.startswith("_")
            and (inspect.isfunction(each) or isinstance(each, classmethod | property))
        ]
        assert [key for key in methods if not inspect.getdoc(getattr(thing, key))] == []


def python_blocks() -> list[tuple[str, str]]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [
        (page.name, block)
        for page in pages
        for block in re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
    ]


@pytest.mark.parametrize(("page", "block"), python_blocks())
def test_docs_show_public_names_alone(page: str, block: str) -> None:
    tree = ast.parse(block)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert not node.module.startswith("gale"), page
        elif isinstance(node, ast.Import):
            assert not any(each.name.startswith("gale.") for each in node.names), page
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id != "gale" or node.attr in gale.__all__, f"{page}: {node.attr}"


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match=r"module 'gale' has no attribute 'fly'"):
        _ = gale.fly


@pytest.mark.parametrize(
    "code",
    [
        "import gale; dir(gale); gale.GaleError",
        HELP.format(["--help"]),
        HELP.format(["train", "--help"]),
        HELP.format(["ablate", "--help"]),
        HELP.format(["predict", "--help"]),
        HELP.format(["report", "run", "--help"]),
        HELP.format(["report", "training", "--help"]),
        HELP.format(["plot", "--help"]),
        HELP.format(["convert", "--help"]),
        HELP.format(["inspect", "--help"]),
        HELP.format(["serve", "--help"]),
        HELP.format(["watch", "--help"]),
    ],
)
def test_light_to_import(code: str) -> None:
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(json.loads(done.stdout.splitlines()[-1])) == set()


@pytest.mark.slow
@pytest.mark.parametrize("package", ["torch", "pydantic"])
def test_training_without_its_extra(tmp_path: Path, package: str) -> None:
    code = (
        "import gale\n"
        "try: gale.train\n"
        "except gale.GaleError as error: print(error)\n"
        "print(gale.Model.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **without(tmp_path, package)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        f"gale.train: needs {package}, which is not installed; "
        "install the extra: pip install 'gale-ms[train]'",
        "Model",
    ]


def test_estimators_without_their_extra(tmp_path: Path) -> None:
    code = "import gale\ntry: gale.SummaryFeatures\nexcept gale.GaleError as error: print(error)"
    env = {**os.environ, **without(tmp_path, "sklearn", "torch")}
    done = subprocess.run([sys.executable, "-c", code], env=env, text=True, capture_output=True,
                          check=True)  # fmt: skip
    assert done.stdout.splitlines() == [
        "gale.SummaryFeatures: needs sklearn, which is not installed; "
        "install the extra: pip install 'gale-ms[sklearn]'"
    ]


@pytest.mark.slow
def test_features_within_scikit_learn_need_no_torch(tmp_path: Path) -> None:
    code = "import gale; print(gale.ProfileFeatures.__name__)"
    env = {**os.environ, **without(tmp_path, "torch", "pydantic")}
    done = subprocess.run([sys.executable, "-c", code], env=env, text=True, capture_output=True,
                          check=True)  # fmt: skip
    assert done.stdout == "ProfileFeatures\n"


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["train", "ablate"])
def test_the_command_without_the_extra(tmp_path: Path, verb: str) -> None:
    env = without(tmp_path, "torch", "sklearn", "pydantic")
    done = start(verb, tmp_path, "-o", "output", cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "gale: gale.Recipe: needs torch, which is not installed; "
        "install the extra: pip install 'gale-ms[train]'"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "name", "package"),
    [(("serve",), "gale.web_service", "starlette"),
     (("watch", ".", "-o", "results", "-q"), "gale.watch", "watchfiles")],
)  # fmt: skip
def test_serving_without_its_extra(
    tmp_path: Path, words: tuple[str, ...], name: str, package: str
) -> None:
    model = ROOT / "tests" / "model" / "models" / "elution.onnx"
    env = without(tmp_path, "starlette", "uvicorn", "python_multipart", "watchfiles")
    done = start(*words, "--model", model, cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"gale: {name}: needs {package}, which is not installed; install the")
    assert "pip install 'gale-ms[serve]'" in line


@pytest.mark.slow
def test_reports_of_runs_need_no_extra(tmp_path: Path, trained: Trained, runs: list[Path]) -> None:
    env = without(tmp_path, "torch", "sklearn", "pydantic", "rdkit")
    words = ("report", "run", runs[0], "--model", trained.path, "-o", "pages", "-q")
    done = start(*words, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "pages" / f"{runs[0].name}.html").exists()


@pytest.mark.slow
def test_the_report_of_a_training_says_what_it_needs(
    tmp_path: Path, stack_file: Path, campaign_folder: Path
) -> None:
    env = without(tmp_path, "torch")
    words = ("report", "training", campaign_folder, "--model", stack_file, "-o", "r.html", "-q")
    done = start(*words, cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs torch, which is not installed" in done.stderr

# Every target does its set-up by itself: a virtual environment of its own with gale and what
# training and development need, then the work. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
# Tests run in one process more than there are cores; PYTEST adds options, for example PYTEST="-n 0 -k reader".
PYTEST ?=
# Tests start hundreds of processes: compiled code is kept even where the environment forbids it.
export PYTHONDONTWRITEBYTECODE :=

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
RUN_TESTS = $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: demo test check lint coverage docs clean

demo: $(VENV)/.installed
	$(BIN)/gale demo -o $(DEMO) --force

test: lint
	$(RUN_TESTS) $(PYTEST)

# What to run before a commit: the lints and the fast tests.
check: lint
	$(RUN_TESTS) -m "not slow" $(PYTEST)

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/python tools/large_files.py

coverage:
	$(MAKE) test PYTEST="--cov=gale --cov-report=term:skip-covered $(PYTEST)"

# The site in build/site; a link that leads nowhere is an error.
docs: $(VENV)/.installed
	$(BIN)/python docs/website.py
	$(BIN)/zensical build --strict

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[train]" --group dev
	$(PYTHON) -c "import pathlib; pathlib.Path('$@').touch()"

clean:
	$(PYTHON) -c "import shutil; [shutil.rmtree(p, True) for p in '$(VENV) $(DEMO) build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache'.split()]"

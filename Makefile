# Both targets do all the set-up by themselves: a virtual environment of their own, gale with what
# training needs, then the work. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo

.PHONY: demo test lint clean

demo: $(VENV)/.installed
	mkdir -p $(DEMO)
	test -e $(DEMO)/campaign/metadata.csv || { rm -rf $(DEMO)/campaign && \
	  $(BIN)/python examples/make_campaign.py $(DEMO)/campaign --train 300 --val 100 --test 200; }
	$(BIN)/gale train $(DEMO)/campaign -o $(DEMO)/quick.onnx --recipe quick --force
	$(BIN)/gale train $(DEMO)/campaign -o $(DEMO)/logistic.onnx --recipe logistic --force
	$(BIN)/gale predict $(DEMO)/campaign --split test --model $(DEMO)/quick.onnx \
	  -o $(DEMO)/quick.csv --force
	$(BIN)/gale predict $(DEMO)/campaign --split test --model $(DEMO)/logistic.onnx \
	  -o $(DEMO)/logistic.csv --force
	$(BIN)/gale evaluate $(DEMO)/quick.csv $(DEMO)/logistic.csv \
	  --labels $(DEMO)/campaign/test_labels.csv
	@echo
	@echo "The campaign was made up: these scores say that gale works, and nothing of real samples."
	@echo "Look at $(DEMO)/quick.csv (predictions), $(DEMO)/quick.history.csv (training), and at"
	@echo "  $(BIN)/gale inspect $(DEMO)/quick.onnx"

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[train]" --group dev
	touch $@

clean:
	rm -rf $(VENV) $(DEMO) build .mypy_cache .pytest_cache .ruff_cache .hypothesis

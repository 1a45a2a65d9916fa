# The verbs: setup demo test test-fast check chaos bench bench-gpu clean. All of them use the own .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JOBS   ?= 2

export OMP_NUM_THREADS ?= 1
export RAY_USAGE_STATS_ENABLED = 0
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast check format chaos bench bench-gpu clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv and install the project into it

# Installed once per change of pyproject.toml; an interrupted setup leaves no stamp and starts again.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Python >= 3.11 is needed, but $(PYTHON) is $$($(PYTHON) --version 2>&1 || true);" \
	       "name another one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: '$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --editable '.[dev]' > $(VENV)/setup.log 2>&1 || { \
	  cat $(VENV)/setup.log >&2; exit 2; }
	@touch $@

demo: $(STAMP) ## sweep the handwritten digits and show the results
	@$(BIN)/rnn-sweep run digits
	@$(BIN)/rnn-sweep results digits

test: $(STAMP) ## the whole test suite
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-fast: $(STAMP) ## the tests that start no processes
	@$(BIN)/python -m pytest -q -m "not integration and not slow and not gpu"

check: $(STAMP) ## lint, format, types, import law
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$report"; exit 1; }
	@report=$$($(BIN)/python -m tests.import_cycles) || { echo "$$report"; exit 1; }

format: $(STAMP) ## rewrite the code as `check` wants it
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

chaos: $(STAMP) ## kill everything in mid-sweep, compare with the undisturbed one (ARGS="--kills 100 --seed 0")
	@$(BIN)/python -m tests.chaos $(ARGS)

bench: $(STAMP) ## measure (ARGS=--write appends to tests/benchmarks/RESULTS.md, ARGS=--quick smokes)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-gpu: $(STAMP) ## measure on a CUDA device (ARGS=--full the whole grid)
	@$(BIN)/python -m tests.benchmarks --gpu $(ARGS)

clean: ## remove caches and build outputs (not .venv, not sweeps)
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find cluster search_spaces sweep trainers tests -name __pycache__ -type d -prune -exec rm -rf {} +

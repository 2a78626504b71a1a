# Everything needed runs in .venv, which is made on first use.
# Another Python than python3: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SAMPLE := hybrid_transcribe/samples/jfk.m4a
FRONTEND := hybrid_transcribe/frontend
SLOW_MARKS := slow or model or browser or gpu or network
# Side by side: they wait for processes more than they compute. The slow ones want every core.
FAST_TESTS = $(PY) -m pytest -m "not ($(SLOW_MARKS))" -n 2 --dist loadfile

# Make cannot answer questions, and a newer pip is fetched anyway.
PIP := $(PY) -m pip --disable-pip-version-check --no-input

# A wheel of torch that lies on this machine (PIP_FIND_LINKS), such as one for CPUs only, goes
# before what the index has: that one brings gigabytes of CUDA.
TORCH = -$(PY) -c 'import torch' 2>/dev/null || $(PIP) install --quiet --no-index --no-deps torch 2>/dev/null || true

.DEFAULT_GOAL := help
.PHONY: help sample run test check lint types build bench campaign clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

sample: $(VENV)/.starter ## Transcribe the recording that comes with the package
	@$(VENV)/bin/hybrid-transcribe transcribe $(SAMPLE)

run: $(VENV)/.app ## Start the REST service and its page on this machine
	@$(VENV)/bin/hybrid-transcribe serve

test: $(VENV)/.dev ## Format, lint, types and all tests
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	$(PY) -m mypy
	$(FAST_TESTS)
	$(PY) -m pytest -m "$(SLOW_MARKS)"

check: $(VENV)/.dev ## The same, with the fast tests only
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	$(PY) -m mypy
	$(FAST_TESTS)

lint: $(VENV)/.dev ## Format the code and mend what the linter can
	$(PY) -m ruff format
	$(PY) -m ruff check --fix
	@$(MAKE) --no-print-directory types

types: $(VENV)/.dev ## Check the types of the pages' JavaScript, where there is Node
	@if command -v npm >/dev/null; then \
	  $(MAKE) --no-print-directory $(FRONTEND)/node_modules/.made && $(PY) $(FRONTEND)/write_types.py && \
	  npm --prefix $(FRONTEND) run --silent types; \
	else echo "Without Node the types of $(FRONTEND)/ are not checked." >&2; fi

build: $(VENV)/.dev $(FRONTEND)/node_modules/.made ## Build the pages' JavaScript; also after a merge or rebase
	npm --prefix $(FRONTEND) run --silent build
	$(PY) -c "from hybrid_transcribe.rest.hosts.page import write_made_files; write_made_files()"

bench: $(VENV)/.dev ## Measure speed; takes minutes
	@if [ -f tests/benchmarks/__main__.py ]; then $(PY) -m tests.benchmarks; \
	else echo "There are no benchmarks yet."; fi

campaign: $(VENV)/.dev ## Long trials (kills, damage…); one by name: make campaign NAME=kills
	@for name in $(or $(NAME),$$($(PY) -m tests.campaigns | cut -d' ' -f1)); do \
	  $(PY) -m tests.campaigns $$name || exit 1; done

clean: ## Remove what was built and cached, but not .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# A stamp older than pyproject.toml means that dependencies may have changed.
$(VENV)/.starter: pyproject.toml | $(VENV)/.made
	@echo "Installing into $(VENV); the first time takes a minute or two." >&2
	$(PIP) install --quiet -e '.[starter]'
	@touch $@

$(VENV)/.app: pyproject.toml | $(VENV)/.made
	@echo "Installing into $(VENV); the first time takes a minute or two." >&2
	$(PIP) install --quiet -e '.[starter,app]'
	@touch $@ $(VENV)/.starter

$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	@echo "Installing into $(VENV); the first time takes some minutes." >&2
	$(TORCH)
	$(PIP) install --quiet -e '.[dev]'
	@touch $@ $(VENV)/.starter $(VENV)/.app

$(FRONTEND)/node_modules/.made: $(FRONTEND)/package.json
	npm --prefix $(FRONTEND) install --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(GET_VENV)
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip
	@touch $@

# Debian ships venv apart from Python.
GET_VENV = { \
  package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $$package; \
  else \
    echo "Python's venv is missing; on Debian or Ubuntu: sudo apt-get install $$package" >&2; \
    exit 1; \
  fi; }

# `make card` shows the ELU card; `make test` runs every check. Each makes the virtual environment that it needs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Quiet twice: errors only.
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help card test proofs disagreements bench exhaustive fuzz dist clean chromium

help:
	@echo "make card    show the ELU card and write its data, figures and page to data/activations/"
	@echo "make test    lint, types, floors and tests; installs Chromium by apt-get where run as root"
	@echo "make bench   times everything against every peer; writes benchmarks/results/ and the README's table"
	@echo "make exhaustive  tries kernels on every float32, float16 and bfloat16; goes on where a stopped run was"
	@echo "make proofs  derives every claim of the catalog again and writes src/actfn/analysis/proofs/"
	@echo "make disagreements  compares torch, JAX and Keras with the oracle; writes docs/where-frameworks-disagree.md"
	@echo "make fuzz    20,000 hostile and random texts for the formula parser"
	@echo "make dist    a wheel and an sdist in dist/"
	@echo "make clean   remove what the others made, .venv included"
	@echo "Choose the interpreter (3.11 or later) by PYTHON=..., the environment's folder by VENV=..."

card: $(VENV)/core.stamp
	@$(BIN)/actfn card elu

test: $(VENV)/dev.stamp chromium
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Some environments set OPENBLAS_CORETYPE; peers are to choose for this machine.
bench: $(VENV)/bench.stamp
	@unset OPENBLAS_CORETYPE; $(BIN)/python -m benchmarks.run_all --readme README.md

exhaustive: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.exhaustive

proofs: $(VENV)/dev.stamp
	$(BIN)/python -m actfn.analysis.proofs

# What frameworks do otherwise, as data and as a table in docs/.
disagreements: $(VENV)/bench.stamp
	$(BIN)/python -m benchmarks.disagreements --write

fuzz: $(VENV)/dev.stamp
	$(BIN)/python tests/formula/fuzz_parse.py --texts 20000

dist: $(VENV)/dev.stamp
	$(BIN)/python -m build

clean:
	rm -rf .venv dist build data/activations .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# venv makes pip last, so that an environment whose making failed is made again.
$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON) here; name a Python 3.11 or later by PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "actfn needs Python 3.11 or later, and $(PYTHON) is `$(PYTHON) --version 2>&1`; name another by PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	    echo "$(PYTHON) -m venv failed; on Debian and Ubuntu it needs: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/core.stamp: pyproject.toml | $(BIN)/pip
	@echo "installing actfn into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing actfn, PyTorch, JAX, ONNX, Keras and the development tools into $(VENV) ..."
	@$(PIP) --constraint constraints.txt --editable '.[dev,torch,jax,onnx,keras]'
	@touch $@ $(VENV)/core.stamp

$(VENV)/bench.stamp: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing actfn and the peers that it is timed against into $(VENV) ..."
	@$(PIP) --constraint constraints.txt --editable '.[dev,bench]'
	@touch $@ $(VENV)/core.stamp $(VENV)/dev.stamp

chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "`id -u`" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing Chromium for the browser tests ..."; \
	    export DEBIAN_FRONTEND=noninteractive; \
	    apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null && exit 0; \
	fi; \
	echo "no Chromium here: the browser tests will be skipped"

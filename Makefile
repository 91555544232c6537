# Two commands on a fresh machine with Python 3.11 or later and make: `make demo`, `make test`.
PYTHON ?= python3
# PyTorch first and by its version: a resolver that is left alone may choose gigabytes of CUDA.
TORCH ?= torch==2.13.0
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: help setup demo sandbox-demo serve test check bench fuzz chaos simulate clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/dev-ready ## Install everything for development into .venv

.venv/local-ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Luthier needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) '$(TORCH)'
	$(PIP) --editable '.[local]'
	@touch $@

.venv/dev-ready: .venv/local-ready
	$(PIP) --editable '.[local,dev]'
	@touch $@

demo: .venv/local-ready ## Fine-tune a small model here and compare it with its base
	$(BIN)/luthier demo

sandbox-demo: .venv/dev-ready ## Rehearse a whole pipeline at a simulated vendor, at no cost
	$(BIN)/luthier sandbox demo

serve: .venv/local-ready ## Serve the API on http://127.0.0.1:8000 with embedded defaults
	$(BIN)/luthier serve

check: .venv/dev-ready ## Format, lint, types and the layer contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

test: check ## All checks and the whole test suite, on SQLite and PostgreSQL
	$(BIN)/pytest --numprocesses 2 --dist loadgroup

bench: .venv/dev-ready ## Speed: requests against a bare route on both databases, the report, and intake
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.gateway
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.intake

fuzz: .venv/dev-ready ## Ten minutes of damaged files against the readers of datasets
	$(BIN)/python -m tests.datasets_in.fuzz 600

chaos: .venv/dev-ready ## Kill the service and lose answers at every call to every vendor
	$(BIN)/python -m tests.chaos

simulate: .venv/dev-ready ## Ten thousand schedules of faults against the reconciler, in simulated time
	$(BIN)/python -m tests.simulation 10000

clean: ## Remove the virtual environment and what the demo left
	rm -rf .venv luthier-demo

# Two commands on a fresh machine with Python 3.11 or later and make: `make demo`, `make test`.
PYTHON ?= python3
# PyTorch first and by its version: a resolver that is left alone may choose gigabytes of CUDA.
TORCH ?= torch==2.13.0
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: help setup demo sandbox-demo serve test test-long check audit bench fuzz fuzz-api explore chaos storm simulate clean

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
	# Afterwards, for the SDK that Azure's packages brought: in one go pip finds no versions at all.
	$(BIN)/pip freeze | grep '^opentelemetry-sdk==' > .venv/opentelemetry
	$(PIP) --constraint .venv/opentelemetry --editable '.[otel]'
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
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive app --severity-level medium

audit: .venv/dev-ready ## Secrets in the code, and with the internet known holes in what is installed
	find app deploy migrations scripts -type f -size -256k -not -name '*.pyc' -print0 \
		| xargs -0 $(BIN)/detect-secrets-hook
	@if $(BIN)/python -c 'import socket; socket.create_connection(("pypi.org", 443), 5)' 2>/dev/null; \
		then timeout 180 $(BIN)/pip-audit --progress-spinner off --skip-editable >.venv/pip-audit \
			|| { code=$$?; cat .venv/pip-audit; \
				[ $$code = 124 ] && echo 'pip-audit: skipped, pypi.org does not answer in time'; }; \
		else echo 'pip-audit: skipped, pypi.org cannot be reached from here'; fi

# Three at once on two cores: much of the suite is waiting for processes that were killed.
TESTS := $(BIN)/pytest --numprocesses 3 --dist loadgroup

test: check audit ## All checks and the whole test suite, on SQLite and PostgreSQL
	$(TESTS)

test-long: .venv/dev-ready ## The tests that take minutes, which `make test` leaves out
	$(TESTS) -m long

bench: .venv/dev-ready ## Speed: requests against a bare route on both databases, the report, intake and a scrape
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.gateway
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.intake
	$(BIN)/python -m benchmarks.load
	$(BIN)/python -m benchmarks.scrape

fuzz: .venv/dev-ready ## Ten minutes of damaged files against the readers of datasets
	$(BIN)/python -m tests.datasets_in.fuzz 600

fuzz-api: .venv/dev-ready ## Thousands of requests that the API's descriptions allow and forbid
	LUTHIER_FUZZ_EXAMPLES=200 $(BIN)/pytest -n 0 --timeout 0 tests/api/test_schemathesis.py

explore: .venv/dev-ready ## The tests that draw examples, with other ones than `make test` has
	$(BIN)/pytest --numprocesses 3 -m hypothesis --hypothesis-profile others

chaos: .venv/dev-ready ## Kill the service and lose answers at every call to every vendor
	$(BIN)/python -m tests.chaos

storm: .venv/dev-ready ## Four workers that die, freeze and lose their database, over 2,000 jobs
	$(BIN)/python -m tests.chaos.storm

simulate: .venv/dev-ready ## Ten thousand schedules of faults against the reconciler, in simulated time
	$(BIN)/python -m tests.simulation 10000

clean: ## Remove the virtual environment and what the demo left
	rm -rf .venv luthier-demo

# make run    the service on http://127.0.0.1:8000, with a PostgreSQL of its own
# make test   linters, types and the whole test suite, as CI runs them
# make bench  the load benchmark
# make lock   new lock files, after a change of the dependencies in pyproject.toml

PYTHON ?= python3
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' pyproject.toml

.PHONY: run test bench lock format clean

run: $(VENV)/.run
	@exec $(VENV)/bin/todo-api dev --exit-with-parent

test: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/pytest

bench: $(VENV)/.dev
	$(VENV)/bin/python -m benchmarks

format: $(VENV)/.dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock: $(VENV)/.dev
	$(COMPILE) --upgrade --group build -o requirements.lock
	$(COMPILE) --upgrade --group build --extra embedded -c requirements.lock -o requirements-run.lock
	$(COMPILE) --upgrade --group dev --extra embedded -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "todo-api needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The lock files hold a hash for every file that pip may install: nothing else gets in.
$(VENV)/.run: $(VENV)/bin/python requirements-run.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements-run.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

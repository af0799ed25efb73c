# make run    the service on http://127.0.0.1:8000, with an embedded PostgreSQL
# make test   linters, types and the whole test suite, as in CI
# make test-fast        the tests that need neither a database nor other processes: about a minute
# make test-containers  the whole test suite on the oldest and the newest PostgreSQL, in containers: needs Docker
# make test-citus       the tests that use the database, on a cluster of Citus in containers, and its faults: needs Docker
# make test-faults      kills, disconnects and exhausts the service and its database under load, and prints the results
# make test-client      the TypeScript client: two devices, a flaky network and kill -9 of the service; needs Node 20 and npm
# make bench  the load benchmark; make bench-scale the cost of calls as tables grow; both draw their results into docs/
# make soak   five minutes of requests of all kinds, valid and invalid; fails if the memory of the service grows
# make example       everything with a front end, on http://localhost:3000: needs Node.js; DEV=1 reloads what you change
# make test-example  drives the front end in Chromium, as two people with two browsers would
# make audit  known vulnerabilities and the licenses of the packages that are deployed, and their list (SBOM) in build/
# make lock   new lock files after a change of the dependencies in pyproject.toml; make lock-npm after one in a package.json

PYTHON ?= python3
VENV ?= .venv
IN_VENV = "$(VENV)/bin/python" -m
PIP = $(IN_VENV) pip --disable-pip-version-check --no-input
COMPILE = $(IN_VENV) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' pyproject.toml
DEPLOYED = --extra redis --extra telemetry
# The revision that `make bench` compares with, as in: make bench BEFORE=v1.0
BEFORE ?= $(shell git rev-parse --verify --quiet HEAD^)
# How many random histories `make test-client` tries, and how often it kills the service
RUNS ?= 300
KILLS ?= 20
POSTGRES_IMAGES ?= postgres:15 postgres:18
CLIENT = clients/typescript
EXAMPLE = examples/nextjs

# The environment is usable if it was created here completely and no installation into it was interrupted. Otherwise it
# is created again: pip does not reliably repair a partial installation, and its cache makes this quick.
USABLE := $(shell test -x "$(VENV)/bin/python" && test ! -e "$(VENV)/.installing" && \
	test "`cat "$(VENV)/.made" 2>/dev/null`" = "`pwd -P`" && echo yes)

.PHONY: run example test-example node test test-fast test-containers test-citus test-faults test-client bench bench-scale soak audit lock lock-npm format clean
ifneq ($(USABLE),yes)
.PHONY: $(VENV)/.made
endif

# The parent of the shell is make: when make exits, for any reason, the service and its database stop too.
run: $(VENV)/.run
	@exec $(IN_VENV) todo_api dev --exit-with-parent=$$PPID

example: $(VENV)/.run $(if $(DEV),$(CLIENT)/dist/index.js $(EXAMPLE)/node_modules/.package-lock.json,$(EXAMPLE)/.next/BUILD_ID)
	@exec env VENV="$(VENV)" DEV="$(DEV)" node $(EXAMPLE)/scripts/start.mjs

test-example: $(VENV)/.run $(EXAMPLE)/.next/BUILD_ID
	@VENV="$(VENV)" node --test $(EXAMPLE)/test/all.test.mjs

test: $(VENV)/.dev
	$(IN_VENV) ruff check .
	$(IN_VENV) ruff format --check .
	$(IN_VENV) mypy
	"$(VENV)/bin/lint-imports"
	$(IN_VENV) pytest

test-fast: $(VENV)/.dev
	$(IN_VENV) pytest --database=none

test-containers: $(VENV)/.dev
	for image in $(POSTGRES_IMAGES); do $(IN_VENV) pytest --database=container --postgres-image=$$image || exit 1; done

# Compose only pulls the image here, but asks for the password all the same.
test-citus: $(VENV)/.dev
	POSTGRES_PASSWORD=unused docker compose --file deploy/citus/docker-compose.yml pull --policy missing coordinator
	$(IN_VENV) pytest --database=citus
	$(IN_VENV) pytest --database=citus -m faults --numprocesses=0 tests/faults/test_citus.py

test-faults: $(VENV)/.dev
	$(IN_VENV) pytest -m faults --numprocesses=0
	$(IN_VENV) pytest --database=pgbouncer

test-client: $(VENV)/.dev clients/typescript/node_modules
	cd clients/typescript && RUNS=$(RUNS) KILLS=$(KILLS) npm test

clients/typescript/node_modules: clients/typescript/package-lock.json
	@command -v npm > /dev/null || { echo "make test-client needs Node 20 or newer, with npm"; exit 1; }
	cd clients/typescript && npm ci --ignore-scripts --no-audit --no-fund
	@touch "$@"

bench: $(VENV)/.dev build/tools
	$(IN_VENV) benchmarks $(if $(BEFORE),--before $(BEFORE)) --json build/calls.json
	build/tools/bin/python -m benchmarks.plot --calls build/calls.json docs/benchmark.svg

bench-scale: $(VENV)/.dev build/tools
	$(IN_VENV) benchmarks.scale --json build/scale.json
	build/tools/bin/python -m benchmarks.plot --scale build/scale.json docs/scale.svg

soak: $(VENV)/.dev
	$(IN_VENV) benchmarks.soak

# In two environments: one with the tools, and one with only the deployed packages.
audit: build/tools build/deployed
	@build/tools/bin/python deploy/audit.py requirements.lock build/deployed/bin/python build/sbom.json

build/tools: requirements-tools.lock
build/deployed: requirements.lock
build/tools build/deployed:
	@echo "Installing $< into $@ ..."
	@"$(PYTHON)" -m venv --clear "$@"
	@"$@/bin/python" -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r $< || \
		{ rm -rf "$@"; exit 1; }
	@touch "$@"

node:
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(+(major * 100 + +minor < 2019))' \
		2> /dev/null || \
		{ echo "The example needs Node.js 20.19 or newer, with npm: https://nodejs.org"; exit 1; }

NPM_CI = npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
$(CLIENT)/node_modules/.package-lock.json: $(CLIENT)/package-lock.json | node
	cd $(CLIENT) && $(NPM_CI)
	@touch "$@"

$(CLIENT)/dist/index.js: $(CLIENT)/node_modules/.package-lock.json $(shell find $(CLIENT)/src -type f)
	cd $(CLIENT) && npm run build
	@touch "$@"

$(EXAMPLE)/node_modules/.package-lock.json: $(EXAMPLE)/package-lock.json | node
	cd $(EXAMPLE) && $(NPM_CI)
	@touch "$@"

# The secret that signs sessions is read when the front end starts; Better Auth only asks for one while it is built.
$(EXAMPLE)/.next/BUILD_ID: $(CLIENT)/dist/index.js $(EXAMPLE)/node_modules/.package-lock.json \
		$(shell find $(addprefix $(EXAMPLE)/,app components lib public instrumentation.ts next.config.ts proxy.ts) -type f)
	cd $(EXAMPLE) && NEXT_TELEMETRY_DISABLED=1 BETTER_AUTH_URL=http://localhost:3000 \
		BETTER_AUTH_SECRET=this-one-is-only-there-while-it-is-built npm run build

format: $(VENV)/.dev
	$(IN_VENV) ruff check --fix .
	$(IN_VENV) ruff format .

lock: $(VENV)/.dev
	$(COMPILE) --upgrade --group build $(DEPLOYED) -o requirements.lock
	$(COMPILE) --upgrade --group build --extra embedded -c requirements.lock -o requirements-run.lock
	$(COMPILE) --upgrade --group dev --extra embedded $(DEPLOYED) -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --upgrade --group tools -c requirements-dev.lock -o requirements-tools.lock

# Hashes, and neither registries nor pages of sponsors.
WITHOUT_FUNDING = const fs = require("fs"), file = "package-lock.json", lock = JSON.parse(fs.readFileSync(file)); \
	Object.values(lock.packages).forEach((each) => delete each.funding); \
	fs.writeFileSync(file, JSON.stringify(lock, null, 2) + "\n")
lock-npm: | node
	for folder in $(CLIENT) $(EXAMPLE) tests/clients; do \
		(cd $$folder && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved && \
			node -e '$(WITHOUT_FUNDING)') || exit 1; \
	done

clean:
	rm -rf clients/typescript/node_modules clients/typescript/build clients/typescript/dist
	rm -rf "$(VENV)" build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.made:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "todo-api needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making the virtual environment $(VENV) ..."
	@"$(PYTHON)" -m venv --clear "$(VENV)"
	@pwd -P > "$@"

# The lock files have a hash of each file that pip may install, and pip refuses all others.
define install
@echo "Installing the dependencies into $(VENV), which takes a minute the first time ..."
@touch "$(VENV)/.installing"
@$(PIP) install --require-hashes -r $(1)
@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
@rm "$(VENV)/.installing"
endef

$(VENV)/.run: $(VENV)/.made requirements-run.lock pyproject.toml
	$(call install,requirements-run.lock)
	@touch "$@"

$(VENV)/.dev: $(VENV)/.made requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch "$@" "$(VENV)/.run"

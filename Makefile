# `make demo` needs Python 3.11 and this file; `make test` brings what else it needs. Everything made lies in .venv/
# and node_modules/; a target that is up to date installs nothing again.

bin := .venv/bin
pytest := $(bin)/python -m pytest
unit := not slow and not node and not browser

# Where it is set, every process compiles every module anew: a server starts in 6 s instead of 2, and pytest rewrites
# each test file in each of its processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test unit bench lint format types imports wheel try-wheel lock pictures clean

help:
	@echo "make demo [HEADLESS=20]   the whole loop on this machine; Ctrl-C ends it"
	@echo "make test                 every test;  make unit [ARGS='-k card']: the quick ones"
	@echo "make lint types imports   ruff, mypy --strict, import rules;  make format: ruff writes"
	@echo "make bench                the table of speeds with its musts"
	@echo "make wheel try-wheel      build it, and try it from another folder"
	@echo "make lock [UPGRADE=1]     write the lock files from pyproject.toml and package.json"
	@echo "make pictures             the pictures in docs/, from real Chromium"
	@echo "make clean                remove all that was made"

demo: .venv/.placet
	$(bin)/placet demo $(if $(HEADLESS),--headless $(HEADLESS))

# Two runs: what is quick fails first. The rest shares servers per file, hence loadfile.
test: unit node_modules/.made
	$(pytest) -n 2 --dist loadfile --no-loadscope-reorder -m "not ($(unit))" $(ARGS)

unit: .venv/.dev
	PLACET_REQUIRE_BROWSER= $(pytest) -n 2 -m "$(unit)" $(ARGS)

bench: .venv/.dev
	$(bin)/python -m bench $(ARGS)

lint: .venv/.dev
	$(bin)/ruff check .
	$(bin)/ruff format --check .

format: .venv/.dev
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

types: .venv/.dev
	$(bin)/mypy

imports: .venv/.dev
	$(bin)/lint-imports

wheel: .venv/.dev
	rm -rf dist
	$(bin)/python -m build --wheel --no-isolation

try-wheel: wheel
	tools/try-wheel.sh

lock: .venv/.python
	UPGRADE=$(UPGRADE) tools/lock.sh
	$(MAKE) .venv/.node
	$(bin)/npm install --package-lock-only

pictures: node_modules/.made
	$(bin)/python -m tools.pictures

clean:
	rm -rf .venv node_modules dist build demo-data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, a stamp per layer: whoever changes a lock gets its layer again, and nothing else.

.venv/.python: tools/python.sh
	tools/python.sh
	@touch $@

.venv/.runtime: .venv/.python requirements.lock
	tools/install.sh requirements.lock
	@touch $@

.venv/.placet: .venv/.runtime pyproject.toml
	tools/editable.sh
	@touch $@

.venv/.dev: .venv/.placet requirements-dev.lock
	tools/install.sh requirements-dev.lock
	@touch $@

.venv/.node: .venv/.python tools/node.sh requirements-node.lock
	tools/node.sh
	@touch $@

node_modules/.made: .venv/.node .venv/.dev package.json package-lock.json .npmrc
	$(bin)/npm ci
	@touch $@

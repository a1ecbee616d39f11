# All a newcomer needs: make demo, make test. Every target sets up .venv first.
.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint docs screenshots lock

PYTHON ?= python3
V := .venv/bin
ROWS ?=
WORKERS ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:            ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.stamp: requirements/dev.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Grantline needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(V)/python -m pip install --quiet --require-hashes --no-deps -r requirements/uv.txt
	VIRTUAL_ENV=.venv $(V)/uv pip install --quiet --require-hashes --no-deps --compile-bytecode -r requirements/dev.txt
	VIRTUAL_ENV=.venv $(V)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	$(V)/python -m compileall -q src
	@touch $@

setup: .venv/.stamp  ## make .venv from the hashed lock file

demo: setup      ## the whole job on a local AWS; prints the address and the sign-in
	$(V)/grantline demo

test: setup      ## every test; browser tests are skipped where there is no Chromium
	$(V)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

bench: setup     ## first load, unchanged and 0.1 % changed, as ratios to the bare parse (ROWS=10000000 for the large one)
	$(V)/grantline bench $(if $(ROWS),--rows $(ROWS))

lint: setup      ## ruff, import-linter, mypy
	$(V)/ruff check .
	$(V)/ruff format --check .
	$(V)/lint-imports
	$(V)/mypy

docs: setup      ## build the documentation into site/, without warnings
	NO_MKDOCS_2_WARNING=1 $(V)/mkdocs build --strict

screenshots: setup  ## the pictures of README and docs, from a demo run
	$(V)/python -m tests.e2e.screenshots

lock:            ## renew the lock files (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements/dev.in -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements/runtime.in -c requirements/dev.txt -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements/uv.in -o requirements/uv.txt

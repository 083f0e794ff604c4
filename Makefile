# Every task of the repository. Needs GNU make and Python >= 3.11; the rest is installed into .venv from the locks.
# Paths are relative and tools are run as `python -m`: the folder's own path may contain spaces.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check fmt bench chaos attack fuzz lock clean moved

PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install
CODE := services shared tests benchmarks
CODE := $(wildcard $(CODE))

# A virtual environment knows its own path: when the folder has been moved, it is made anew.
MOVED := $(shell [ "$$(cat .venv/made-in 2>/dev/null)" = "$$(pwd -P)" ] || echo moved)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

run: .venv/run.stamp ## start everything on port 8000 with the example city (IKM_HOST=… IKM_PORT=… IKM_HOME=… to change)
	@.venv/bin/ikm up --example tanjungpinang

# Most tests wait for servers and clocks: three of them side by side keep two cores busy.
test: check ## all checks and the test suite
	$(PY) -m pytest -n 3 --dist worksteal --ignore tests/attack --ignore tests/fuzz

check: .venv/dev.stamp ## format, lint, import contracts, types, guards
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m ruff check $(CODE)
	.venv/bin/lint-imports
	$(PY) -m mypy $(CODE)
	$(PY) -m pytest -q tests/guards

fmt: .venv/dev.stamp ## format and mend what the linter can mend
	$(PY) -m ruff check --fix-only $(CODE)
	$(PY) -m ruff format $(CODE)

bench: .venv/dev.stamp ## measure: each figure as a ratio to a yardstick of the same run
	$(PY) -m benchmarks

chaos: .venv/dev.stamp ## kill processes 100 times and freeze some under load, then compare all with a model
	$(PY) -m benchmarks.chaos --kills 100

attack: .venv/dev.stamp ## attack the running service, and measure that others are still answered
	ATTACK_SCALE=3 $(PY) -m pytest tests/attack

fuzz: .venv/dev.stamp ## throw ten thousand bodies and more at every parser
	$(PY) -m pytest tests/fuzz

# The files name no index host, so that they install from whatever index a machine is set up for.
COMPILE = $(PY) -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: .venv/dev.stamp ## resolve the dependencies anew (UPGRADE=1 to move to newer releases)
	$(COMPILE) --group build $(if $(UPGRADE),--upgrade) --output-file requirements.lock
	$(COMPILE) --group build --group dev $(if $(UPGRADE),--upgrade) --constraints requirements.lock \
		--output-file requirements-dev.lock

clean: ## remove what the tools left behind (.venv, caches); the data in .ikm stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/made-in: $(MOVED)
	@for python in python3 python3.13 python3.12 python3.11 python3.14 python; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then break; fi; \
		python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "make: no Python 3.11 or newer on PATH (looked for python3, python3.11 … python3.14)." >&2; exit 1; \
	fi; \
	if ! $$python -c 'import venv, ensurepip' >/dev/null 2>&1; then \
		echo "make: $$python has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "==> making .venv with $$($$python --version)"; \
	$$python -m venv --clear .venv && pwd -P > $@

# --no-deps: a lock is complete, and an older pip that resolves beside it refuses what was released after the lock.
.venv/run.stamp: .venv/made-in requirements.lock pyproject.toml
	@echo "==> installing $$(grep -c == requirements.lock) packages of requirements.lock into .venv (about a minute, once)"
	@$(PIP) --no-deps --require-hashes -r requirements.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/made-in requirements-dev.lock pyproject.toml
	@echo "==> installing $$(grep -c == requirements-dev.lock) packages of requirements-dev.lock into .venv (about two minutes, once)"
	@$(PIP) --no-deps --require-hashes -r requirements-dev.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch .venv/run.stamp $@

# Every target works on a machine that has python3 (3.11 or newer), make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup check test soak nightly demo bench docs audit lock
.DELETE_ON_ERROR:

setup: $(STAMP)

# The pinned versions, then this project itself in place; done again only when one of the two files changes.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: $(STAMP)
	$(BIN)/python -m pytest -n 4 --dist loadgroup $(ARGS)

# Kills workers 500 times under many tasks instead of 40 times; takes about a quarter of an hour.
soak: $(STAMP)
	SOAK_KILLS=$(or $(KILLS),500) $(BIN)/python -m pytest -n 0 -s tests/system/test_kills.py $(ARGS)

# The same proofs with far more examples, new ones each time: some tens of minutes of two cores.
nightly: $(STAMP)
	SYNC_WORKERS_TESTS=nightly $(BIN)/python -m pytest -n 2 tests/rules tests/runs/test_crashes.py \
		tests/runs/test_crashes_in_redis.py tests/runs/test_histories.py $(ARGS)

demo: $(STAMP)
	$(BIN)/sync-workers demo $(if $(ONCE),--once) $(if $(CONFIG),--config $(CONFIG))

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP)
	$(BIN)/mkdocs build --strict

# The bill of materials, and known vulnerabilities where the index tells them.
audit: $(STAMP)
	$(BIN)/python deploy/audit.py

# For maintainers: writes the lock anew from the ranges in pyproject.toml (needs uv).
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--all-extras --group dev --constraint constraints.txt -o requirements.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--extra caldav --extra sql --extra web --extra otel --constraint requirements.lock \
		-o deploy/requirements.txt pyproject.toml
	echo hatchling | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --constraint requirements.lock -o deploy/build-requirements.txt -

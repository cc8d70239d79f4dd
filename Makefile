# `make demo` and `make test` need Python 3.10 or newer, git and make; they bring uv themselves.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
JOBS ?= auto

export UV_PYTHON ?= $(PYTHON)
export UV_PYTHON_DOWNLOADS ?= never

RUN := $(UV) run --locked --no-sync

.PHONY: help install lint format test crash-matrix demo bench bench-quick bench-profile bench-mapping clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.synced: uv.lock pyproject.toml */pyproject.toml | $(filter .tools/bin/uv,$(UV))
	$(UV) sync --locked --quiet
	@touch $@

install: .venv/.synced  ## Install everything, as locked

lint: install  ## Check style and types
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

format: install  ## Put the code in style
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

test: install  ## Run all tests
	$(RUN) pytest -q -n $(JOBS)

crash-matrix: install  ## Kill tap and target in 320 ways (CRASH_CASES, CRASH_SEED), count events
	CRASH_CASES=$${CRASH_CASES:-320} PYTHONHASHSEED=0 $(RUN) pytest -q -n $(JOBS) tests/test_crash_matrix.py

demo: install  ## Load generated events end to end on the emulators, twice
	$(RUN) python -m demo

bench: install  ## Measure tap, target and pipe beside what is possible (BENCH: options, see docs/performance.md)
	$(RUN) python -m benchmarks $(BENCH)

bench-quick: install  ## The same with few events, once: two minutes or so
	$(RUN) python -m benchmarks --quick $(BENCH)

bench-profile: install  ## Sample where tap and target spend their CPU (fetches py-spy)
	$(RUN) python -m benchmarks.hot_spots $(BENCH)

bench-mapping: install  ## Map records with mapping sets and with Python by hand, and print speed
	$(RUN) python -m benchmarks.mapping

clean:  ## Remove what the other targets made, generated events among it
	rm -rf .venv .tools .meltano .demo .mypy_cache .pytest_cache .ruff_cache dist
	$(PYTHON) -m benchmarks.data_folder

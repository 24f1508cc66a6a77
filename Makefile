# Every command is defined once, here; people, hooks and CI call the same.

# `uv` from the PATH if it works, else one of our own below .uv; nothing else on the system changes.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"
SETUP := .venv/.complete

.DEFAULT_GOAL := help
.PHONY: help run test slow check format lint types imports lock clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 10

run: $(SETUP) ## set up, and run the main job (ARGS="--budget 3m" adds options)
	$(RUN) lslm run $(ARGS)

test: $(SETUP) ## set up, and run the tests (ARGS="tests/cli" chooses)
	$(RUN) pytest --numprocesses auto --maxprocesses 4 $(ARGS)

slow: $(SETUP) ## the tests that take longer
	$(RUN) pytest -m slow $(ARGS)

check: $(SETUP) ## formatter, linter, types, import linter
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) basedpyright
	$(RUN) lint-imports

format: $(SETUP) ## format the code, and mend what the linter can
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

lint: $(SETUP) ## the linter alone
	$(RUN) ruff check .

types: $(SETUP) ## the type checker alone
	$(RUN) basedpyright

imports: $(SETUP) ## the import linter alone
	$(RUN) lint-imports

clean: ## remove what was set up; the workspace .lslm stays
	rm -rf .venv .uv .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(SETUP): pyproject.toml requirements.lock | $(filter .uv/bin/uv,$(UV))
	$(UV) venv --quiet --allow-existing --python '>=3.11,<3.14' .venv
	$(UV) pip sync --quiet --require-hashes --compile-bytecode --python .venv requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv --editable .
	@touch $@

lock: | $(filter .uv/bin/uv,$(UV)) ## resolve the newest versions that fit, with hashes
	$(UV) pip compile --quiet --universal --generate-hashes --upgrade --python-version 3.11 \
	    --group dev --all-extras --no-emit-index-url --no-header pyproject.toml -o requirements.lock

# Some systems ship Python without venv, others without pip.
.uv/bin/uv:
	python3 -m venv .uv && .uv/bin/python -m pip install --quiet uv \
	    || python3 -m pip install --quiet --target .uv uv

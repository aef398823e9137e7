# Every target is a short call of a script; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help env demo test check bench lock docs clean env-dev
BIN := .venv/bin
# Tests and the demo start dozens of processes: bytecode that is kept saves each of them seconds of compiling.
export PYTHONDONTWRITEBYTECODE :=
QUICK := $(wildcard tests/unit tests/contract tests/properties tests/architecture)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 15

env: ## make .venv with what the service needs, and nothing else
	@scripts/environment requirements.txt

demo: env ## a sample brand in ./var, one planning cycle, and the web app (PORT=8000 DATA=var ONESHOT=1)
	@scripts/demo

test: env-dev ## everything, on SQLite and on a throw-away PostgreSQL (K=words runs a part)
	@scripts/services
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(if $(K),-k "$(K)")

check: env-dev ## format, lint, types, import rules, and the quick tests: no database, no real files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q -n 2 -m "not slow and not real_data and not database" $(QUICK)

bench: env-dev ## figures as ratios to a floor measured in the same run
	@scripts/services
	@for script in benchmarks/*.py; do echo "== $$script"; PYTHONPATH=.:tests $(BIN)/python $$script || exit 1; done

lock: env-dev ## pin requirements*.in to requirements*.txt, with hashes
	@scripts/lock

docs: env-dev ## rewrite what documents take from the code: the error codes and the picture
	@$(BIN)/python -m scripts.error_reference
	@$(BIN)/python -m scripts.flow_picture

clean: ## remove the environment and the caches; data in ./var stays
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

env-dev:
	@scripts/environment requirements-dev.txt

# All commands; `make` alone lists them. Paths are relative, since the folder's own path may contain a space.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
STEPS ?=
SEED ?=
PART ?=
NAME ?=

VENV := .venv
RUN := $(VENV)/bin/python -m
CHECKED := $(wildcard src tests bench tools examples)

export PYTHON
# Keep compiled modules: hundreds of programs that the tests start would compile them again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test quick torture planted check format bench lock clean environment environment-demo python chromium

help: ## this list
	@echo "Sixpence: usage credits for AI products"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: environment-demo ## set up and start the studio on 127.0.0.1:8000 (HOST= and PORT= override)
	@exec $(VENV)/bin/sixpence demo --host "$(HOST)" --port "$(PORT)"

test: environment chromium ## set up and run every test, PostgreSQL and a browser included (ARGS= goes to pytest)
	$(RUN) pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

quick: environment ## run the quick tests: no process, no PostgreSQL, no browser, in less than a minute (ARGS= goes to pytest)
	$(RUN) pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m quick $(ARGS)

torture: environment ## run the long randomized tests: PART=lockstep (all rules on both databases), simulate, kill, histories, flips; STEPS=, SEED=
	@$(RUN) tests.torture --part "$(or $(PART),lockstep)" $(if $(STEPS),--steps "$(STEPS)") $(if $(SEED),--seed "$(SEED)")

planted: environment ## plant each of the known bugs and check that the tests find it, in under half an hour (NAME= plants one)
	@$(RUN) tests.planted $(NAME)

check: environment ## format, lint, plain words, types and imports, in seconds
	$(RUN) ruff format --check $(CHECKED)
	$(RUN) ruff check $(CHECKED)
	$(RUN) tools.plain_words
	$(RUN) mypy $(CHECKED)
	$(VENV)/bin/lint-imports --no-logo

format: environment ## bring all code into the one format
	$(RUN) ruff check --fix-only $(CHECKED)
	$(RUN) ruff format $(CHECKED)

bench: environment ## measure side by side in under half an hour (PART=a one part, PART=all everything; ARGS= goes to the bench)
	@$(RUN) bench --part "$(or $(PART),short)" $(ARGS)

LOCK := pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" pyproject.toml

lock: environment ## resolve requirements/*.txt again from pyproject.toml (ARGS=--upgrade for newer versions)
	$(RUN) uv $(LOCK) --all-extras --group dev --group build --output-file requirements/dev.txt $(ARGS)
	$(RUN) uv $(LOCK) --extra demo --group build --constraints requirements/dev.txt \
		--output-file requirements/demo.txt $(ARGS)

clean: ## remove the environment and everything the tools left behind
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +

environment: python
	@"$(PYTHON)" tools/environment.py dev

environment-demo: python
	@"$(PYTHON)" tools/environment.py demo

python:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "Sixpence needs Python 3.11 or later, and there is no $(PYTHON). Name one: make PYTHON=python3.11 demo" >&2; \
		exit 1; }

chromium: environment
	@$(RUN) tests.support.chromium

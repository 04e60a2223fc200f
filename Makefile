# The market's front door; `make help` says what there is.

PYTHON ?= python3
TEST_PROCESSES ?= 2
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long bench lint docs format

help: ## Say what can be made
	@echo "The community organisation market"
	@sed -n 's/^\([a-z-]*\):.*## /  make \1#/p' Makefile | while IFS='#' read -r target about; do \
		printf '%-18s %s\n' "$$target" "$$about"; done
	@echo
	@echo "Settings come from the environment, for example: PORT=8080 MARKET_HOME=/srv/market make run"

setup: ## Make the environment in .venv (uv comes by itself)
	@uv=$$($(PYTHON) .ci/find_uv.py) && "$$uv" sync --quiet --frozen

run: ## Open a stocked market at http://localhost:8000 (Ctrl-C closes it)
	@uv=$$($(PYTHON) .ci/find_uv.py) && "$$uv" sync --quiet --frozen --no-dev --inexact
	@exec $(BIN)/market run

test: setup ## Run every test but the long ones, browser journeys included
	@sh tests/install_browser.sh
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal -m "not long"

test-long: setup ## Run the tests that take minutes
	@sh tests/install_browser.sh
	$(BIN)/pytest -m long

bench: setup ## Measure the market beside its ceilings
	$(BIN)/python -m benchmarks

lint: setup ## Check style, types, the direction of imports, and packages for known holes
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@uv=$$($(PYTHON) .ci/find_uv.py) && $(PYTHON) .ci/audit.py "$$uv"

docs: setup ## Write the table of settings into docs/operating.md
	$(BIN)/python -m app.settings

format: setup ## Put the code into its usual form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

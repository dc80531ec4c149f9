# Needs Python 3.11+ with venv, and make. Everything else goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help demo test check format lint imports types unit libraries bench report clean

VENV := .venv
BIN := $(VENV)/bin
SOURCES := client fakeserver pytest_plugin conformance tests docs/examples
REPORT := build/report

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# One stamp for the whole environment: a second call installs nothing.
$(VENV)/ready: pyproject.toml constraints.txt tools/bootstrap.sh
	@./tools/bootstrap.sh

demo: $(VENV)/ready ## See the main job: quickstart in the tunnel, then the corpus over three clients
	@$(BIN)/python docs/examples/quickstart.py
	@$(BIN)/windtunnel run --client windtunnel --client aiohttp --client httpx \
		--variants all --html $(REPORT)

test: check unit ## Run every check and every test, with branch coverage

check: format lint imports types ## Format, lint, import contracts, mypy and pyright

format: $(VENV)/ready
	@$(BIN)/ruff format --check $(SOURCES)

lint: $(VENV)/ready
	@$(BIN)/ruff check $(SOURCES)

imports: $(VENV)/ready
	@$(BIN)/lint-imports

types: $(VENV)/ready
	@$(BIN)/mypy
	@$(BIN)/pyright --pythonpath $(BIN)/python

unit: $(VENV)/ready
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m coverage run -m pytest -n auto
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

# Packages of others that only this target needs.
$(VENV)/libraries: $(VENV)/ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --no-build-isolation --editable '.[libraries]'
	@touch $@

libraries: $(VENV)/libraries ## Run public libraries written on aiohttp on this client
	@$(BIN)/python -m tests.libraries

bench: $(VENV)/ready ## Measure the client against aiohttp, side by side
	@$(BIN)/python -m tests.bench

clean: ## Remove what the other targets made
	@rm -rf $(VENV) build dist .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache

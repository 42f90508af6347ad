# casekit: set up, try, test. Needs Python 3.11 or later with pip; everything else comes into .venv.
#
#   make demo     make test     make help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
JOBS ?= auto

plugins := $(wildcard plugins/*/pyproject.toml)
editable := $(patsubst %/pyproject.toml,-e ./%,$(plugins))
asked := pyproject.toml constraints.txt $(plugins)

# uv installs where it can be had; pip, new enough to know dependency groups, where it can't.
install = if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install -q -p $(BIN)/python -c constraints.txt -b constraints.txt $(1); \
	else $(BIN)/python -m pip install -q -c constraints.txt $(1); fi

.DEFAULT_GOAL := help
.PHONY: help demo test prove soak check bench schemas sbom constraints changelog clean

help: ## what there is to make
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## one debt case from intake to closing, in the terminal
	@$(BIN)/casekit demo $(ARGS)

test: check ## everything that must hold: style, types, layers, tests (ARGS="-k money" for some; JOBS=0: in one process)
	$(BIN)/pytest -n $(JOBS) $(ARGS)

prove: $(VENV)/.test ## the proofs in full, with their figures: some hours (make test has their small form)
	CASEKIT_PROOFS=full $(BIN)/pytest tests/proofs --timeout=0 $(ARGS)

soak: $(VENV)/.test ## an hour under load: does anything decay? (SECONDS=180 for less)
	CASEKIT_SOAK=$(or $(SECONDS),3600) $(BIN)/pytest tests/proofs/test_soak.py --timeout=0 $(ARGS)

check: $(VENV)/.test ## style, types and layers only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test ## the figures, against bare drivers
	$(BIN)/python -m benchmarks $(ARGS)

schemas: $(VENV)/.test ## write schemas/ anew from the records
	$(BIN)/python schemas/write.py

sbom: $(VENV)/.test ## write the bill of materials anew from what is pinned
	@$(call install,--group sbom)
	$(BIN)/python sbom/write.py

constraints: $(VENV)/.test ## pin the newest versions that fit
	printf 'hatchling\nuv\npip\n' | $(BIN)/uv pip compile -q - pyproject.toml -U --universal --python-version 3.11 \
		--extra calendar-export --extra fast --extra holidays --extra pictures --extra postgresql --group test --group check --group sbom --no-annotate --no-header -o $(VENV)/pinned
	(head -1 constraints.txt; cat $(VENV)/pinned) > $(VENV)/constraints && mv $(VENV)/constraints constraints.txt

changelog: $(VENV)/.test ## what the next changelog would say
	$(BIN)/towncrier build --draft --version next

clean: ## take away what was built and installed, never a store
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "casekit needs Python 3.11 or later: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python install -q -c constraints.txt uv 2> $(VENV)/uv.log \
		|| $(PYTHON) -m pip --python $(BIN)/python install -q -c constraints.txt pip
	@touch $@

$(VENV)/.demo: $(VENV)/.python $(asked)
	@$(call install,-e '.[fast]' $(editable))
	@touch $@

$(VENV)/.test: $(VENV)/.python $(asked)
	@$(call install,-e '.[fast$(comma)postgresql]' $(editable) --group test --group check)
	@touch $@ $(VENV)/.demo

comma := ,

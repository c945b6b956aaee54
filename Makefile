# Every target does its own set-up: the first one run creates .venv from requirements.lock, later ones reuse it.
# Nothing outside this folder is written and no target needs administrator rights.

BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt bench recall peers sdk sdk-live lock clean

help:
	@echo "make demo    replay the simulated sample market, print the summary and one explanation, write the report"
	@echo "make test    run every test, on all cores"
	@echo "make check   formatting, lint, types and the architecture test"
	@echo "make fmt     format the Python sources"
	@echo "make bench   print replay speed and microseconds per decision"
	@echo "make recall  print how many seeded defects the linter finds, rule by rule"
	@echo "make peers   ask empyrical and quantstats, in an environment of their own, for the metrics that tests compare with"
	@echo "make sdk     let Coinbase's own library, in an environment of its own, trade at the sandbox; record what it sends for tests"
	@echo "make sdk-live  trade the default project live at the sandbox, and compare with what that library sees of the run (6 minutes)"
	@echo "make setup   only create .venv"
	@echo "make lock    pin the newest allowed versions in requirements.lock (needs uv)"
	@echo "make clean   remove .venv and caches; the ledger in .tb stays"

setup: $(STAMP)

# keyed on what decides the content of .venv, and on what is compiled; a failed installation leaves no stamp
$(STAMP): requirements.lock pyproject.toml .ci/setup $(wildcard tb/*/compiled/*)
	@.ci/setup
	@touch $@

demo: $(STAMP)
	@$(BIN)/tb demo

test: $(STAMP)
	@$(BIN)/python -m pytest -n auto

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_architecture.py

fmt: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

recall: $(STAMP)
	@$(BIN)/python tests/analysis/corpus.py

peers:
	@test -f .peers/.installed || { python3 -m venv .peers && .peers/bin/python -m pip install --quiet \
		--disable-pip-version-check -r tests/replay/peer_metrics.txt && touch .peers/.installed; }
	@.peers/bin/python -W ignore tests/replay/peer_metrics.py

sdk-live: $(STAMP)
	@$(BIN)/python tests/soak/sdk_live.py

sdk: $(STAMP)
	@test -f .sdk/.installed || { python3 -m venv .sdk && .sdk/bin/python -m pip install --quiet \
		--disable-pip-version-check -r tests/connectors/sdk_requests.txt && touch .sdk/.installed; }
	@.sdk/bin/python tests/connectors/sdk_requests.py
	@$(BIN)/python tests/soak/sdk.py

lock:
	@uv pip compile --no-config --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --quiet --extra dev pyproject.toml --output-file requirements.lock

clean:
	@rm -rf .venv .peers .sdk .benchmarks build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +

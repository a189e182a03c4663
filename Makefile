# What people type. Everything else is `.venv/bin/minik8s --help`.
#
#   make demo      from nothing to a cluster that tells its story, and away again (KEEP=1 leaves it standing)
#   make test      the set-up, all checks and all tests: what .ci/run calls
#   make setup     missing Debian packages, and .venv with the minik8s command; quick when nothing is missing
#   make check     formatter, linter, types, import contracts, doors and budgets
#   make bench     start-up, memory, fail-over, rule latency, requests and watches, DNS beside its peers, printed
#   make test-vm   the tests of --proxy-mode ipvs, in a virtual machine with Debian's kernel (not part of make test)
#   make clean     take .venv and all caches away; packages stay

BIN := .venv/bin

.PHONY: setup setup-tests demo check test unit integration bench test-vm clean

setup:
	@sh minik8s/cluster/setup.sh

setup-tests:
	@sh minik8s/cluster/setup.sh tests

demo: setup
	@$(BIN)/minik8s demo

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/unit/test_house.py

# One after the other also under `make -j`: first what fails fastest.
test: setup-tests
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory integration

unit: setup-tests
	$(BIN)/pytest -q -n 2 tests/unit

integration: setup-tests
	$(BIN)/pytest -q --durations=15 tests/integration

bench: setup-tests
	$(BIN)/pytest -q -s --timeout=600 tests/bench

test-vm: setup
	@$(BIN)/python tests/vm/run.py

clean:
	rm -rf .venv tests/vm/.cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find minik8s tests labs -name __pycache__ -type d -prune -exec rm -rf {} +

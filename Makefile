# `make help` lists what there is. Everything runs in .venv, which sets itself up
# and is renewed when a pyproject.toml or constraints.txt changes.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash

PYTHON ?= $(shell for v in 3.11 3.12 3.13; do p=$$(command -v python$$v) && "$$p" -c 'import venv, ensurepip' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
REPOSITORY ?= models/repository
PROJECTS := pyproject.toml client/pyproject.toml server/pyproject.toml models/pyproject.toml
PROTO := $(shell find proto -name '*.proto')
IMAGE ?= saccade-server

# `make test COMPILED=1` and the like run the server from there.
COMPILED ?=
COMPILED_LIB := build/compiled/lib
ifneq ($(COMPILED),)
export COMPILED
export PYTHONPATH := $(CURDIR)/$(COMPILED_LIB)
SERVER := build/compiled/stamp
endif

# One set of versions, for what is installed and for what builds it.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-faults check proto train serve bench triton compiled image clean

help: ## Say what each target does.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/pip.stamp: constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 with venv found; set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet pip
	@touch $@

.venv/run.stamp: .venv/pip.stamp $(PROJECTS)
	$(BIN)/python -m pip install --quiet --editable 'client[cli]' --editable 'server[tensorflow]' --editable 'models[cpu]'
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

demo: .venv/run.stamp $(SERVER) ## Train, export, serve, classify and measure, on the embedded digits.
	$(BIN)/python deploy/demo/demo.py

# Two processes: much of the time a test waits for one. A file's tests stay together.
test: .venv/dev.stamp $(SERVER) ## Run the tests (SACCADE_TEST_DEEP_NETWORKS=1: with the deepest networks).
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

test-faults: .venv/dev.stamp $(SERVER) ## Run the fault tests in full length (up to 15 minutes).
	$(BIN)/python -m pytest tests/faults --full

check: .venv/dev.stamp .venv-proto/stamp ## Check format, lint, types, import rules, compiling and stubs.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python server/check_compilable.py
	$(BIN)/python proto/check_compatibility.py
	$(BIN)/python proto/generate.py --check

proto: .venv/dev.stamp .venv-proto/stamp ## Generate the stubs in client/src/saccade/v1 anew.
	$(BIN)/python proto/generate.py

# The compilers of the stubs; why these versions: proto/README.md.
.venv-proto/stamp: proto/requirements-messages.txt proto/requirements-services.txt
	$(PYTHON) -m venv --clear .venv-proto/messages
	$(PYTHON) -m venv --clear .venv-proto/services
	PIP_CONSTRAINT= .venv-proto/messages/bin/python -m pip install --quiet -r proto/requirements-messages.txt
	PIP_CONSTRAINT= .venv-proto/services/bin/python -m pip install --quiet --no-deps -r proto/requirements-services.txt
	@touch $@

train: .venv/run.stamp ## Train the default network on the digits into models/repository.
	$(BIN)/saccade-models train --network cnn --dataset digits --output $(REPOSITORY) --name digits

serve: .venv/run.stamp $(SERVER) ## Serve models/repository on ports 8500 (gRPC) and 8501 (HTTP).
	$(BIN)/saccade-server serve --model-repository $(REPOSITORY)

bench: .venv/dev.stamp $(SERVER) ## Measure the server against others; prints tables, writes build/bench.json.
	$(BIN)/python -m tests.benchmarks

triton: build/triton/stamp ## Install Triton, for `make bench` to measure it as well (145 MB).

build/triton/stamp: .venv/pip.stamp tests/benchmarks/requirements-triton.txt
	rm -rf build/triton
	$(BIN)/python -m pip install --quiet --no-deps --target build/triton -r tests/benchmarks/requirements-triton.txt
	@touch $@

compiled: build/compiled/stamp ## Compile what each request runs (needs gcc, 3 minutes); then add COMPILED=1 above.

# From a copy: the build leaves its modules beside the sources, and Python would prefer them to
# sources that have changed since.
build/compiled/stamp: .venv/run.stamp server/pyproject.toml $(shell find server/src -name '*.py')
	rm -rf build/compiled
	mkdir -p build/compiled
	cp -r server build/compiled/source
	HATCH_BUILD_HOOK_ENABLE_MYPYC=1 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/compiled build/compiled/source
	$(BIN)/python -m pip install --quiet --no-deps --target $(COMPILED_LIB) build/compiled/*.whl
	@touch $@

image: ## Build the serving image (IMAGE=name, needs docker or buildah).
	deploy/image/build.sh $(IMAGE)

clean: ## Remove what make has made, trained models excepted.
	rm -rf .venv .venv-proto build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every task of the project. `make` lists them; each builds the .venv it needs, and the second run starts
# at once. JOBS is how many processes run tests side by side. Choose another interpreter with
# `make PYTHON=python3.12 VENV=.venv312 test`.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
JOBS   ?= 2

PY     := $(VENV)/bin/python
NATIVE := $(wildcard $(foreach room,native encoding queue,$(addprefix sage_rpc/$(room)/,*.pyx _codec.py *.pxd *.pxi *.h)))
PIP    := $(PY) -m pip --disable-pip-version-check
say     = @printf '\n==> %s\n' "$(1)"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z -]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environment -----------------------------------------------------------------------------------
# .created: the venv itself; .with-EXTRA: our package, editable, with that extra's dependencies;
# .native: the compiled core beside its sources, rebuilt whenever one of them is newer.

$(VENV)/.created:
	$(call say,Making $(VENV) with $(shell $(PYTHON) --version 2>&1))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "sage-rpc needs Python 3.10 or newer: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "$(PYTHON) cannot make a venv: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) install --quiet --upgrade pip 'setuptools>=77' 'Cython>=3.1'
	@touch $@

$(VENV)/.with-%: $(VENV)/.created pyproject.toml
	$(call say,Installing sage-rpc[$*] and what it needs into $(VENV))
	@SAGE_RPC_BUILD_NATIVE=skip $(PIP) install --no-build-isolation -e '.[$*]'
# An install that skips the core removes it, too: it is compiled again, next.
	@rm -f $(VENV)/.native
	@touch $@

$(VENV)/.native: $(VENV)/.created setup.py $(NATIVE)
	$(call say,Compiling the native core)
	@$(PY) setup.py -q build_ext --inplace
# Without a compiler there is no core, and no stamp: the next run tries, and warns, again.
	@if ls sage_rpc/*/*.so >/dev/null 2>&1; then touch $@; fi

# Keep the stamps: make would otherwise delete them as intermediate files.
.PRECIOUS: $(VENV)/.with-%

.PHONY: venv
venv: $(VENV)/.with-dev $(VENV)/.native ## Make the development environment

# --- the main jobs ---------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.with-demo $(VENV)/.native ## Run the main job: a pipeline of operators and services
	@$(PY) -m sage_rpc.demo $(ARGS)

.PHONY: test
test: venv ## Run the tests (ARGS='-k name' chooses)
	@$(PY) -m pytest -m 'not packaging and not speed and not control and not slow' -n $(JOBS) --dist loadfile $(ARGS)

# Our tree with the oldest of everything that pyproject.toml allows, or with the newest that go with OLDER.
LOWEST      ?= .venv-lowest
LOWEST_ARGS ?= --resolution lowest-direct
OLDER       ?=
LOWEST_TESTS = tests/test_errors.py tests/rpc/test_unary.py tests/encoding/test_values.py tests/hosting/test_service_host.py tests/services/test_manager.py \
	tests/codegen/test_calls.py tests/codegen/test_endings.py tests/codegen/test_requests.py \
	$(addprefix tests/codegen/test_generator.py::,test_links_are_followed test_a_comment_may_hold_anything \
		test_names_of_pythons_own_can_be_called test_the_namespace_google_stays_everybodys) \
	$(addprefix tests/conformance,/test_unary.py /test_bidi.py /test_futures.py _aio/test_unary.py _aio/test_bidi.py)

.PHONY: test-lowest
test-lowest: $(VENV)/.native ## Test with the lowest versions of what we depend on, and with protobuf 6
	@$(MAKE) test-versions ARGS='$(ARGS)'
	@$(MAKE) test-versions LOWEST=.venv-protobuf6 LOWEST_ARGS= OLDER='protobuf>=6,<7' ARGS='$(ARGS)'

# Metadata that is none is a ValueError in older versions of grpcio.
.PHONY: test-versions
test-versions:
	$(call say,Making $(LOWEST))
	@$(PYTHON) -m venv --clear $(LOWEST)
	@$(LOWEST)/bin/pip --disable-pip-version-check install --quiet uv
	@printf '%s\n' $(if $(OLDER),'$(OLDER)') > $(LOWEST)/older.txt
	@$(LOWEST)/bin/uv pip compile --quiet $(LOWEST_ARGS) --constraint $(LOWEST)/older.txt --output-file $(LOWEST)/versions.txt \
		--extra codegen --extra numpy --extra metrics --extra serve --extra tracing pyproject.toml
	@$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --requirement $(LOWEST)/versions.txt \
		pytest pytest-timeout pytest-xdist hypothesis psutil trustme msgpack
	@grep -E '^(grpcio|protobuf)' $(LOWEST)/versions.txt
	@$(LOWEST)/bin/python -m pytest -q -n $(JOBS) --dist loadfile -m 'not speed and not control' -k 'not forbidden_characters' $(LOWEST_TESTS) $(ARGS)

.PHONY: test-speed
test-speed: venv ## Hold what comfort and policies cost against their limits, on a quiet machine
	@$(PY) -m pytest -m speed $(ARGS)

.PHONY: test-slow
test-slow: venv ## Run the tests of whole programs: supervisors, pipelines, benchmarks, kills under load
	@$(PY) -m pytest -m 'slow and not packaging and not speed' -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: test-control
test-control: venv ## Show that stock grpcio passes the conformance tests, which must be right about it
	@$(PY) -m pytest -m control -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: test-packaging
test-packaging: venv ## Build and install the package in fresh environments
	@$(PY) -m pytest -m packaging $(ARGS)

# Agents and schedulers patch what they find: they get an environment of their own.
.PHONY: test-ecosystem
test-ecosystem: ## Run what others make of grpc, unmodified: Google's clients, tracing agents, gevent
	@$(MAKE) VENV=$(VENV)-ecosystem $(VENV)-ecosystem/.with-ecosystem $(VENV)-ecosystem/.native
	@$(VENV)-ecosystem/bin/python -m pytest -n $(JOBS) tests/ecosystem/test_others.py $(ARGS)

# A script that makes a Docker engine and a base image where there is neither; any other engine will do.
ENGINE ?= $(wildcard ../shared/docker/engine.sh)
BASE_IMAGE ?=

.PHONY: test-docker
test-docker: venv ## Test docker/ for real: two hosts, killed containers, cut networks
	@if [ -n "$(ENGINE)" ] && [ -z "$(BASE_IMAGE)" ]; then \
		$(ENGINE) sage-rpc-base:bookworm && base=sage-rpc-base:bookworm; \
	else docker info >/dev/null && base="$(BASE_IMAGE)"; fi; \
	SAGE_RPC_TEST_DOCKER=1 BASE_IMAGE="$$base" $(PY) -m pytest -o faulthandler_timeout=0 tests/test_docker.py $(ARGS)

.PHONY: test-outage
test-outage: venv ## Test an outage of etcd for half a minute
	@SAGE_RPC_OUTAGE_SECONDS=30 $(PY) -m pytest tests/discovery/test_etcd.py -k outage $(ARGS)

.PHONY: bench
bench: $(VENV)/.with-bench $(VENV)/.native ## Measure side by side with grpcio, pyzmq, iceoryx2, ...
	@$(PY) -m benchmarks $(ARGS)

.PHONY: outage
outage: venv ## Kill, stop, slow and fail endpoints under load for a minute (report: build/outage.md)
	@$(PY) -m tests.outage.script --report build/outage.md $(ARGS)

.PHONY: bench-docs
bench-docs: $(VENV)/.with-bench $(VENV)/.with-bench-ray $(VENV)/.native ## Measure everything, Ray too, and write docs/benchmarks.md
	@$(PY) -m benchmarks --full --repeats 5 --page docs/benchmarks.md $(ARGS)

.PHONY: native-test
native-test: ## Test the C part alone: sanitizers and the model
	@$(MAKE) -C tests/native

# The core as the sanitizers watch it, with a copy of the package around it.
SANITIZED := build/sanitized

$(SANITIZED)/.built: $(VENV)/.with-dev setup.py $(NATIVE)
	$(call say,Compiling the native core with sanitizers)
	@SAGE_RPC_SANITIZE=1 SAGE_RPC_BUILD_NATIVE=require $(PY) setup.py -q build \
		--build-lib $(SANITIZED) --build-temp build/sanitized.tmp
	@touch $@

.PHONY: hostile
hostile: venv $(SANITIZED)/.built ## Attack servers and clients for a minute, sanitizers on (ARGS='--seconds 600')
	@$(PY) -m tests.hostile.siege --built $(SANITIZED) --p99-ms 500 $(ARGS)

.PHONY: hostile-speed
hostile-speed: venv ## The same without sanitizers: honest calls keep to 50 ms at p99, on a quiet machine
	@$(PY) -m tests.hostile.siege $(ARGS)

.PHONY: doctor
doctor: venv ## Say what works on this machine
	@$(PY) -m sage_rpc doctor

# --- quality ---------------------------------------------------------------------------------------

.PHONY: lint
lint: venv ## Check style and common mistakes
	@$(PY) -m ruff check .

.PHONY: format
format: venv ## Format the sources
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

.PHONY: check-format
check-format: venv ## Check that the sources are formatted
	@$(PY) -m ruff format --check .

.PHONY: types
types: venv ## Check types, strictly
	@$(PY) -m mypy

.PHONY: proto
proto: venv ## Generate code from proto/
	@$(PY) codegen/generate.py

.PHONY: check-generated
check-generated: venv ## Check that the generated code is fresh
	@$(PY) codegen/generate.py --check

.PHONY: check
check: check-format lint types check-generated ## All of the checks above, no tests

# --- distribution ----------------------------------------------------------------------------------

.PHONY: sdist
sdist: venv ## Build the source distribution into dist/
	@$(PY) -m build --no-isolation --sdist

.PHONY: wheel dist
wheel dist: venv ## Build the sdist, and the wheel from that sdist, into dist/
	@SAGE_RPC_BUILD_NATIVE=require $(PY) -m build --no-isolation

.PHONY: clean
clean: ## Remove what was built, keep the environment
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis benchmarks/out
	rm -f sage_rpc/*/*.so sage_rpc/*/*.c $(VENV)/.native
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
	@if [ -f tests/native/Makefile ]; then $(MAKE) -C tests/native clean; fi

.PHONY: distclean
distclean: clean ## Remove the environment too
	rm -rf $(VENV) .venv-lowest .venv-protobuf6

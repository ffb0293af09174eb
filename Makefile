# Each target sets up what it needs in .venv; with another Python: make PYTHON=python3.12 test
.PHONY: demo venv test compiled test-compiled test-as-compiled fuzz lint bench docs

# Where it is set, as in images of Python, each start of the gateway compiles all modules anew, and tests start it often.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV ?= .venv
BENCH_VENV ?= .venv-bench
TESTS ?= tests
JOBS ?= 2
FUZZ_SECONDS ?= 60
# Others each time; 0: those of the tests and of CI, which find what they found the last time.
FUZZ_START ?= $(shell date +%s)
# What `make bench` compares with, e.g. PEERS="envoy nginx"; empty: all that are installed.
PEERS ?=
PEERS_BIN ?= .peers/bin
SCENARIOS ?=
# More for bench/compare.py, e.g. BENCH="--rounds 5 --write docs".
BENCH ?=
# Where the package is compiled for its tests, and what of them runs there: what passes bytes, and no test of the files.
COMPILED = build/compiled
COMPILED_TESTS ?= $(addprefix tests.acceptance.test_,traffic retries upgrade bodies bytes http2 \
  http2_conformance grpc hostile_http2 policies authorization tokens envoy_filters)
comma := ,

# $(call venv,EXTRAS): make the virtual environment, and install again only when setup.cfg has changed since.
define venv
@$(PYTHON) -c 'import sys; sys.exit("edgegate needs Python 3.10 or later: make PYTHON=python3.12 ..." if sys.version_info < (3, 10) else 0)'
@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
@cmp -s setup.cfg $(VENV)/installed-$(1) || { \
  echo "Installing edgegate and its dependencies into $(VENV) ..." && \
  $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[$(1)]' && cp setup.cfg $(VENV)/installed-$(1); }
endef

# What all targets below but the benchmark need, in one go; without it each installs its own when it comes to it.
venv:
	$(call venv,lint$(comma)docs$(comma)test$(comma)compile)
	@for each in lint docs test test$(comma)compile; do cp setup.cfg $(VENV)/installed-$$each; done

demo:
	$(call venv,test)
	$(VENV)/bin/edgegate certs --demo --dir etc/certs
	@exec $(VENV)/bin/python -m edgegate.demo --config etc

test:
	$(call venv,test)
	$(VENV)/bin/trial -j$(JOBS) $(TESTS)

# Conversations that are made up, for so many seconds; EDGEGATE_FUZZ_SEED tries one again.
fuzz:
	$(call venv,test)
	EDGEGATE_FUZZ_SECONDS=$(FUZZ_SECONDS) EDGEGATE_FUZZ_START=$(FUZZ_START) $(VENV)/bin/trial -j$(JOBS) tests.fuzz.test_http2

# Compiled modules beside their sources would be imported instead of them, so this is done to a copy.
compiled:
	$(call venv,test$(comma)compile)
	@rm -rf $(COMPILED) && mkdir -p $(COMPILED)
	@tar -cf - --exclude=__pycache__ --exclude='*.so' edgegate twisted tests etc packaging README.md setup.py setup.cfg \
	  pyproject.toml | tar -xf - -C $(COMPILED)
	@echo "Compiling in $(COMPILED) ..."
	@cd $(COMPILED) && $(abspath $(VENV))/bin/python setup.py --quiet build_ext --inplace >build.log 2>&1 || \
	  { cat build.log; exit 1; }

test-compiled: compiled
	@$(MAKE) --no-print-directory test-as-compiled

# The tests of what `make compiled` made. The checkout is installed in this environment: without PYTHONPATH its own
# sources would be tested.
test-as-compiled:
	cd $(COMPILED) && PYTHONPATH=$(abspath $(COMPILED)) EDGEGATE_EXPECT=compiled \
	  $(abspath $(VENV))/bin/trial -j$(JOBS) tests.test_version tests.server.test_service_log tests.perf.test_calls tests.perf.test_cycles \
	  tests.istio.translate.test_pickling tests.http.h1.test_head_parser tests.http.h1.test_plain_heads tests.http.h1.test_plain_responses $(COMPILED_TESTS) || { cat build.log; exit 1; }

lint:
	$(call venv,lint)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

# What is measured is what `pip install .` makes: compiled. It is installed anew each time.
bench:
	@test -x $(BENCH_VENV)/bin/pip || $(PYTHON) -m venv $(BENCH_VENV)
	@echo "Installing edgegate, compiled, into $(BENCH_VENV) ..."
	@rm -rf build/lib* build/bdist*
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check '.[bench]'
	$(BENCH_VENV)/bin/python bench/compare.py --peers-bin $(PEERS_BIN) $(addprefix --peer ,$(PEERS)) $(addprefix --scenario ,$(SCENARIOS)) $(BENCH)

docs:
	$(call venv,docs)
	$(VENV)/bin/sphinx-build -W --keep-going -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

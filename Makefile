# Each target sets up what it needs in .venv; with another Python: make PYTHON=python3.12 test
.PHONY: demo test lint bench docs

PYTHON ?= python3
VENV ?= .venv
TESTS ?= tests
JOBS ?= 2
# What `make bench` compares with, e.g. PEERS="envoy nginx"; empty: all that are installed.
PEERS ?=
SCENARIOS ?=

# $(call venv,EXTRAS): make the virtual environment, and install again only when setup.cfg has changed since.
define venv
@$(PYTHON) -c 'import sys; sys.exit("edgegate needs Python 3.10 or later: make PYTHON=python3.12 ..." if sys.version_info < (3, 10) else 0)'
@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
@cmp -s setup.cfg $(VENV)/installed-$(1) || { \
  echo "Installing edgegate and its dependencies into $(VENV) ..." && \
  $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[$(1)]' && cp setup.cfg $(VENV)/installed-$(1); }
endef

demo:
	$(call venv,test)
	$(VENV)/bin/edgegate certs etc/certs
	@exec $(VENV)/bin/python -m edgegate.demo --config etc

test:
	$(call venv,test)
	$(VENV)/bin/trial -j$(JOBS) $(TESTS)

lint:
	$(call venv,lint)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

bench:
	$(call venv,test)
	$(VENV)/bin/python bench/compare.py $(addprefix --peer ,$(PEERS)) $(addprefix --scenario ,$(SCENARIOS))

docs:
	$(call venv,docs)
	$(VENV)/bin/sphinx-build -W --keep-going -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

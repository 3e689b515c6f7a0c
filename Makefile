# The two commands are `make demo` and `make test`; `make help` lists the rest.
# Flags for the program behind a target go in ARGS: make demo ARGS="--lang zh --keep"

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
# Where it is set, every program compiles the whole project anew at its start, and the sandbox all workflows at each of theirs.
unexport PYTHONDONTWRITEBYTECODE
# The stamp is older than the lock exactly when the lock has changed since the last set-up.
STAMP := .venv/.installed
PEERS_STAMP := .venv-peers/.installed

# Installs Debian packages as root; tells anybody else what to type.
define apt_install
if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
	echo "Missing on this machine:" $(1); \
	echo "Next step: sudo apt-get install --no-install-recommends" $(1) "- then run make again."; \
	exit 1; \
fi; \
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null
endef

CATALOGUES := $(patsubst %.po,%.mo,$(wildcard i18n/*/LC_MESSAGES/messages.po))

.PHONY: help setup system demo dev screenshots test lint types imports bench bench-peers messages lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) $(CATALOGUES) ## make .venv from the hashed requirements, and compile the catalogues

$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; name one with: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call apt_install,python3-venv); }
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

%.mo: %.po | $(STAMP)
	@$(BIN)/pybabel --quiet compile -i $< -o $@

system: ## install the Debian packages that the tests run (requirements/apt.txt)
	@missing=; for package in $$(grep -v '^#' requirements/apt.txt); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then $(call apt_install,$$missing); fi

demo: setup ## play the four stories on a real local stack
	@$(BIN)/python starter.py demo $(ARGS)

dev: setup ## keep the local stack running
	@$(BIN)/python starter.py dev $(ARGS)

screenshots: setup system ## take the READMEs' pictures anew
	@$(BIN)/python -m devtools.demo.screenshots

test: setup system ## the whole test suite
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

# TPL010 wants an assertion to fail the workflow. Here a bug must suspend it instead: a mended worker then goes on.
lint: setup ## style, formatting, and what a workflow may not call
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/temporalint --ignore TPL010 workflows activities

types: setup ## mypy, strict
	@$(BIN)/mypy

imports: setup ## which package may import which
	@$(BIN)/lint-imports --no-logo

bench: setup ## measure the real routes against a bare twin
	@$(BIN)/python -m devtools.benchmarks $(ARGS)

bench-peers: setup $(PEERS_STAMP) ## measure the real route against the same process on DBOS
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { $(call apt_install,postgresql); }
	@$(BIN)/python -m devtools.benchmarks.peers $(ARGS)

$(PEERS_STAMP): requirements/peers.txt
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@touch $@

messages: setup ## take the messages of the source over into every catalogue (a further one: ADD=fr)
	@$(BIN)/pybabel --quiet extract -F pyproject.toml $(KEYWORDS) --no-location --sort-output -o i18n/messages.pot .
	@test -z "$(ADD)" || $(BIN)/pybabel --quiet init -i i18n/messages.pot -d i18n -l $(ADD)
	@for catalogue in $(CATALOGUES:.mo=.po); do \
		$(BIN)/pybabel --quiet update -i i18n/messages.pot -o $$catalogue -l $$(basename $$(dirname $$(dirname $$catalogue))) \
			--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 120; \
	done
	@rm i18n/messages.pot

KEYWORDS = -k N_ -k translate:2 -k translate_plural:2,3

lock: setup ## renew requirements/ from pyproject.toml (newest releases: ARGS=--upgrade)
	@$(COMPILE) pyproject.toml -o requirements/runtime.txt
	@$(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	@$(COMPILE) --group peers -c requirements/runtime.txt -o requirements/peers.txt
	@! grep -n '://' requirements/*.txt || { echo "A lock must not name a registry's address."; exit 1; }

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(ARGS)

clean: ## remove .venv and the caches
	rm -rf .venv .venv-peers .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

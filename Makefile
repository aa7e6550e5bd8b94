# The commands of the project. Everything is installed into .venv and .build of this checkout.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RELEASE := .venv-release
EVENTS := .venv-events
DOCS := .venv-docs
TREE   := .build/tree
COPY   := .build/copy/ansible_collections/winbackup/storage
# What is installed is what the lock files say, to the byte.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# One more than a small machine has cores: a third of the time tests wait, for a pause to be over or for a host to be back.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup
SHIPPED := plugins/ extensions/ roles/ playbooks/ meta/ changelogs/ docs/ tests/integration/ tests/config.yml galaxy.yml
PYMINOR = $(shell $(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(TREE)
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_HOME := $(CURDIR)/.build/ansible
export PATH := $(CURDIR)/$(BIN):$(PATH)
# What is compiled once is kept: the tests start hundreds of Pythons.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all test-versions test-powershell lint lint-code lint-sanity lint-pylint copy docs release-check ee lab-up lab-down clean
help:
	@echo "make demo      the failing backups on the embedded lab: diagnosis, cure, proof, report"
	@echo "make test      all tests but those that take long (which ones, the summary says)"
	@echo "make test-all  all tests, and once more with the newest ansible-core and pyVmomi what depends on them"
	@echo "make lint      ruff, mypy, the linter of PowerShell scripts, ansible-lint, ansible-test sanity, antsibull"
	@echo "make docs      build the documentation site, offline; every warning is an error"
	@echo "make release-check  rehearse a release: archive, galaxy-importer, signature, bill of materials, licences, workflows"
	@echo "make ee        build an execution environment and run the audit in it"
	@echo "make lab-up    start the lab and write its inventory; make lab-down stops it"

.build/demo.stamp: requirements-test.lock
	@echo "== making $(VENV) with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "== installing what the lab and the tests need (a minute or two)"
	@$(INSTALL) -r requirements-test.lock
	@$(BIN)/python tools/lay_tree.py link >/dev/null
	@mkdir -p .build && touch $@

.build/test.stamp: .build/demo.stamp requirements-kerberos.lock bindep.txt
	@$(BIN)/python tools/system_packages.py
	@echo "== building what Kerberos needs (a minute)"
	@$(INSTALL) -r requirements-kerberos.lock || echo "== Kerberos: its libraries could not be built; its tests will fail"
	@touch $@

.build/events.stamp: .build/demo.stamp requirements-events.lock
	@echo "== making $(EVENTS) with what runs rulebooks (a minute or two)"
	@test -x $(EVENTS)/bin/python || $(BIN)/python -m venv $(EVENTS)
	@$(EVENTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-events.lock
	@touch $@

.build/lint.stamp: .build/test.stamp requirements-lint.lock
	@echo "== installing what lint needs (a minute or two)"
	@$(INSTALL) -r requirements-lint.lock
	@touch $@

.build/release.stamp: .build/demo.stamp requirements-release.lock tools/go/go.sum
	@echo "== making $(RELEASE) with what a release is made with (a minute or two)"
	@test -x $(RELEASE)/bin/python || $(BIN)/python -m venv $(RELEASE)
	@$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-release.lock
	@$(BIN)/python tools/build_go_tools.py
	@touch $@

.build/docs.stamp: requirements-docs.lock
	@echo "== making $(DOCS) with what the documentation site is built with (a minute)"
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@mkdir -p .build && touch $@

demo: .build/demo.stamp
	@$(BIN)/python tests/demo/demo.py

test: .build/test.stamp .build/events.stamp
	@echo "== tests (left to make test-all: those marked slow)"
	@$(PYTEST) -m "not slow"

test-all: .build/test.stamp .build/events.stamp
	@HYPOTHESIS_PROFILE=search $(PYTEST)
	@$(BIN)/python tools/lay_tree.py copy >/dev/null
	@cd $(COPY) && $(CURDIR)/$(BIN)/ansible-test units --local --python $(PYMINOR)
	@$(BIN)/python tools/newest_versions.py

# What depends on ansible-core and pyVmomi, with those that are installed.
test-versions: .build/test.stamp
	@$(PYTEST) -m "not slow" $$(cd tools && ../$(BIN)/python -c 'import newest_versions; print(*newest_versions.TESTS)')

# What runs in a real PowerShell where LAB_PWSH=1 and there is a pwsh (docs/docsite/rst/lab_powershell_subset.rst).
test-powershell: .build/test.stamp
	@LAB_PWSH=1 $(PYTEST) tests/scenarios/winrm tests/lab_tests/wsman

# ansible-test has environments of its own, and begins while those of the others are installed.
lint: .build/demo.stamp
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j 3) lint-pylint lint-sanity lint-code

copy: .build/demo.stamp
	@$(BIN)/python tools/lay_tree.py copy >/dev/null && $(BIN)/python tools/seed_get_pip.py

lint-code: .build/lint.stamp copy
	@echo "== ruff";                $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "== mypy";                cd $(TREE) && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml ansible_collections/winbackup/storage/plugins
	@echo "== PowerShell scripts";  $(BIN)/python tools/lint_powershell.py
	@echo "== yamllint";            $(BIN)/yamllint -s .
	@echo "== changelog";           $(BIN)/antsibull-changelog lint
	@echo "== antsibull-docs";      $(BIN)/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self --check-extra-docs-refs --skip-rstcheck $(COPY)
	@echo "== ansible-lint";        cd $(COPY) && $(CURDIR)/$(BIN)/ansible-lint --offline -q
	@echo "== ansible-test units (that it finds every test; make test-all runs them so)"
	@cd $(COPY) && $(CURDIR)/$(BIN)/ansible-test units --local --python $(PYMINOR) --collect-only >/dev/null
	@if command -v go >/dev/null; then echo "== go vet and gofmt"; export CGO_ENABLED=$${CGO_ENABLED:-0}; for part in vcenter govc; do (cd tests/lab/$$part && go vet ./... && test -z "$$(gofmt -l .)") || exit 1; done; fi

lint-sanity: copy
	@echo "== ansible-test sanity (the first time it makes its own environments: some minutes)"
	@cd $(COPY) && $(CURDIR)/$(BIN)/ansible-test sanity --local --python $(PYMINOR) --skip-test pylint $(SHIPPED)

lint-pylint: copy
	@echo "== ansible-test sanity --test pylint"
	@cd $(COPY) && $(CURDIR)/$(BIN)/ansible-test sanity --local --python $(PYMINOR) --test pylint $(SHIPPED)

docs: .build/docs.stamp
	@PATH=$(CURDIR)/$(DOCS)/bin:$$PATH $(DOCS)/bin/python tools/build_docs.py

# Before the others' environment, so that each tool is the one of its own lock file. KEY=... signs with a key of gpg's.
release-check: .build/release.stamp
	@PATH=$(CURDIR)/$(RELEASE)/bin:$$PATH $(RELEASE)/bin/python tools/release_check.py $(if $(KEY),--key "$(KEY)")

# Needs root, podman, buildah and debootstrap; takes long and some gigabytes.
ee: .build/release.stamp
	@$(BIN)/python tests/lab/lab.py up
	@PATH=$(CURDIR)/$(RELEASE)/bin:$$PATH $(RELEASE)/bin/python tools/build_ee.py; code=$$?; $(BIN)/python tests/lab/lab.py down; exit $$code

lab-up: .build/demo.stamp
	@$(BIN)/python tests/lab/lab.py up
lab-down:
	@$(BIN)/python tests/lab/lab.py down

clean:
	rm -rf .build .venv .venv-newest $(RELEASE) $(EVENTS) $(DOCS) .pytest_cache .mypy_cache .ruff_cache .hypothesis

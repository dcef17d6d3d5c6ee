# Everything from a fresh clone, on Debian and macOS: needs Python 3.11 or newer, make, and either
# a running Docker engine or a JDK 17 or newer with Maven; `make test` also needs Prometheus and
# Alertmanager with their promtool and amtool, and Chromium. Works with GNU make 3.81.

BIN := .venv/bin
STAMP := .venv/.installed
PYTEST_OPTIONS :=
TOGETHER := -n 3
LOCK_OPTIONS :=
BENCH_OPTIONS :=

TOOLS := .local/tools
TOOLS_STAMP := $(TOOLS)/.installed

AUDIT := .local/audit

.PHONY: chaos chaos-long fuzz audit help install demo test bench lint monitoring browser lock clean tools docs generated \
  changelog try-install

help:
	@echo "make demo     the whole story on this machine: Kafka, worker, database, faults found"
	@echo "make test     lint, then every test; starts the Kafka and PostgreSQL that they need;"
	@echo "              needs Prometheus, Alertmanager and Chromium installed"
	@echo "make bench    rates beside other stream processors on one broker, about half an hour;"
	@echo "              BENCH_OPTIONS='--rounds 1 --events 100000' for a short look"
	@echo "make lint     ruff, mypy --strict, and the rules of who may import whom"
	@echo "make install  only make .venv, which the others do by themselves"
	@echo "make docs     build the documentation into .local/site; warnings are errors"
	@echo "make generated  write anew what is made from the code: reference, rules, deployments"
	@echo "make changelog  show the next section of the changelog; VERSION=0.2.0 writes it"
	@echo "make try-install  install the wheel and the sdist as others do, and use them"
	@echo "make tools    only make .local/tools, for documents, packages and deployments"
	@echo "make lock     make requirements.lock and dev/tools.lock anew"
	@echo "              (LOCK_OPTIONS=--upgrade takes newer versions)"
	@echo "make chaos    faults of two dozen kinds on Kafka, PostgreSQL and three workers"
	@echo "make chaos-long  more than 500 of them, an hour or two; writes benchmarks/results/chaos.md"
	@echo "make fuzz     a million damaged records, tap files and filters, about half an hour"
	@echo "make audit    weaknesses and licences of all packages, and sbom.json"
	@echo "make clean    stop what was started here, remove .venv, .local and caches"
	@echo
	@echo "One test:     make test PYTEST_OPTIONS='-k tombstone'"
	@echo "Other Python: make install PYTHON=/path/to/python3.12"

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml dev/find-python
	@python=$$(sh dev/find-python $(PYTHON)) || exit 1; \
	echo "making .venv with $$python; the first time takes a minute" >&2; \
	rm -f $(STAMP); \
	"$$python" -m venv --clear .venv || { rm -rf .venv; \
	  echo "make: venv failed; on Debian it may need: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet \
	  --require-hashes -r requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet \
	  --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/streamwatch demo

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# One test needs no Prometheus and no browser, all of them do: say so before the minutes that
# they take. All of them run side by side, three on two cores since most of them wait for services.
test: $(if $(PYTEST_OPTIONS),,monitoring browser) lint
	$(BIN)/python -m pytest $(or $(PYTEST_OPTIONS),$(TOGETHER))

# Peers get environments of their own under .local/bench; who cannot be installed is left out.
bench: $(STAMP)
	$(BIN)/python benchmarks/throughput/run.py --out benchmarks/results $(BENCH_OPTIONS)

chaos: $(STAMP)
	$(BIN)/python -m pytest tests/chaos

chaos-long: $(STAMP)
	$(BIN)/python dev/chaos.py

# The fuzzer is installed beside the environment, not into it: only this command needs it.
fuzz: $(STAMP)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --upgrade --no-deps \
	  --target .local/fuzz/lib atheris==3.0.0
	PYTHONPATH=.local/fuzz/lib $(BIN)/python dev/fuzz.py

audit: $(STAMP)
	@test -x $(AUDIT)/bin/pip-audit || { "$$(sh dev/find-python $(PYTHON))" -m venv --clear $(AUDIT) && \
	  $(AUDIT)/bin/python -m pip --disable-pip-version-check install --quiet \
	  pip-audit==2.10.1 pip-licenses==5.5.5 cyclonedx-bom==7.5.0; }
	@$(AUDIT)/bin/python dev/audit.py \
	  "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

monitoring: $(STAMP)
	@$(BIN)/python -m streamwatch.adapters.local.monitoring

browser:
	@for name in $(STREAMWATCH_TEST_CHROMIUM) chromium chromium-browser google-chrome; do \
	  command -v "$$name" >/dev/null && exit 0; done; \
	echo "not installed: chromium, for the tests of the pages; on Debian: apt-get install chromium;" \
	  "elsewhere name the program in STREAMWATCH_TEST_CHROMIUM" >&2; exit 1

tools: $(TOOLS_STAMP)

$(TOOLS_STAMP): dev/tools.lock dev/find-python
	@python=$$(sh dev/find-python $(PYTHON)) || exit 1; \
	rm -f $(TOOLS_STAMP); "$$python" -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip --disable-pip-version-check install --quiet \
	  --require-hashes -r dev/tools.lock
	@touch $(TOOLS_STAMP)

docs: $(TOOLS_STAMP)
	@NO_MKDOCS_2_WARNING=1 $(TOOLS)/bin/mkdocs build --quiet --strict --site-dir .local/site

changelog: $(TOOLS_STAMP)
	@$(TOOLS)/bin/towncrier build $(if $(VERSION),--yes --version $(VERSION),--draft --version next)

generated: $(STAMP)
	@$(BIN)/python dev/reference.py
	@$(BIN)/python dev/deployments.py
	@$(BIN)/python -m streamwatch.cli.manpage > docs/man/streamwatch.1

try-install: $(STAMP) $(TOOLS_STAMP)
	@$(BIN)/python dev/try_install.py

lock:
	@python=$$(sh dev/find-python $(or $(PYTHON),python3.11)) || exit 1; \
	  "$$python" -m venv --clear .local/lock
	@.local/lock/bin/python -m pip --disable-pip-version-check install --quiet pip-tools
	@.local/lock/bin/python dev/lock.py $(LOCK_OPTIONS)

clean:
	@if [ -e .local/kafka/kafka.json ] || [ -e .local/postgres/postgres.json ]; then \
	  $(MAKE) --no-print-directory install && \
	  $(BIN)/python -m streamwatch.adapters.local remove kafka && \
	  $(BIN)/python -m streamwatch.adapters.local remove postgres; fi
	rm -rf .venv .local .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

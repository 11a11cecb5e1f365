# What a change must pass (`lint`, `test`; `check` is both, `.ci/run` is everything, from nothing), and the published
# boards: `make matrix` prints what is missing of a protocol's runs, the commands that train it and how long they take;
# `make publish` publishes the records where they can carry a comparison, `make publish TASKS=seg` those of a task alone;
# `SHORT=TASK` also that of a task that falls short of a criterion, which its board names;
# `HOME_OF_RUNS="leaderboards/published runs/more"` adds runs to what is published; `make published` makes the boards from
# the records. The strengths of `quick` lie beside the boards of starting speed:
# `make tuning PROTOCOL=quick PUBLISHED=leaderboards/starting_speed`.
# `make portable` runs the tests of PARTS with lesser instruction sets, and with one thread and two.

HOME_OF_RUNS ?= runs/published
PUBLISHED = leaderboards/published
TASKS = $(shell benchmark list tasks --plain)
METHODS = $(shell benchmark list methods --plain)
PROTOCOL ?= standard
FORMATS = md csv json html svg
nothing =
comma = ,
listed = $(subst $(nothing) $(nothing),$(comma),$(strip $(1)))
PARTS ?= tests

.PHONY: lint test check portable published matrix publish tuning reference

lint:
	ruff check .
	ruff format --check .
	mypy

test:
	OMP_NUM_THREADS=1 pytest -n 2

check: lint test

portable:
	OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2 pytest -n 2 $(PARTS)
	OMP_NUM_THREADS=2 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 pytest $(PARTS)

published:
	for folder in $(PUBLISHED) leaderboards/starting_speed; do \
		benchmark leaderboard $$folder --out $$folder/boards $(FORMATS:%=--format %) || exit 1; \
	done
	benchmark leaderboard claims $(PUBLISHED) --out docs/claims.md

matrix:
	benchmark protocol plan $(PROTOCOL) --home $(lastword $(HOME_OF_RUNS)) --published $(PUBLISHED)

publish:
	benchmark protocol check $(PROTOCOL) $(HOME_OF_RUNS) $(patsubst %,--task %,$(filter-out $(SHORT),$(TASKS)))
	benchmark leaderboard publish $(HOME_OF_RUNS) --to $(PUBLISHED) $(TASKS:%=--task %)
	$(MAKE) published

tuning:
	for task in $(TASKS); do \
		benchmark tune protocol=$(PROTOCOL) task=$$task method=none home=$(HOME_OF_RUNS) || exit 1; \
		benchmark tune protocol=$(PROTOCOL) task=$$task method=[$(call listed,$(METHODS))] home=$(HOME_OF_RUNS) || exit 1; \
	done
	mkdir -p $(PUBLISHED)/tuning && cp $(HOME_OF_RUNS)/tuning/*.json $(PUBLISHED)/tuning/
	python -m benchmark.config.default_strengths leaderboards/*/tuning

reference:
	python -m typer benchmark.cli utils docs --name benchmark --title "Command line" > docs/reference/cli.md

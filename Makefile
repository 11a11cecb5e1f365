# What a change must pass (`lint`, `test`; `check` is both, `.ci/run` is everything, from nothing), and the published
# boards: `make matrix` trains everything again (hours on two cores) and publishes the records; `make published` makes
# the boards from the published records. `make portable` runs the tests of PARTS with lesser instruction sets, and with
# one thread and two.

HOME_OF_RUNS ?= runs/published
PUBLISHED = leaderboards/published
TASKS = $(shell benchmark list tasks --plain)
METHODS = $(shell benchmark list methods --plain)
LEARNERS = $(filter-out none,$(METHODS))
nothing =
comma = ,
listed = $(subst $(nothing) $(nothing),$(comma),$(strip $(1)))
SEEDS = 0,1,2
PARTS ?= tests

.PHONY: lint test check portable published matrix tuning reference

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
	benchmark leaderboard $(PUBLISHED) --out $(PUBLISHED)/boards --format md --format csv --format json --format html --format svg

matrix:
	benchmark run -m task=$(call listed,$(TASKS)) seed=$(SEEDS) method=[$(call listed,$(METHODS))] home=$(HOME_OF_RUNS)
	benchmark run -m task=seg,depth,saliency data.labeled=1/8 seed=$(SEEDS) method=[$(call listed,$(METHODS))] home=$(HOME_OF_RUNS)
	benchmark run -m task=seg,depth teacher.control=untrained seed=$(SEEDS) method=[$(call listed,$(LEARNERS))] home=$(HOME_OF_RUNS)
	benchmark leaderboard publish $(HOME_OF_RUNS) --to $(PUBLISHED)
	$(MAKE) published

tuning:
	for task in $(TASKS); do \
		benchmark tune task=$$task method=[$(call listed,$(LEARNERS))] --trials 5 --span 9 home=$(HOME_OF_RUNS) || exit 1; \
	done
	mkdir -p $(PUBLISHED)/tuning && cp $(HOME_OF_RUNS)/tuning/*.json $(PUBLISHED)/tuning/
	python -m benchmark.config.default_strengths $(PUBLISHED)/tuning

reference:
	python -m typer benchmark.cli utils docs --name benchmark --title "Command line" > docs/reference/cli.md

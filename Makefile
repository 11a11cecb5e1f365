# What a change must pass (`lint`, `test`; `check` is both, `.ci/run` is everything, from nothing), and the published
# boards: `make matrix` trains everything again (hours on two cores) and publishes the records; `make published` makes
# the boards from the published records.

HOME_OF_RUNS ?= runs/published
PUBLISHED = leaderboards/published
TASKS = $(shell benchmark list tasks --plain)
METHODS = $(shell benchmark list methods --plain)
LEARNERS = $(filter-out none,$(METHODS))
nothing =
comma = ,
listed = $(subst $(nothing) $(nothing),$(comma),$(strip $(1)))
SEEDS = 0,1,2

.PHONY: lint test check published matrix tuning reference

lint:
	ruff check .
	ruff format --check .
	mypy

test:
	OMP_NUM_THREADS=1 pytest -n 2

check: lint test

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

reference:
	python -m typer benchmark.cli utils docs --name benchmark --title "Command line" > docs/reference/cli.md

# The published boards. `make matrix` trains everything again (hours on two cores) and publishes the records;
# `make published` makes the boards from the published records.

HOME_OF_RUNS ?= runs/published
PUBLISHED = leaderboards/published
METHODS = none,pixel,cwd,structured,mgd,skt,cckd,stkd,crf
PLACEBOS = pixel,cwd,structured,mgd,skt,cckd,stkd,crf
SEEDS = 0,1,2

.PHONY: published matrix tuning reference

published:
	benchmark leaderboard $(PUBLISHED) --out $(PUBLISHED)/boards --format md --format csv --format json --format html --format svg

matrix:
	benchmark run -m task=seg,depth,det,count,saliency seed=$(SEEDS) method=[$(METHODS)] home=$(HOME_OF_RUNS)
	benchmark run -m task=seg,depth,saliency data.labeled=1/8 seed=$(SEEDS) method=[$(METHODS)] home=$(HOME_OF_RUNS)
	benchmark run -m task=seg,depth teacher.control=untrained seed=$(SEEDS) method=[$(PLACEBOS)] home=$(HOME_OF_RUNS)
	benchmark leaderboard publish $(HOME_OF_RUNS) --to $(PUBLISHED)
	$(MAKE) published

tuning:
	for task in seg depth det count saliency; do \
		benchmark tune task=$$task method=[$(PLACEBOS)] --trials 5 --span 9 home=$(HOME_OF_RUNS) || exit 1; \
	done
	mkdir -p $(PUBLISHED)/tuning && cp $(HOME_OF_RUNS)/tuning/*.json $(PUBLISHED)/tuning/

reference:
	python -m typer benchmark.cli utils docs --name benchmark --title "Command line" > docs/reference/cli.md

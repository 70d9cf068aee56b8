# Every command of the project; `make` alone lists them. The longer ones live in scripts/.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The packages whose programs are installed and run.
PROGRAMS := celeriac-beat cli tasks-analytics tasks-maintenance
PROFILE ?= release
PREFIX ?= /usr/local
DESTDIR ?=
BROKER ?=
QUEUE ?=
ARGS ?=

BUILT := $(or $(CARGO_TARGET_DIR),target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
ifdef BROKER
up worker beat: export CELERY_BROKER_URL := $(BROKER)
endif

.PHONY: help build run demo-report up worker beat test canvas-trees drill drill-finance drill-mixed drill-beat oracles check bench bench-peers bench-instructions bench-finance setup install fmt clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build every program (PROFILE=release)
	cargo build --bins $(addprefix -p ,$(PROGRAMS)) --profile $(PROFILE)

run: build ## the demo: sample portfolio, workers, beat; BROKER=redis://… instead of the embedded broker
	$(BUILT)/celeriac up --demo $(if $(BROKER),--broker '$(BROKER)') $(ARGS)

demo-report: build ## reports on the sample portfolio as PDF and HTML; prints where they are
	$(BUILT)/celeriac up --demo --once $(if $(BROKER),--broker '$(BROKER)')
	$(BUILT)/celeriac finance report --user 1 --end 2013-03-01 --format pdf --format html

up: build ## workers and beat of the settings file as separate processes (BROKER=…)
	$(BUILT)/celeriac up $(ARGS)

worker: build ## one worker: for all queues, or QUEUE=analytics (BROKER=…)
	$(BUILT)/celeriac worker $(if $(QUEUE),-Q '$(QUEUE)') $(ARGS)

beat: build ## the scheduler (BROKER=…)
	$(BUILT)/celeriac-beat $(ARGS)

test: setup ## all tests, Redis and Python Celery included (ARGS='name' for some of them)
	scripts/test.sh $(ARGS)

drill: setup ## long drills: kills, freezes, cut connections, a stop under load (about 6 minutes)
	scripts/drill.sh 'test(drill::) & test(long_) & not test(beats::)'

canvas-trees: setup ## 10,000 random canvas trees, as under Celery and under kills (TREES=…, TREES_SEED=…; about 40 minutes)
	scripts/canvas-trees.sh

drill-finance: setup ## kills in the middle of every finance task with the ledger on PostgreSQL (about 3 minutes)
	scripts/drill.sh 'test(back_office::kills::long_)'

drill-mixed: setup ## ten minutes of kills among Python and Rust workers on one queue
	scripts/drill.sh 'test(long_kills_on_both_sides)'

drill-beat: setup ## three beats whose leader is killed, frozen or cut off every ten seconds: ten minutes on Redis, ten with PostgreSQL tables
	scripts/drill.sh 'test(beats::long_)'

test-long: ## tests that take minutes: chords of 100,000 members, canvas as broad, a million messages through one SQLite file (in test they are small)
	scripts/test-long.sh

oracles: setup ## every recorded case of the finance domain on SQLite and PostgreSQL, with the counts (CELERIAC_ORACLES=… CELERIAC_DATA=…)
	scripts/oracles.sh

check: ## format, lints, documentation, structure
	scripts/check.sh

bench: build ## benchmarks of the whole system, next to Python Celery and other queues where they are installed; writes docs/benchmarks.md
	cargo run -p bench --profile $(PROFILE) -- $(ARGS)

bench-peers: build ## other task queues beside ours, those that can be installed with pip, npm and cargo; into docs/benchmarks.md
	scripts/bench-peers.sh
	cargo run -p bench --profile $(PROFILE) -- peers --write $(ARGS)

bench-instructions: build ## instructions of the worker for a task and where they are, counted by callgrind; into docs/benchmarks.md
	scripts/setup.sh valgrind
	cargo run -p bench --profile $(PROFILE) -- instructions --write $(ARGS)

bench-finance: setup ## the finance back office at scale, next to numpy and quantstats
	$(or $(CELERIAC_VENV),.venv)/bin/python -m pip install --quiet --disable-pip-version-check quantstats
	cargo run -p bench-finance --profile $(PROFILE) -- $(ARGS)

setup: ## install what the tests need: Redis, openssl, a Python environment
	@scripts/setup.sh

install: build ## programs, systemd units, example settings (PREFIX=/usr/local, DESTDIR=)
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh '$(BUILT)'

fmt: ## format the code
	cargo fmt --all

clean: ## remove what was built (the data folder and the Python environment stay)
	cargo clean

# The front door. Everything below works in a fresh clone; `make help` says what there is.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
# A clone elsewhere finds what this one compiled.
export CCACHE_SLOPPINESS := pch_defines,time_macros
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

.DEFAULT_GOAL := help
.PHONY: help build console run test nightly bench bench-linkage format clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the executable, build/release/bin/canbao, and the console it serves
	@tools/bootstrap.sh build
	@tools/bootstrap.sh parquet || echo "built without Parquet: only \`canbao link\` would use it" >&2
	@cmake --preset release --log-level=WARNING > /dev/null
	@cmake --build --preset release --target canbao -j $(JOBS)
	@$(MAKE) --no-print-directory console

console: ## the console, web/console/dist; nothing is done when its sources are as they were
	@tools/bootstrap.sh web || { echo "built without the console: Node is missing" >&2; exit 0; }
	@tools/console.sh build

run: ## a demo province of 200,000 persons: compared, loaded, an account for each role, the console served
	@tools/bootstrap.sh build run
	@$(MAKE) --no-print-directory build
	@tools/demo.sh

test: ## the whole gate: format, lint, unit tests, sanitizers, fuzzing, end to end (40 minutes on two cores are its limit; 20 are wanted)
	@tools/bootstrap.sh build web run test
	@tools/bootstrap.sh parquet || echo "tested without Parquet: only \`canbao link\` would use it" >&2
	@tools/bootstrap.sh contract || echo "tested without Schemathesis: the contract is not fuzzed" >&2
	@tests/gate.sh test

nightly: ## what takes longer: thread sanitizer, long fuzzing, 200 kills, 30 million persons
	@tools/bootstrap.sh build web run test
	@tools/bootstrap.sh contract || echo "tested without Schemathesis: the contract is not fuzzed" >&2
	@tools/bootstrap.sh scan || echo "tested without sqlmap and wapiti: the service is not scanned" >&2
	@tests/gate.sh nightly

bench: ## the macro benchmarks, against DuckDB on the same files
	@tools/bootstrap.sh build run bench
	@$(MAKE) --no-print-directory build
	@bench/run.sh

bench-linkage: ## linkage without numbers, against Splink 4 and 5 on the same tables
	@tools/bootstrap.sh build bench
	@$(MAKE) --no-print-directory build
	@bench/linkage/run.sh

format: ## clang-format over all C++ sources
	@tools/bootstrap.sh test
	@git ls-files '*.h' '*.cc' ':!tests/house/fixtures' | xargs -r clang-format-16 -i

clean: ## remove build/ (a running demo database is stopped first)
	@tools/demo.sh --stop
	@rm -rf build

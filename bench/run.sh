#!/usr/bin/env bash
# The macro benchmarks: `make bench`, or bench/run.sh with the options of bench/run.py.
# CANBAO_BENCH_DIR (default build/bench) keeps the deliveries between runs: 4 GB for 10 M persons.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${CANBAO_BENCH_DIR:-$root/build/bench}
mkdir -p "$dir"
# DuckDB lives in an environment of its own, installed again only when the pin changes.
if ! cmp -s "$root/bench/requirements.txt" "$dir/venv/requirements.txt"; then
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install --quiet --require-hashes --only-binary :all: \
    -r "$root/bench/requirements.txt"
  cp "$root/bench/requirements.txt" "$dir/venv/requirements.txt"
fi
exec "$dir/venv/bin/python" "$root/bench/run.py" --dir "$dir" "$@"

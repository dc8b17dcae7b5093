#!/usr/bin/env bash
# Builds or checks the console (web/console). Incremental: nothing is done when no source has changed.
#
#   tools/console.sh build     web/console/dist, without which `canbao serve` answers /api only
#   tools/console.sh check     types, lint, unit tests, weight of the first view
#
# Packages come from the npm registry once (`npm ci`, when package-lock.json has changed); afterwards nothing is
# fetched. Without the registry `build` says so and goes on without the console; `check` fails.
# Exit codes: 0 done or skipped, 1 broken, 4 packages cannot be had (check).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root/web/console"

# The Node of package.json (optionalDependencies), once it is there, goes before that of the system.
export PATH=$PWD/node_modules/.bin:$PATH
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm_config_loglevel=error

packages() {
  [ node_modules/.installed -nt package-lock.json ] && return 0
  command -v npm > /dev/null || return 4
  local log
  log=$(mktemp)
  if npm ci --no-audit --no-fund > "$log" 2>&1; then
    rm -f "$log"
    touch node_modules/.installed
    return 0
  fi
  rm -rf node_modules
  if npm ping > /dev/null 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  return 4
}

types() { # of the contract; made anew when that has changed
  [ src/shared/api/schema.gen.ts -nt ../../api/openapi.yaml ] || npm run --silent types
}

sources() { # everything that the bundle depends on
  printf '%s\n' ../../api/openapi.yaml index.html package.json package-lock.json vite.config.ts tsconfig.json
  find src public scripts -type f ! -name '*.gen.ts' ! -name '*.test.ts'
}

build() {
  local stamp=dist/.built
  local digest
  digest=$(sources | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum | cut -c 1-64)
  [ -e dist/index.html ] && [ "$(cat $stamp 2> /dev/null)" = "$digest" ] && return 0
  local status=0
  packages || status=$?
  if [ "$status" -ne 0 ]; then
    echo "built without the console: the npm registry cannot be reached; \`canbao serve\` will answer /api only" >&2
    return 0
  fi
  local log
  log=$(mktemp)
  if ! { types && npm run --silent bundle; } > "$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  echo "$digest" > $stamp
}

case ${1-} in
  build) build ;;
  check)
    packages || { echo "console: the npm registry cannot be reached" >&2; exit 4; }
    types
    # Two at a time: types and lint beside the bundle and the unit tests.
    { vue-tsc --noEmit -p tsconfig.json && npm run --silent lint; } &
    checked=$!
    status=0
    { build && npm run --silent test && npm run --silent size; } || status=1
    wait "$checked" || status=1
    exit "$status"
    ;;
  *) echo "usage: tools/console.sh build|check" >&2; exit 2 ;;
esac

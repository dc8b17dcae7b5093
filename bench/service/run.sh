#!/usr/bin/env bash
# The service under load, on a register that is there (10 M persons: `canbao demo-data`, `canbao compare`): starts
# `canbao serve`, makes users, measures routes one at a time, an open loop of mixed users, a spike and exports, and
# writes a Markdown page. Everything runs on this machine; nothing else should.
#
#   bench/service/run.sh DATA [OUT.md]            all of it
#   ONLY="routes open" bench/service/run.sh DATA  some of: start routes open spike export
#
# LOCK: a command before each measurement ("flock -x FILE"). PORT: 22010 and the next. ACCOUNTS: 100. SERVER_ARGS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
data=${1:?data folder}
out=${2:-bench/results/service-10m.md}
only=${ONLY:-start routes open spike export}
port=${PORT:-22010}
canbao=${CANBAO:-$PWD/build/release/bin/canbao}
work=${WORK:-$(mktemp -d "${TMPDIR:-/tmp}/canbao-load.XXXXXX")}
mkdir -p "$work/web"
printf '<!doctype html><title>c</title>' > "$work/web/index.html"
server=
stop() { [ -z "$server" ] || { kill "$server" && wait "$server" || true; }; server=; }
trap stop EXIT

start() {
  local begin now
  begin=$(date +%s%N)
  LANG=en_US.UTF-8 "$canbao" serve --data "$data" --listen "127.0.0.1:$port" --admin "127.0.0.1:$((port + 1))" \
    --address-rate 0 --web "$work/web" ${SERVER_ARGS:-} > "$work/out" 2> "$work/err" &
  server=$!
  until grep -q '^serving' "$work/out"; do
    kill -0 "$server" || { cat "$work/err"; exit 1; }
    sleep 0.01
  done
  now=$(date +%s%N)
  started=$(((now - begin) / 1000000))
}
has() { [[ " $only " == *" $1 "* ]]; }
load() { # load MODE …
  ${LOCK:-} python3 -B bench/service/load.py "$1" --users "$work/users.json" --address "127.0.0.1:$port" --data "$data" \
    --server "$server" "${@:2}"
}

start
first=$started
{
  echo "# The service under load"
  echo
  echo "$(date -u +%FT%TZ), commit $(git rev-parse --short HEAD), $(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)), \
$(free -g | awk '/Mem/ {print $2}') GB; the generator, the service and PostgreSQL share them. \`bench/service/run.sh\`."
  echo
} > "$out"
ACCOUNTS=${ACCOUNTS:-100}
${SETUP_LOCK:-} python3 -B bench/service/users.py --canbao "$canbao" --data "$data" --address "127.0.0.1:$port" --out "$work/users.json" \
  --accounts "$ACCOUNTS"
if has start; then
  stop
  start
  sleep 10
  {
    echo "## Start and idle"
    echo
    echo "Start with PostgreSQL to be started: $started ms (the first time $first ms). After ten idle seconds:"
    load idle
    echo
  } | tee -a "$out"
fi
if has routes; then
  { echo "## Routes, one request at a time"; echo; load routes; echo; } | tee -a "$out"
fi
if has open; then
  { echo "## Open loop, 200 a second"; echo; load open --rate 200 --seconds 60; echo; } | tee -a "$out"
fi
if has spike; then
  { echo "## Spike: five times as many for 3 seconds"; echo
    load open --rate 200 --seconds 40 --spike 5 --spike-at 10 --spike-for 3 --seed 12; echo; } | tee -a "$out"
fi
if has export; then
  { echo "## Exports"; echo
    load export --format csv
    load export --format xlsx --header-done
    echo
    load idle; echo; } | tee -a "$out"
fi

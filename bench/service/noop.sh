#!/usr/bin/env bash
# What a request costs before any handler runs: wrk against `canbao serve`, the server on one core and wrk on
# another, three routes: a file of the console, the document (410 kB of headers and JSON are not the point: it is
# asked with If-None-Match and answered 304), and a refusal by the contract. Prints requests/s, p99 and the
# server's own processor time per request, from the admin port before and after.
#
#   bench/service/noop.sh [SECONDS]        an otherwise idle machine; needs wrk (tools/bootstrap.sh bench)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-10}
canbao=build/release/bin/canbao
work=$(mktemp -d "${TMPDIR:-/tmp}/canbao-noop.XXXXXX")
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server" && wait "$server" || true; }
  rm -rf "$work"
}
trap stop EXIT
mkdir -p "$work/web"
printf '<!doctype html><title>c</title>' > "$work/web/index.html"
LANG=en_US.UTF-8 taskset -c 0 "$canbao" serve --data "$work/data" --listen 127.0.0.1:0 \
  --admin 127.0.0.1:0 --address-rate 0 --web "$work/web" > "$work/out" &
server=$!
until grep -q '^serving' "$work/out"; do sleep 0.1; done
address=$(sed -n 's/^serving at //p' "$work/out")
admin=$(sed -n 's/^admin //p' "$work/out")
cpu() { curl -s "${admin}metrics" | sed -n 's/^process_cpu_seconds //p'; }
tag=$(curl -sI "${address}api/v1/openapi.json" | tr -d '\r' | sed -n 's/^ETag: //p')
printf '%-34s %12s %10s %16s\n' route requests/s p99 'CPU/request'
measure() { # measure NAME PATH [HEADER]
  local before after
  taskset -c 1 wrk -t1 -c16 -d2s ${3+-H "$3"} "$address$2" > /dev/null
  before=$(cpu)
  taskset -c 1 wrk -t1 -c16 -d"${seconds}s" --latency ${3+-H "$3"} "$address$2" > "$work/wrk"
  after=$(cpu)
  awk -v name="$1" -v cpu="$(echo "$after - $before" | bc -l)" '
    /99%/ {p99 = $2} /requests in/ {n = $1} /Requests\/sec/ {rate = $2}
    END {printf "%-34s %12.0f %10s %13.1f µs\n", name, rate, p99, cpu / n * 1e6}' "$work/wrk"
}
measure 'file of the console' ''
measure 'contract, unchanged (304)' api/v1/openapi.json "If-None-Match: $tag"
measure 'refused by the contract (400)' 'api/v1/home?x=1'
measure 'nobody signed in (401)' api/v1/home

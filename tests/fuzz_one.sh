#!/usr/bin/env bash
# Fuzzes one parser for some seconds, starting from its corpus (src/<library>/corpus/<name>/, read
# only; new inputs go under build/). Leaves REPORT/fuzz/<target>.log, and .ok when nothing was found.
#
#   tests/fuzz_one.sh SECONDS REPORT build/asan/bin/x_fuzz
set -euo pipefail
seconds=$1 report=$2 target=$3
name=${target##*/}
mkdir -p "$report/fuzz" "build/fuzz/corpus/$name"
rm -f "$report/fuzz/$name.ok"
seeds=()
for folder in src/*/corpus/"${name%_fuzz}"; do
  [ -d "$folder" ] && seeds+=("$folder")
done
"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
  -artifact_prefix="$report/fuzz/$name-" "build/fuzz/corpus/$name" ${seeds[@]+"${seeds[@]}"} \
  > "$report/fuzz/$name.log" 2>&1 && touch "$report/fuzz/$name.ok"

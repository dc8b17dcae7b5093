#!/usr/bin/env bash
# What a reader of the tree may rely on: no vague folders, no folder that has become a drawer, headers
# that say what they are for, no folders of anybody's machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
failed=0
fail() {
  echo "FAIL: $1"
  shift
  printf '  %s\n' "$@"
  failed=1
}

files=$(git ls-files -co --exclude-standard)

found=$(grep -E '(^|/)(utils?|common|helpers?|misc)(/|\.(h|cc)$)' <<< "$files" || true)
[ -z "$found" ] || fail "names that say nothing" $found

for folder in src/*/; do
  count=$(grep -cE "^${folder}[^/]+\.h$" <<< "$files" || true)
  [ "$count" -le 30 ] || fail "$folder has $count headers; split the concept"
done

for header in $(grep -E '^src/.*\.h$' <<< "$files"); do
  [ -f "$header" ] || continue
  head -n 1 "$header" | grep -q '^// ' || fail "no opening comment" "$header"
  grep -q '^#pragma once$' "$header" || fail "no #pragma once" "$header"
done

# What a text points to is there.
for mention in $(grep -E '\.(md|h|cc|py|sh|toml|sql)$' <<< "$files" | grep -v '^tests/house/' |
  xargs -r -d '\n' grep -hoE '\bdocs/[A-Za-z0-9_/-]+(\.[A-Za-z0-9-]+)*\.(md|svg)' 2> /dev/null | sort -u); do
  [ -e "$mention" ] || fail "a text points to what is not there" "$mention"
done

# A path under somebody's home, or of the place where this was written, has no business here.
found=$(grep -E '^(src|tests|tools|cmake|data|docs|bench|db)/|^[^/]+$' <<< "$files" |
  grep -vE '\.(gz|zst|xlsx|png|rows)$|/corpus/|^tests/house/tree_test.sh$' |
  xargs -r -d '\n' grep -nIE '(^|[^A-Za-z0-9_.])/(home|Users|work)/[a-z]' 2> /dev/null | head -n 5 || true)
[ -z "$found" ] || fail "paths of a machine" "$found"

exit $failed

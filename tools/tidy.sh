#!/usr/bin/env bash
# clang-tidy over the sources, with the flags of the release build (build/release must be configured).
# A file that passed is not looked at again until it, a header or .clang-tidy changes: the stamps in
# build/tidy/ carry a digest of all three.
#
#   tools/tidy.sh [--all | FILE...]      all sources but tests and benchmarks by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -e build/release/compile_commands.json ] || cmake --preset release --log-level=WARNING > /dev/null
database=build/tidy
mkdir -p $database
# clang knows neither gcc's precompiled headers nor its warning options.
sed -E 's/ -Winvalid-pch//g; s/ -include [^ ]+cmake_pch\.hxx//g; s/ -W[a-z][^ "]*//g' \
  build/release/compile_commands.json > $database/compile_commands.json

headers=$(git ls-files -co --exclude-standard 'src/*.h' .clang-tidy | sort | xargs sha256sum | sha256sum | cut -c1-16)
case ${1-} in
  --all) mapfile -t files < <(git ls-files 'src/*.cc') ;;
  '') mapfile -t files < <(git ls-files 'src/*.cc' | grep -vE '_(test|bench|fuzz)\.cc$') ;;
  *) files=("$@") ;;
esac

export headers database
one() {
  local file=$1 stamp
  grep -qF "/$file\"" $database/compile_commands.json || return 0 # fuzz targets: not in this build
  stamp=build/tidy/$(printf '%s' "$file" | tr '/' '_').$(sha256sum < "$file" | cut -c1-16).$headers
  [ -e "$stamp" ] && return 0
  if clang-tidy-16 -p $database --quiet --warnings-as-errors='*' "$file" > "$stamp.log" 2>&1; then
    rm -f "$stamp.log"
    touch "$stamp"
  else
    cat "$stamp.log"
    rm -f "$stamp.log"
    return 1
  fi
}
export -f one
printf '%s\n' "${files[@]}" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'one "$1"' _ {}

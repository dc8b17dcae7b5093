#!/usr/bin/env bash
# clang-tidy over the sources, with the flags of the release build (build/release must be configured).
# Most of its time goes into the headers, so the sources of a library are looked at several in one
# translation unit. What passed is not looked at again until one of its files, a header or .clang-tidy
# changes: the stamps in build/tidy/ carry a digest of all of them.
#
#   tools/tidy.sh [--all | FILE...]      all sources but tests and benchmarks by default; --all and
#                                        FILE go file by file, and so also find a missing include
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -e build/release/compile_commands.json ] || cmake --preset release --log-level=WARNING > /dev/null
database=build/tidy
mkdir -p $database
headers=$(git ls-files -co --exclude-standard 'src/*.h' .clang-tidy tools/tidy.sh | sort | xargs sha256sum |
  sha256sum | cut -c1-16)

# Prints the units to look at, one per line: a source, or a file in build/tidy/ that includes several.
# Sources whose anonymous namespaces share names (the commands of src/app) stay alone, as in the
# unity builds (SKIP_UNITY_BUILD_INCLUSION in src/app/CMakeLists.txt).
units() {
  python3 - $database "$@" << 'PYTHON'
import json, os, re, subprocess, sys

database, words = sys.argv[1], sys.argv[2:]
by_file = {}
for entry in json.load(open("build/release/compile_commands.json")):
    # clang knows neither gcc's precompiled headers nor its warning options.
    entry["command"] = re.sub(r" -Winvalid-pch| -include \S+cmake_pch\.hxx| -W[a-z][^ \"]*", "",
                              entry["command"])
    by_file.setdefault(os.path.relpath(entry["file"]), entry)
database_entries = list(by_file.values())

listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src/*.cc"], check=True,
                        stdout=subprocess.PIPE, text=True).stdout.split()
if not words:
    listed = [name for name in listed if not re.search(r"_(test|bench|fuzz)\.cc$", name)]
elif words != ["--all"]:
    listed = words
# The release build has no flags for fuzz targets, nor for tests it compiles in unity sources: left out.
units = [name for name in listed if words and name in by_file]
groups = {}
if not words:
    for name in listed:
        if name not in by_file:
            continue
        if re.match(r"src/app/cmd_", name):
            units.append(name)
        else:
            target = re.search(r" -o (\S+?\.dir)/", by_file[name]["command"]).group(1)
            groups.setdefault(target, []).append(name)
for target, names in groups.items():
    parts = -(-len(names) // 12)
    for part in range(parts):
        unit = f"{database}/{os.path.basename(target)[:-4]}_{part}.cc"
        members = names[part::parts]
        text = "".join(f'#include "{os.path.abspath(name)}"\n' for name in members)
        with open(unit, "w") as out:
            out.write(text)
        first = by_file[members[0]]
        database_entries.append(first | {
            "file": os.path.abspath(unit),
            "command": first["command"].replace(first["file"], os.path.abspath(unit))})
        units.append(unit)
with open(f"{database}/compile_commands.json", "w") as out:
    json.dump(database_entries, out)
print("\n".join(units))
PYTHON
}

export headers database
one() {
  local unit=$1 stamp members
  members=$(sed -n 's/^#include "\(.*\)"$/\1/p' "$unit")
  [[ $unit == "$database"/* ]] || members=$unit
  stamp=$database/$(printf '%s' "$unit" | tr '/' '_').$(cat $members | sha256sum | cut -c1-16).$headers
  [ -e "$stamp" ] && return 0
  # Included sources count as headers: without the filter what is found in them would not be shown.
  if clang-tidy-16 -p $database --quiet --warnings-as-errors='*' \
    --header-filter='/src/[a-z]+/.*\.(h|cc)$' "$unit" > "$stamp.log" 2>&1; then
    rm -f "$stamp.log"
    touch "$stamp"
  else
    cat "$stamp.log"
    rm -f "$stamp.log"
    return 1
  fi
}
export -f one
list=$(units "$@")
printf '%s\n' "$list" | xargs -r -P "${JOBS:-$(nproc)}" -I{} bash -c 'one "$1"' _ {}

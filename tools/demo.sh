#!/usr/bin/env bash
# The demo behind `make run`: makes a delivery of a province, compares and loads it, shows the run's
# account and forms 2-1 and 2-2.
#
#   tools/demo.sh [--stop]      PERSONS=200000 by default
#
# PostgreSQL refuses to run as root, so as root its files belong to user `postgres`, who has to be able
# to reach them. Where the checkout is out of that user's reach (under /root, say) the data folder is a
# fresh one in the temporary folder, and build/demo/data a link to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

canbao=build/release/bin/canbao
demo=build/demo
persons=${PERSONS:-200000}

stop() {
  [ -e "$demo/data" ] && [ -x "$canbao" ] && "$canbao" db stop --data "$demo/data" > /dev/null 2>&1
  return 0
}

# Whether the database's user can enter the folder; as a normal user it is our own.
reachable() {
  [ "$(id -u)" -ne 0 ] || setpriv --reuid=postgres --regid=postgres --init-groups test -x "$1" -a -r "$1"
}

stop
[ "${1-}" = --stop ] && exit 0

if [ -L "$demo/data" ]; then rm -rf "$(readlink -f "$demo/data")"; fi
rm -rf "$demo"
mkdir -p "$demo"
if reachable "$demo"; then
  mkdir "$demo/data"
else
  folder=$(mktemp -d "${TMPDIR:-/tmp}/canbao-demo.XXXXXX")
  chmod 755 "$folder"
  ln -s "$folder" "$demo/data"
fi

"$canbao" demo-data --persons "$persons" --out "$demo/delivery"
"$canbao" compare "$demo/delivery" --data "$demo/data"
for form in 2-1 2-2; do
  echo
  "$canbao" forms --data "$demo/data" --form "$form" --format text
done
echo
echo "delivery: $demo/delivery   data: $demo/data"
echo "next:     $canbao list to-verify --data $demo/data --format csv | head"

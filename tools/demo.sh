#!/usr/bin/env bash
# The demo behind `make run`: makes a delivery of a province, compares and loads it, shows the run's
# account and forms 2-1 and 2-2, makes an account for each role and serves the console until Ctrl-C.
#
#   tools/demo.sh [--stop | --serve]      --serve: serves the demo that is there
#   PERSONS=200000, LISTEN=127.0.0.1:8080, DEMO_SERVE=1 by default; DEMO_SERVE=0 ends before serving
#
# PostgreSQL refuses to run as root, so as root its files belong to user `postgres`, who has to be able
# to reach them. Where the checkout is out of that user's reach (under /root, say) the data folder is a
# fresh one in the temporary folder, and build/demo/data a link to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

canbao=build/release/bin/canbao
demo=build/demo
persons=${PERSONS:-200000}
listen=${LISTEN:-127.0.0.1:8080}

stop() {
  [ -e "$demo/data" ] && [ -x "$canbao" ] && "$canbao" db stop --data "$demo/data" > /dev/null 2>&1
  return 0
}

# Whether the database's user can enter the folder; as a normal user it is our own.
reachable() {
  [ "$(id -u)" -ne 0 ] || setpriv --reuid=postgres --regid=postgres --init-groups test -x "$1" -a -r "$1"
}

# One account for each role, at the level where it belongs: the province 浙江, its city 杭州, the district
# 西湖区, a town of it. Their passwords need no change and administrators have their second factor, so that one can
# look around at once; a real register has no such accounts (`canbao user add` without --ready).
make_accounts() {
  local account name role division made rest
  printf '%-10s %-12s %-24s %-12s %s\n' account division role password 'secret of the second factor'
  while read -r account name role division; do
    made=$("$canbao" user add "$account" --name "$name" --role "$role" --division "$division" --data "$demo/data" \
      --ready --format json)
    rest=$(sed -n 's/.*"totp_secret":"\([A-Z2-7]*\)".*/\1/p' <<< "$made")
    printf '%-10s %-12s %-24s %-12s %s\n' "$account" "$division" "$role" \
      "$(sed -n 's/.*"password":"\([^"]*\)".*/\1/p' <<< "$made")" "$rest"
  done << 'ACCOUNTS'
operator 王经办 operator 330000
reviewer 李复核 reviewer 330000
leader 赵领导 leader 330000
liaison 周联络 liaison 330000
city 陈杭州 operator 330100
clerk 孙窗口 clerk 330106
surveyor 吴调查 surveyor 330106
sysadmin 郑系统 system_administrator 330000
secadmin 冯安全 security_administrator 330000
auditor 褚审计 audit_administrator 330000
ACCOUNTS
  echo
  echo "codes of the second factor: any authenticator app, or oathtool --totp -b SECRET"
}

serve() {
  echo
  if [ -f web/console/dist/index.html ]; then
    echo "console:  http://$listen/   (Ctrl-C stops it)"
  else
    echo "API:      http://$listen/api/v1/   (Ctrl-C stops it; the console was not built: make console)"
  fi
  exec "$canbao" serve --data "$demo/data" --listen "$listen" --deliveries "$demo"
}

stop
[ "${1-}" = --stop ] && exit 0
if [ "${1-}" = --serve ]; then
  [ -e "$demo/accounts.txt" ] || { echo "there is no demo yet: make run" >&2; exit 3; }
  cat "$demo/accounts.txt"
  serve
fi

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
echo
(umask 077 && make_accounts > "$demo/accounts.txt")
cat "$demo/accounts.txt"
[ "${DEMO_SERVE:-1}" = 0 ] || serve

#!/usr/bin/env bash
# Installs what a bare Debian 12 lacks, or, without root, says which command does.
#
#   tools/bootstrap.sh [SET...]      sets: build web run test bench; all of them without an argument; and parquet, contract,
#                                    scan
#
# build = compile `canbao` and its tests · web = Node and npm for the console · run = the private PostgreSQL ·
# test = sanitizers, fuzzing, lint, format, a browser · bench = the tool we measure against · parquet = Arrow, under build/pyarrow ·
# contract = what fuzzes the API, under build/schemathesis · scan = what looks for holes in it. Quick (well under a second) when nothing is
# missing, so every make target may call it. Exit codes: 0 everything there, 4 something is missing.
set -euo pipefail

build_packages=(
  make git ca-certificates g++-12 cmake ninja-build ccache pkg-config python3 python3-yaml
  libexpected-dev libfmt-dev libspdlog-dev libcli11-dev libtomlplusplus-dev
  libzstd-dev libxxhash-dev zlib1g-dev libssl-dev libsodium-dev libxlsxwriter-dev libzip-dev libexpat1-dev
  libboost1.81-dev libboost-json1.81-dev libicu-dev libpq-dev prometheus-cpp-dev
  libgtest-dev libgmock-dev libbenchmark-dev
)
run_packages=(postgresql-15)
test_packages=(clang-16 libclang-rt-16-dev lld-16 clang-format-16 clang-tidy-16 postgresql-15
  chromium fonts-noto-cjk)
bench_packages=(python3-venv wrk)
scan_packages=(sqlmap wapiti)
# Debian's Node is old: web/console/package.json brings the one that its tools want. Any Node that is
# here already, from wherever, does to begin with.
web_packages=()
command -v node > /dev/null && command -v npm > /dev/null || web_packages=(nodejs npm)

packages=()
wants_parquet=no
wants_contract=no
for set in "${@:-all}"; do
  case $set in
    build) packages+=("${build_packages[@]}") ;;
    web) packages+=("${web_packages[@]}") ;;
    run) packages+=("${run_packages[@]}") ;;
    test) packages+=("${test_packages[@]}") ;;
    bench) packages+=("${bench_packages[@]}") ;;
    parquet) packages+=(python3-venv) && wants_parquet=yes ;;
    contract) packages+=(python3-venv) && wants_contract=yes ;;
    scan) packages+=("${scan_packages[@]}") ;;
    all)
      packages+=("${build_packages[@]}" "${web_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"
        "${bench_packages[@]}")
      ;;
    *) echo "usage: tools/bootstrap.sh [build] [web] [run] [test] [bench] [parquet] [contract] [scan]" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  echo "bootstrap: this is not Debian; install the equivalents of: ${packages[*]}" >&2
  exit 4
fi

installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "${packages[@]}" 2> /dev/null |
  sed -n 's/^ii *//p' || true)
missing=()
for package in "${packages[@]}"; do
  [[ $'\n'"$installed"$'\n' == *$'\n'"$package"$'\n'* ]] && continue
  [[ " ${missing[*]-} " == *" $package "* ]] || missing+=("$package")
done

# Python packages that Debian 12 has not, pinned with their hashes, in an environment of their own under
# build/: Arrow comes with one, the contract's fuzzer is one.
python_packages() { # python_packages FOLDER REQUIREMENTS WHAT
  [ -e "build/$1/.done" ] && return 0
  rm -rf "build/$1"
  python3 -m venv "build/$1" &&
    "build/$1/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      -r "$2" && touch "build/$1/.done" ||
    { echo "bootstrap: $3 could not be installed ($2)" >&2; exit 4; }
}
install_python() {
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  [ $wants_parquet = no ] || python_packages pyarrow tools/parquet-requirements.txt Arrow
  [ $wants_contract = no ] || python_packages schemathesis tools/contract-requirements.txt Schemathesis
}
if [ ${#missing[@]} -eq 0 ]; then
  install_python
  exit 0
fi

# Debian would make and start a cluster `main` of its own beside ours.
cluster_conf=/etc/postgresql-common/createcluster.conf
wants_postgres=no
[[ " ${missing[*]} " == *" postgresql-15 "* ]] && wants_postgres=yes

if [ "$(id -u)" -ne 0 ]; then
  {
    echo "bootstrap: these packages are missing; please run:"
    if [ $wants_postgres = yes ] && ! grep -qs '^create_main_cluster = false' $cluster_conf; then
      echo "  sudo mkdir -p ${cluster_conf%/*} && echo 'create_main_cluster = false' | sudo tee -a $cluster_conf"
    fi
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
  } >&2
  exit 4
fi

if [ $wants_postgres = yes ] && ! grep -qs '^create_main_cluster = false' $cluster_conf; then
  mkdir -p ${cluster_conf%/*}
  echo 'create_main_cluster = false' >> $cluster_conf
fi

# Keep the file above, ask nothing, wait for another apt that holds the lock.
export DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1
apt_options=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0
  -o Dpkg::Options::=--force-confold)
install() { apt-get "${apt_options[@]}" install -y -q --no-install-recommends "${missing[@]}"; }

echo "bootstrap: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The first try uses the package lists as they are; they may be missing or too old.
if ! install > "$log" 2>&1; then
  for attempt in 1 2 3; do
    if apt-get "${apt_options[@]}" update -q >> "$log" 2>&1 && install >> "$log" 2>&1; then
      install_python
      exit 0
    fi
    [ "$attempt" = 3 ] || sleep $((attempt * 10))
  done
  tail -n 25 "$log" >&2
  echo "bootstrap: apt-get could not install: ${missing[*]}" >&2
  exit 4
fi
install_python

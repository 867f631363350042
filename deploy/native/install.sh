#!/usr/bin/env bash
# Installs what `make run` (argument: run) or `make test` (argument: test) needs beside Rust, where it is missing.
# Debian and Ubuntu; elsewhere it says what to install. Daemons that come with the packages are not started.
set -euo pipefail

case "${1:-}" in
  run)
    needed="prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager cc:build-essential" ;;
  test)
    needed="prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager cc:build-essential \
      prometheus-node-exporter:prometheus-node-exporter prometheus-blackbox-exporter:prometheus-blackbox-exporter \
      victoria-metrics:victoria-metrics vmalert:victoria-metrics chromium:chromium curl:curl ip:iproute2 setpriv:util-linux clamd:clamav-daemon c++:g++ \
      journalctl:systemd" ;;
  *)
    echo "usage: $0 run|test" >&2
    exit 2 ;;
esac

missing=""
for pair in $needed; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
# PostgreSQL keeps its programs out of PATH.
if [ "$1" = test ] && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null 2>&1; then
  missing="$missing postgresql"
fi
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
missing=${missing# } missing=${missing% }
[ -n "${missing// /}" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  {
    echo "missing: $missing"
    echo "These are Debian's package names. This is not Debian or Ubuntu: install the same programs with your package manager"
    echo "(prometheus with promtool, alertmanager with amtool, a C compiler; for tests also a C++ compiler, postgresql, node_exporter,"
    echo "blackbox_exporter, victoria-metrics with vmalert, chromium, journalctl with systemd-journald) and run this again, or use: docker compose up"
  } >&2
  exit 1
fi

sudo=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "missing: $missing; install them as root: apt-get install --no-install-recommends $missing" >&2
    exit 1
  fi
  sudo=sudo
fi

echo "installing with apt-get: $missing"
# Packages start their daemons when they are installed. This stack starts its own, on its own ports: forbid that, unless
# somebody has a policy already.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
  $sudo chmod +x "$policy"
  trap '$sudo rm -f "$policy"' EXIT
fi
log=$(mktemp)
run() {
  # shellcheck disable=SC2024  # the log is ours
  if ! $sudo env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1; then
    echo "failed: $*" >&2
    tail -n 20 "$log" >&2
    rm -f "$log"
    exit 1
  fi
}
run apt-get update -q
# shellcheck disable=SC2086  # a list of words
run apt-get install -q -y --no-install-recommends $missing
rm -f "$log"
# Nor at the next boot: what was not here before does not begin to run by itself.
if [ -d /run/systemd/system ]; then
  for unit in $missing; do
    $sudo systemctl disable --quiet "$unit" 2>/dev/null || true
  done
fi

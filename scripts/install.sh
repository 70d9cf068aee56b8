#!/usr/bin/env bash
# Installs the built programs, the systemd units and an example environment file under $DESTDIR.
# Usage: install.sh <folder with the built programs>; PREFIX, DESTDIR and UNITDIR from the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
built=$1
prefix=${PREFIX:-/usr/local}
destdir=${DESTDIR:-}
unitdir=${UNITDIR:-/etc/systemd/system}
units=$destdir$unitdir
# The first systemd that knows RestartSteps; older ones would warn at every start.
backoff_since=254

systemd_version() { { systemctl --version 2>/dev/null || true; } | awk 'NR == 1 { print int($2) }'; }

install_unit() {
    sed "s|/usr/bin/|$prefix/bin/|" "$1" | install -D -m 644 /dev/stdin "$units/$2"
}

for program in celeriac celeriac-beat celeriac-worker-analytics celeriac-worker-maintenance; do
    install -D -m 755 "$built/$program" "$destdir$prefix/bin/$program"
done
for unit in systemd/*.service systemd/*.target; do
    install_unit "$unit" "$(basename "$unit")"
done
version=$(systemd_version)
if [ "${version:-0}" -ge "$backoff_since" ]; then
    install_unit systemd/restart-backoff.conf celery-.service.d/restart-backoff.conf
fi
install -D -m 640 systemd/celeriac.env "$destdir/etc/celeriac/celeriac.env.example"
# Settings that somebody may have edited are left alone.
if ! [ -e "$destdir/etc/celeriac/celeriac.toml" ]; then
    install -D -m 644 deploy/celeriac.toml "$destdir/etc/celeriac/celeriac.toml"
fi
echo "Installed under ${destdir:-/}. Next: copy /etc/celeriac/celeriac.env.example to celeriac.env, edit it, then"
echo "  systemctl daemon-reload && systemctl enable --now celery-worker celery-beat"

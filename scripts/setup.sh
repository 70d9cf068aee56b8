#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: a Redis server, PostgreSQL, openssl, systemd-analyze, the tools and
# the font that reports are read with, and a Python environment with the real Celery. Asks nothing; done in a moment when
# everything is there. Arguments are further packages, each of which is a program of the same name: setup.sh valgrind.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

venv=${CELERIAC_VENV:-.venv}
requirements=tests/requirements.txt
stamp=$venv/celeriac-requirements.txt

have() { command -v "$1" >/dev/null 2>&1; }

missing_packages() {
    have redis-server || echo redis-server
    have redis-cli || echo redis-tools
    have openssl || echo openssl
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || have initdb || echo postgresql
    have systemd-analyze || echo systemd
    have qpdf || echo qpdf
    have pdftotext || echo poppler-utils
    [ -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc ] || echo fonts-wqy-microhei
    have python3 || echo python3
    # An interpreter without ensurepip makes environments without pip.
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

further_packages() {
    local package
    for package in "$@"; do
        have "$package" || echo "$package"
    done
}

install_packages() {
    local as_root=()
    if ! have apt-get; then
        echo "setup: please install by hand, this system has no apt-get: $*" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo -n)
    fi
    echo "setup: installing $*"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

make_venv() {
    echo "setup: Python environment in $venv"
    # A link is followed here: venv would empty what it leads to, and then fail.
    python3 -m venv --clear "$(realpath -m "$venv")"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$stamp"
}

mapfile -t packages < <(missing_packages; further_packages "$@")
if [ ${#packages[@]} -gt 0 ]; then
    install_packages "${packages[@]}"
fi
if ! cmp -s "$requirements" "$stamp" || ! "$venv/bin/python" -c 'import celery' 2>/dev/null; then
    make_venv
fi

#!/usr/bin/env bash
# Installs the task queues that the benchmarks compare with, in a folder of its own (PEERS_HOME, else target/peers): RQ, Huey,
# Dramatiq and taskiq with pip, BullMQ with npm, apalis with cargo. What cannot be installed is named and left out.
set -uo pipefail
cd "$(dirname "$0")/.."

home=${PEERS_HOME:-target/peers}
sources=crates/bench/peers
mkdir -p "$home"
home=$(cd "$home" && pwd)

python_peers() {
    [ -x "$home/venv/bin/python" ] || python3 -m venv "$home/venv" || return
    "$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$sources/requirements.txt"
}

node_peers() {
    command -v node >/dev/null || { echo "node is not installed"; return 1; }
    command -v npm >/dev/null || { echo "npm is not installed"; return 1; }
    mkdir -p "$home/bullmq" && cp "$sources"/bullmq/* "$home/bullmq/" &&
        (cd "$home/bullmq" && npm install --no-audit --no-fund --silent)
}

rust_peers() {
    (cd "$sources/apalis" && CARGO_TARGET_DIR="$home/apalis" cargo build --release --locked --quiet)
}

for peers in python_peers node_peers rust_peers; do
    if output=$("$peers" 2>&1); then
        echo "peers: ${peers%_peers}: ready"
    else
        echo "peers: ${peers%_peers}: left out: $(tail -n 1 <<<"$output")" >&2
    fi
done

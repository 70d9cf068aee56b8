#!/usr/bin/env bash
# Runs random canvas trees in batches: the same ones under Celery and under the conformance worker, then under workers that are
# killed. TREES says how many of each, TREES_SEED which.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-ci}
export TREES=${TREES:-10000} TREES_SEED=${TREES_SEED:-$RANDOM}

echo "$TREES trees of seed $TREES_SEED"
cargo build --workspace --bins --tests --profile "$profile"
cargo test -p tests --test it --profile "$profile" random_trees_ -- --nocapture --test-threads 1

#!/usr/bin/env bash
# Runs the long drills that are left out of the tests, one after the other. The argument is a filter of cargo-nextest.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-ci}

cargo build --workspace --bins --tests --profile "$profile"
cargo nextest run -p tests --cargo-profile "$profile" --run-ignored only --no-capture --no-fail-fast -E "$1"

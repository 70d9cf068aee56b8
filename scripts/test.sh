#!/usr/bin/env bash
# Builds every program and test with one profile, then runs all tests: with cargo-nextest where it is
# installed, else with cargo test. Extra arguments choose tests, for example: scripts/test.sh structure
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-ci}

# The programs first: tests start them from the target folder.
cargo build --workspace --bins --tests --profile "$profile"
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --cargo-profile "$profile" --no-fail-fast "$@"
else
    cargo test --workspace --bins --lib --tests --profile "$profile" --no-fail-fast -- "$@"
fi
cargo test --workspace --doc --profile "$profile" -- "$@"

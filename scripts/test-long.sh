#!/usr/bin/env bash
# Runs the tests of single packages that are left out of the tests because they take minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo nextest run -p client -p worker --cargo-profile "${PROFILE:-ci}" --run-ignored only --no-fail-fast
cargo nextest run -p broker-sqlite --cargo-profile "${PROFILE:-ci}" --run-ignored only --no-fail-fast -E 'test(log::)'

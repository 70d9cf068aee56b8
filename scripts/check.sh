#!/usr/bin/env bash
# Everything that is checked without running the system: format, lints, documentation, structure.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-ci}

for component in fmt clippy; do
    if ! cargo "$component" --version >/dev/null 2>&1; then
        echo "check: cargo $component is missing; install it with: rustup component add rustfmt clippy" >&2
        exit 1
    fi
done
cargo fmt --all --check
cargo clippy --workspace --all-targets --profile "$profile" -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --profile "$profile"
cargo test --package tests --test it --profile "$profile" -- structure

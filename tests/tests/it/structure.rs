//! The rules that keep the house in order, read from `cargo metadata`, the manifests and the source text.
//! One rule is one test; each names everything that breaks it.

mod arrows;
mod manifests;
mod sources;
mod workspace;

/// Fails with one line for each violation of `rule`.
#[track_caller]
fn assert_none(rule: &str, violations: Vec<String>) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}",
        violations.join("\n  ")
    );
}

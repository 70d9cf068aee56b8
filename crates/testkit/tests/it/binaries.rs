//! Where the workspace and its programs are. That a program is found or built is shown by the tests that start one.

use testkit::{bin, workspace_root};

#[test]
fn the_workspace_root_holds_the_lock_file() {
    assert!(workspace_root().join("Cargo.lock").is_file());
}

#[test]
#[should_panic(expected = "no bin target named `no-such-program`")]
fn a_program_that_does_not_exist_is_asked_of_cargo() {
    let _nothing = bin("no-such-program");
}

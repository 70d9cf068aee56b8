//! Claim checks in the settings, and as a queue shows them.

use crate::sandbox::{Sandbox, stderr};

#[test]
fn without_results_it_is_a_mistake_in_the_settings_and_a_queue_shows_the_reference() {
    let sandbox = Sandbox::new();
    let url = format!("sqlite:{}/celeriac.db", sandbox.path().display());
    let settings = |results: &str| {
        let text = format!(
            "broker_url = '{url}'\nresult_backend = '{results}'\nceleriac_claim_check_threshold = 100\n"
        );
        sandbox.file("celeriac.toml", &text);
    };
    settings("disabled");
    let refused = sandbox.run(&["call", "proj.add"]).code(78);
    let text = stderr(&refused);
    assert!(text.contains("unset without a result_backend"), "{text}");
    settings(&url);
    let large = format!("[\"{}\"]", "x".repeat(200));
    sandbox
        .run(&[
            "call",
            "proj.add",
            "-a",
            &large,
            "--task-id",
            "large",
            "--queue",
            "q",
        ])
        .success();
    let shown = sandbox.json(&["message", "decode", "--queue", "q"]);
    assert_eq!(shown["content_type"], "application/x-celeriac-claim");
    assert_eq!(shown["body"], "celery-claim-large");
}

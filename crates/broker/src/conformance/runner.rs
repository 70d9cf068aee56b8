//! Runs cases side by side and names those that failed.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::timeout;

use super::Harness;
use super::fixture::Fixture;

/// No case waits this long for anything; one that does has hung.
const CASE_DEADLINE: Duration = Duration::from_secs(120);

type CaseFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A named case.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: fn(Fixture) -> CaseFuture,
}

/// Lists async functions that take a fixture as cases of their own names.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(super) const CASES: &[$crate::conformance::runner::Case] = &[$(
            $crate::conformance::runner::Case {
                name: concat!(module_path!(), "::", stringify!($name)),
                run: |fixture| Box::pin($name(fixture)),
            }
        ),*];
    };
}
pub(super) use cases;

/// Runs all cases and panics at the end with the names of those that failed.
pub(super) async fn run(suite: &str, harness: Arc<dyn Harness>, cases: Vec<Case>) {
    let count = cases.len();
    let parallel = harness.parallel();
    let outcomes = stream::iter(cases)
        .map(|case| run_case(case, harness.clone()))
        .buffer_unordered(parallel);
    let failed: Vec<String> = outcomes.filter_map(std::future::ready).collect().await;
    assert!(
        failed.is_empty(),
        "{} of {count} {suite} cases failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
    println!("conformance: {count} {suite} cases passed");
}

/// The failure, if there is one.
async fn run_case(case: Case, harness: Arc<dyn Harness>) -> Option<String> {
    let run = async move {
        let fixture = Fixture::new(harness).await;
        (case.run)(fixture).await;
    };
    let task = tokio::spawn(timeout(
        CASE_DEADLINE,
        std::panic::AssertUnwindSafe(run).catch_unwind(),
    ));
    let failure = match task.await.expect("a case catches its own panics") {
        Ok(Ok(())) => return None,
        Ok(Err(panic)) => panic_text(&*panic),
        Err(_) => "did not end".to_owned(),
    };
    Some(format!("  {}: {failure}", case.name))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "panicked".to_owned())
}

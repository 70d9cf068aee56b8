//! Conditions with a deadline, free ports.

use std::cell::Cell;
use std::net::TcpListener;
use std::time::Duration;

use testkit::{free_port, wait_until};

#[tokio::test]
async fn wait_until_looks_again_until_the_condition_holds() {
    let looks = Cell::new(0);
    wait_until(Duration::from_secs(10), async || {
        looks.set(looks.get() + 1);
        looks.get() == 3
    })
    .await;
    assert_eq!(looks.get(), 3);
}

#[tokio::test]
#[should_panic(expected = "the condition did not hold within 30ms")]
async fn wait_until_panics_when_the_deadline_has_passed() {
    wait_until(Duration::from_millis(30), async || false).await;
}

#[test]
fn a_free_port_can_be_bound() {
    let bound = (0..5).any(|_| TcpListener::bind(("127.0.0.1", free_port())).is_ok());
    assert!(bound);
}

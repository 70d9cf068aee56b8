//! What `make run` starts, from an empty folder: the demo on the embedded broker and on Redis.

use std::process::{Command, Output};

use testkit::{RedisServer, TempDir, bin};

fn demo(arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(bin("celeriac"));
    // The other programs stand beside this one.
    for program in [
        "celeriac-beat",
        "celeriac-worker-analytics",
        "celeriac-worker-maintenance",
    ] {
        assert!(bin(program).is_file());
    }
    command
        .current_dir(folder.path())
        .args(["up", "--demo", "--once"])
        .args(arguments)
        .output()
        .unwrap()
}

fn shows_the_whole_system(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let all = format!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{all}");
    assert_eq!(text.matches("Analytics refreshed").count(), 1, "{all}");
    assert!(
        text.lines()
            .any(|line| line.trim_end().ends_with("Analytics refreshed")),
        "{all}"
    );
    for word in ["TWR", "XIRR", "volatility", "drawdown", "2013-03-01"] {
        assert!(
            text.to_lowercase().contains(&word.to_lowercase()),
            "the figures lack {word}:\n{all}"
        );
    }
    assert!(
        text.contains("refresh-portfolio-analytics-hourly"),
        "what runs next is missing:\n{all}"
    );
}

#[test]
fn the_demo_runs_on_the_embedded_broker() {
    shows_the_whole_system(&demo(&[]));
}

#[test]
fn the_demo_runs_on_redis() {
    let redis = RedisServer::start();
    shows_the_whole_system(&demo(&["--broker", &redis.url()]));
}

use crate::sandbox::{Sandbox, stderr, stdout};

const COMMANDS: &[&str] = &[
    "up",
    "worker",
    "call",
    "result",
    "status",
    "inspect",
    "control",
    "events",
    "purge",
    "queues",
    "list",
    "migrate",
    "migrate-schedule",
    "report",
    "graph",
    "outbox",
    "parked",
    "schedule",
    "message",
    "settings",
    "doctor",
    "completions",
    "finance",
];

#[test]
fn every_command_explains_itself_with_examples() {
    let sandbox = Sandbox::new();
    let overview = stdout(&sandbox.run(&["--help"]).success());
    assert!(overview.contains("69  nobody answered"), "{overview}");
    for command in COMMANDS {
        assert!(
            overview.contains(&format!("\n  {command} ")),
            "{command} is not in the overview"
        );
        let help = stdout(&sandbox.run(&[command, "--help"]).success());
        assert!(help.contains("Example"), "{help}");
        assert!(help.contains(&format!("celeriac {command}")), "{help}");
    }
}

#[test]
fn a_wrong_command_line_is_64() {
    let sandbox = Sandbox::new();
    for wrong in [
        &["nonsense"][..],
        &["call"],
        &["call", "x", "--countdown", "soon"],
        &["inspect", "nothing"],
        &["inspect"],
        &["inspect", "query_task"],
        &["control", "pool_grow", "many"],
        &["events", "--dump", "--camera"],
        &[],
    ] {
        sandbox.run(wrong).code(64);
    }
}

#[test]
fn shells_get_completions() {
    let script = stdout(&Sandbox::new().run(&["completions", "bash"]).success());
    assert!(script.contains("complete -F _celeriac"), "{script}");
    for name in [
        "events",
        "control",
        "query_task",
        "revoke_by_stamped_headers",
    ] {
        assert!(script.contains(name), "{name} is not completed");
    }
}

#[test]
fn celery_s_global_options_are_taken() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("there")).unwrap();
    let habits = [
        "-A",
        "proj",
        "--no-color",
        "-q",
        "--workdir",
        "there",
        "queues",
    ];
    assert_eq!(stderr(&sandbox.run(&habits).success()), "");
    assert!(sandbox.path().join("there/data").is_dir());
    let text = stderr(&sandbox.run(&["--workdir", "nowhere", "queues"]).code(1));
    assert!(text.contains("cannot change to nowhere"), "{text}");
}

#[test]
fn commands_of_workers_are_listed_with_what_they_take() {
    let sandbox = Sandbox::new();
    let list = stdout(&sandbox.run(&["control", "--list"]).success());
    assert!(list.contains("rate_limit TASK RATE"), "{list}");
    let list = stdout(&sandbox.run(&["inspect", "--list"]).success());
    assert!(list.contains("query_task ID"), "{list}");
}

#[test]
fn rabbitmq_is_refused_with_what_is_supported() {
    let assert = Sandbox::new()
        .run(&["queues", "--broker", "amqp://guest:secret@localhost//"])
        .code(78);
    let text = stderr(&assert);
    assert!(text.contains("not supported yet; use redis://"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_celeriac");
    for command in ["completions bash", "settings --all", "--help"] {
        let script = sandbox.script("pipe", &format!("'{program}' {command} | exec true"));
        let mut shell = std::process::Command::new("sh");
        let output = shell
            .arg(script)
            .env("RUST_BACKTRACE", "0")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!text.contains("panicked"), "{command}: {text}");
    }
}

#[test]
fn what_help_says_fits_a_terminal_of_80_columns() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
        let help = stdout(&sandbox.run(&[command, "--help"]).success());
        let (_, examples) = help.split_once("Example").unwrap();
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

use crate::sandbox::{Sandbox, stderr, stdout};

/// A worker that prints how it was started.
fn services(sandbox: &Sandbox) {
    let script = sandbox.script("fake", "echo \"$@\"; echo \"broker=$CELERY_BROKER_URL\"");
    let table = "[celeriac_services.fake]\ncommand = '{}'\nqueues = ['a', 'b']\n";
    sandbox.file(
        "celeriac.toml",
        &table.replace("{}", script.to_str().unwrap()),
    );
}

#[test]
fn the_owner_of_the_queues_is_executed() {
    let sandbox = Sandbox::new();
    services(&sandbox);
    let started = |arguments: &[&str]| stdout(&sandbox.run(arguments).success());
    assert_eq!(
        started(&["worker", "-Q", "a,b", "-c", "2", "-E"]),
        "-Q a,b -n a@%h -c 2 -E\nbroker=\n"
    );
    assert_eq!(
        started(&["worker", "-c", "2", "-Q", "b"]),
        "-Q b -n b@%h -c 2\nbroker=\n"
    );
    assert_eq!(
        started(&["worker", "-Q", "a", "-n", "mine"]),
        "-Q a -n mine\nbroker=\n"
    );
    assert_eq!(
        started(&["worker", "-Q", "a", "--", "--help"]),
        "-Q a -n a@%h --help\nbroker=\n"
    );
    let with_broker = started(&["--broker", "redis://:secret@h", "worker", "-Q", "a"]);
    assert_eq!(
        with_broker, "-Q a -n a@%h\nbroker=redis://:secret@h\n",
        "not among the arguments"
    );
}

#[test]
fn queues_without_an_owner_are_told() {
    let sandbox = Sandbox::new();
    services(&sandbox);
    let text = stderr(&sandbox.run(&["worker", "-Q", "c"]).code(64));
    assert!(text.contains("fake owns a,b"), "{text}");
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "celeriac.toml",
        "[celeriac_services.gone]\ncommand = 'no-such-program'\nqueues = ['a']\n",
    );
    let text = stderr(&sandbox.run(&["worker", "-Q", "a"]).code(1));
    assert!(
        text.contains("no-such-program is neither beside this program nor in PATH"),
        "{text}"
    );
}

//! Small rules: states, the logical clock, patterns, names for people.

use protocol::control::glob_matches;
use protocol::redis::{Binding, destinations, topic_matches, topic_pattern};
use protocol::{
    Codec, LamportClock, NodeParts, State, Value, node_format, node_split, rate, saferepr,
};

use crate::vectors::limits;

#[test]
fn the_stronger_state_holds_whatever_the_order() {
    let order = [
        "SUCCESS", "FAILURE", "PROGRESS", "REVOKED", "STARTED", "RECEIVED", "REJECTED", "RETRY",
        "PENDING",
    ];
    for pair in order.windows(2) {
        let (strong, weak) = (State::from(pair[0]), State::from(pair[1]));
        assert!(strong.precedence() < weak.precedence(), "{pair:?}");
        assert_eq!(strong.clone().stronger(weak.clone()), strong);
        assert_eq!(weak.stronger(strong.clone()), strong);
    }
    for name in order {
        assert_eq!(State::from(name).as_str(), name);
    }
}

#[test]
fn the_sets_of_states_are_celerys() {
    let members = |test: fn(&State) -> bool| -> Vec<&str> {
        ["SUCCESS", "FAILURE", "REVOKED", "RETRY", "STARTED", "X"]
            .into_iter()
            .filter(|name| test(&State::from(*name)))
            .collect()
    };
    assert_eq!(members(State::is_ready), ["SUCCESS", "FAILURE", "REVOKED"]);
    assert_eq!(
        members(State::is_exception),
        ["FAILURE", "REVOKED", "RETRY"]
    );
    assert_eq!(members(State::is_propagated), ["FAILURE", "REVOKED"]);
}

#[test]
fn the_clock_never_goes_back() {
    let mut clock = LamportClock::default();
    assert_eq!(
        (
            clock.forward(),
            clock.adjust(10),
            clock.adjust(3),
            clock.forward()
        ),
        (1, 11, 12, 13)
    );
    assert_eq!(LamportClock::new(u64::MAX).forward(), u64::MAX);
}

#[test]
fn globs_know_sets_and_stars() {
    for (pattern, text, matches) in [
        ("", "", true),
        ("*", "", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
        ("[!a]x", "bx", true),
        ("[!a]x", "ax", false),
        ("[a-c]", "b", true),
        ("[]]", "]", true),
        ("[a", "[a", true),
        ("w?", "wé", true),
        ("w", "W", false),
    ] {
        assert_eq!(glob_matches(pattern, text), matches, "{pattern} {text}");
    }
    let slow = "*a".repeat(50);
    assert!(!glob_matches(&slow, &"b".repeat(10_000)));
}

#[test]
fn topics_match_words_and_broken_patterns_match_nothing() {
    assert_eq!(topic_pattern("a+b.*"), "^a\\+b\\.[^\\.]+$");
    assert!(topic_matches(&topic_pattern("a+b.*"), "a+b.c"));
    assert!(!topic_matches(&topic_pattern("a.#"), "a"));
    assert!(!topic_matches("^(", "("));
    let members = [
        Binding::topic("x.*", "q2").to_string(),
        Binding::direct("x.y", "q1").to_string(),
    ];
    let members = members.iter().map(String::as_str);
    assert_eq!(
        destinations("e", "x.y", members.clone().chain(["broken"])),
        ["q1", "q2"]
    );
    assert!(destinations("e", "z", members).is_empty());
    assert_eq!(destinations("", "queue", []), ["queue"]);
}

#[test]
fn values_print_as_in_python() {
    for (json, printed) in [
        (
            "{\"__type__\": \"datetime\", \"__value__\": \"2031-02-03T04:05:00+00:00\"}",
            "datetime.datetime(2031, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)",
        ),
        (
            "{\"__type__\": \"datetime\", \"__value__\": \"2031-02-03T04:05:06-04:00\"}",
            "datetime.datetime(2031, 2, 3, 4, 5, 6, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=72000)))",
        ),
        (
            "{\"__type__\": \"time\", \"__value__\": \"01:02:03.000004\"}",
            "datetime.time(1, 2, 3, 4)",
        ),
        (
            "{\"__type__\": \"decimal\", \"__value__\": \"1.50\"}",
            "Decimal('1.50')",
        ),
        (
            "{\"__type__\": \"base64\", \"__value__\": \"/wA=\"}",
            "b'ff00'",
        ),
        (
            "[NaN, -Infinity, 1e-07, 1e16, -0.0]",
            "[nan, -inf, 1e-07, 1e+16, -0.0]",
        ),
        ("\"it's\\n\"", "'it\\'s\n'"),
    ] {
        let value = Codec::Json.decode(json.as_bytes(), &limits()).unwrap();
        assert_eq!(saferepr(&value, 1_024, 3), printed);
    }
    let long = Value::from("x".repeat(10_000_000).as_str());
    assert_eq!(saferepr(&long, 10, 3), "'xxxxxxxxxx...'");
}

#[test]
fn node_names_and_rates_are_checked() {
    let parts = NodeParts {
        host: "h.d",
        name: Some("w1"),
        node: "w1@h.d",
        index: 2,
    };
    assert_eq!(node_format("%n-%i%I@%h %x%", &parts), "w1-2-2@h.d %x%");
    assert_eq!(node_split("w1@h.d"), (Some("w1"), "h.d"));
    assert_eq!(node_split("h.d"), (None, "h.d"));
    for bad in ["x", "1/d", "-1/s", "nan", "/m"] {
        assert!(rate(bad).is_err(), "{bad}");
    }
}

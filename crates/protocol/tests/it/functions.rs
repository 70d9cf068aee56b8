//! Small pure functions against Python's answers.

use protocol::control::pattern_matches;
use protocol::redis::{topic_matches, topic_pattern};
use protocol::{
    Codec, NodeParts, Value, backoff, delayed_routing_key, node_format, rate, saferepr,
    saferepr_args,
};

use crate::vectors::{Counts, assert_same, cases, limits, text, untag};

#[test]
fn every_answer_is_pythons() {
    let mut counts = Counts::default();
    for case in &cases("functions") {
        let call = case.get("call").unwrap().get("kwargs").unwrap();
        match text(case, "kind") {
            "saferepr" => check_saferepr(call, case),
            "kombu_json" => check_json(call, case),
            "topic_match" => check_topic(call, case),
            "delayed_routing_key" => check_delay(call, case),
            "rate" => check_rate(call, case),
            "backoff" => check_backoff(call, case),
            "node_format" => check_node_format(call, case),
            "pidbox_match" => check_match(call, case),
            unknown => panic!("no replay for the kind {unknown}"),
        }
        counts.add(case, 1);
    }
    counts.print("functions", "answers");
}

fn number(call: &Value, key: &str) -> u64 {
    u64::try_from(call.get(key).and_then(Value::as_i64).unwrap()).unwrap()
}

fn check_saferepr(call: &Value, case: &Value) {
    let size = |key: &str| usize::try_from(number(call, key)).unwrap();
    let (maxlen, maxlevels) = (size("maxlen"), size("maxlevels"));
    let value = call.get("value").unwrap();
    assert_eq!(
        saferepr(value, maxlen, maxlevels),
        text(case, "result"),
        "{}",
        text(case, "id")
    );
    if let Some(expected) = case.get("result_tuple").and_then(Value::as_str) {
        let args = value.as_list().unwrap();
        assert_eq!(
            saferepr_args(args, maxlen, maxlevels),
            expected,
            "{}",
            text(case, "id")
        );
    }
}

fn check_json(call: &Value, case: &Value) {
    let value = untag(call);
    let recorded = text(case, "text");
    assert_eq!(
        String::from_utf8(Codec::Json.encode(&value).unwrap()).unwrap(),
        recorded
    );
    let read = Codec::Json.decode(recorded.as_bytes(), &limits()).unwrap();
    assert_same(&read, &value, case);
    assert_same(&read, &untag(case.get("back").unwrap()), case);
}

fn check_topic(call: &Value, case: &Value) {
    let pattern = topic_pattern(text(call, "binding"));
    assert_eq!(pattern, text(case, "regex"));
    let matches = topic_matches(&pattern, text(call, "routing_key"));
    assert_eq!(
        Some(matches),
        case.get("match").and_then(Value::as_bool),
        "{}",
        text(case, "id")
    );
}

fn check_delay(call: &Value, case: &Value) {
    let key = delayed_routing_key(number(call, "countdown"), text(call, "routing_key"));
    assert_eq!(key, text(case, "result"));
    assert_eq!(delayed_routing_key(7, &key), text(case, "again"));
}

fn check_rate(call: &Value, case: &Value) {
    let limit = match call.get("value").unwrap() {
        Value::Str(text) => text.clone(),
        Value::Null => String::new(),
        number => number.as_f64().unwrap().to_string(),
    };
    assert_eq!(
        Some(rate(&limit).unwrap()),
        case.get("result").and_then(Value::as_f64),
        "{limit}"
    );
}

fn check_backoff(call: &Value, case: &Value) {
    let retries = u32::try_from(number(call, "retries")).unwrap();
    let (factor, maximum) = (number(call, "factor"), number(call, "maximum"));
    let expected = number(case, "result");
    assert_eq!(backoff(factor, retries, maximum, None), expected);
    assert_eq!(backoff(factor, retries, maximum, Some(0.0)), 0);
    assert_eq!(backoff(factor, retries, maximum, Some(1.0)), expected);
}

fn check_node_format(call: &Value, case: &Value) {
    let host = text(call, "host");
    let node = format!("w1@{host}");
    let parts = NodeParts {
        host,
        name: None,
        node: &node,
        index: 0,
    };
    assert_eq!(
        node_format(text(call, "format"), &parts),
        text(case, "result")
    );
}

/// A pattern Python cannot compile is an error there and matches nothing here.
fn check_match(call: &Value, case: &Value) {
    let matches = pattern_matches(
        text(call, "matcher"),
        text(call, "pattern"),
        text(call, "hostname"),
    );
    let expected = case.get("result").and_then(Value::as_bool).unwrap_or(false);
    assert_eq!(matches, expected, "{}", text(case, "id"));
}

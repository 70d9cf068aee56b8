//! Groups to effects.

use portfolio::attribution::{Group, brinson_fachler};
use serde_json::Value;

pub(crate) fn actual(input: &Value) -> Value {
    let groups = input["groups"].as_object().unwrap();
    let groups = groups.iter().map(|(name, values)| {
        let value = |index: usize| values[index].as_str().unwrap().parse().unwrap();
        let group = Group {
            portfolio_weight: value(0),
            benchmark_weight: value(1),
            portfolio_return: value(2),
            benchmark_return: value(3),
        };
        (name.clone(), group)
    });
    serde_json::to_value(brinson_fachler(&groups.collect())).unwrap()
}

//! Flows to rates.

use jiff::civil::Date;
use portfolio::xirr::xirr;
use serde_json::Value;

pub(crate) fn actual(input: &Value) -> Value {
    let flows = input["flows"].as_array().unwrap().iter().map(|flow| {
        let amount = flow[1].as_str().unwrap().parse().unwrap();
        (flow[0].as_str().unwrap().parse().unwrap(), amount)
    });
    shown(&flows.collect::<Vec<_>>())
}

pub(crate) fn shown(flows: &[(Date, f64)]) -> Value {
    serde_json::to_value(xirr(flows)).unwrap()
}

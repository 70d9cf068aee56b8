//! Ledger and statement to matches and breaks. The oracle's ledger ids are words; rows get their rank instead.

use std::collections::BTreeMap;

use portfolio::reconcile::{
    Break, Holding, LedgerSide, Match, Row, RowRef, Sections, StatedCash, StatedPosition,
    Statement, Tolerances, reconcile,
};
use serde_json::{Map, Value, json};

use super::market::text;

pub(crate) fn actual(input: &Value) -> Value {
    let names = Names::of(&input["ledger"]);
    let ledger = ledger(&input["ledger"], &names);
    let statement = statement(&input["statement"]);
    let outcome = reconcile(1, &ledger, &statement, &tolerances(&input["tolerances"]));
    json!({
        "status": outcome.status,
        "counts": outcome.counts,
        "matches": outcome.matches.iter().map(|found| names.matched(found)).collect::<Vec<_>>(),
        "breaks": outcome.breaks.iter().map(|found| names.broken(found)).collect::<Vec<_>>(),
    })
}

/// The ledger's ids in order; a row's id is its place.
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn of(ledger: &Value) -> Names {
        let rows = list(&ledger["transactions"]).iter();
        let mut names: Vec<String> = rows
            .map(|row| text(row, "id").unwrap().to_owned())
            .collect();
        names.sort();
        Names(names)
    }

    pub(super) fn id(&self, name: &str) -> i64 {
        i64::try_from(self.0.iter().position(|known| known == name).unwrap()).unwrap()
    }

    pub(super) fn name(&self, id: i64) -> &str {
        &self.0[usize::try_from(id).unwrap()]
    }

    pub(super) fn names(&self, ids: &[i64]) -> Value {
        ids.iter().map(|id| self.name(*id)).collect()
    }

    pub(super) fn matched(&self, found: &Match) -> Value {
        let mut value = without(found, &["explanation"]);
        value.insert("ledger".to_owned(), self.names(&found.ledger));
        Value::Object(value)
    }

    fn broken(&self, found: &Break) -> Value {
        assert!(!found.explanation.is_empty());
        let mut value = without(found, &["explanation", "fingerprint"]);
        value.insert("ledger".to_owned(), self.names(&found.ledger));
        if let Some(rows) = &found.explained_by {
            let rows = rows.iter().map(|row| match row {
                RowRef::Line(line) => json!(line),
                RowRef::Ledger(id) => json!(self.name(*id)),
            });
            value.insert("explained_by".to_owned(), rows.collect());
        }
        Value::Object(value)
    }
}

fn without(found: &impl serde::Serialize, fields: &[&str]) -> Map<String, Value> {
    let Value::Object(mut value) = serde_json::to_value(found).unwrap() else {
        panic!("a map")
    };
    value.retain(|field, _| !fields.contains(&field.as_str()));
    value
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn row(value: &Value, id: i64) -> Row {
    Row {
        id,
        kind: text(value, "type").unwrap().to_owned(),
        symbol: text(value, "symbol").map(str::to_owned),
        quantity: text(value, "quantity").unwrap_or("0").parse().unwrap(),
        amount: text(value, "amount").unwrap().parse().unwrap(),
        date: text(value, "date").unwrap().parse().unwrap(),
        reference: text(value, "external_id").map(str::to_owned),
        currency: text(value, "currency").unwrap_or("USD").parse().unwrap(),
    }
}

fn ledger(value: &Value, names: &Names) -> LedgerSide {
    let holding = |value: &Value| {
        let quantity = value.as_str().or_else(|| text(value, "quantity"));
        Holding {
            quantity: quantity.unwrap().parse().unwrap(),
            price: text(value, "price").map(|price| price.parse().unwrap()),
        }
    };
    let empty = Map::new();
    let positions = value["positions"].as_object().unwrap_or(&empty);
    let cash = value["cash"].as_object().unwrap_or(&empty);
    LedgerSide {
        rows: list(&value["transactions"])
            .iter()
            .map(|entry| row(entry, names.id(text(entry, "id").unwrap())))
            .collect(),
        positions: positions
            .iter()
            .map(|(symbol, value)| (symbol.clone(), holding(value)))
            .collect(),
        cash: cash
            .iter()
            .map(|(currency, amount)| {
                (
                    currency.parse().unwrap(),
                    amount.as_str().unwrap().parse().unwrap(),
                )
            })
            .collect(),
        known_symbols: list(&value["known_symbols"])
            .iter()
            .map(|symbol| symbol.as_str().unwrap().to_owned())
            .collect(),
        period: None,
    }
}

fn statement(value: &Value) -> Statement {
    let mut found = Statement {
        as_of: text(value, "as_of").unwrap().parse().unwrap(),
        sections: Sections::default(),
        rows: Vec::new(),
        positions: BTreeMap::new(),
        cash: BTreeMap::new(),
    };
    for line in list(&value["lines"]) {
        add(&mut found, line);
    }
    if let Some(sections) = value["sections"].as_array() {
        found.sections = Sections {
            transactions: sections.contains(&json!("transactions")),
            positions: sections.contains(&json!("positions")),
            cash: sections.contains(&json!("cash")),
        };
    }
    found
}

/// Adds a line; a section with a line is covered.
fn add(statement: &mut Statement, value: &Value) {
    let line = value["line"].as_i64().unwrap();
    match text(value, "kind").unwrap() {
        "transaction" => {
            statement.sections.transactions = true;
            statement.rows.push(row(value, line));
        }
        "position" => {
            statement.sections.positions = true;
            let position = StatedPosition {
                line,
                quantity: text(value, "quantity").unwrap().parse().unwrap(),
                price: text(value, "price").map(|price| price.parse().unwrap()),
            };
            statement
                .positions
                .insert(text(value, "symbol").unwrap().to_owned(), position);
        }
        _ => {
            statement.sections.cash = true;
            let amount = text(value, "amount").unwrap().parse().unwrap();
            let currency = text(value, "currency").unwrap().parse().unwrap();
            statement.cash.insert(currency, StatedCash { line, amount });
        }
    }
}

pub(super) fn tolerances(value: &Value) -> Tolerances {
    let mut tolerances = Tolerances::default();
    let Some(fields) = value.as_object() else {
        return tolerances;
    };
    for (field, value) in fields {
        let decimal = || value.as_str().unwrap().parse().unwrap();
        match field.as_str() {
            "amount_abs" => tolerances.amount_abs = decimal(),
            "amount_rel" => tolerances.amount_rel = decimal(),
            "quantity_abs" => tolerances.quantity_abs = decimal(),
            "price_rel" => tolerances.price_rel = decimal(),
            "soft_rel" => tolerances.soft_rel = decimal(),
            "date_days" => tolerances.date_days = value.as_i64().unwrap(),
            "settle_days" => tolerances.settle_days = value.as_i64().unwrap(),
            "group_max" => tolerances.group_max = usize::try_from(value.as_u64().unwrap()).unwrap(),
            "group_candidates" => {
                tolerances.group_candidates = usize::try_from(value.as_u64().unwrap()).unwrap()
            }
            unknown => panic!("tolerance {unknown}"),
        }
    }
    tolerances
}

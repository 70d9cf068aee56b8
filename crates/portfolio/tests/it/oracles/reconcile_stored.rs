//! Reconciliations through a database: statements imported as files, ledgers as rows, results read back.
//!
//! All cases share a database, so symbols carry the case's id there. What a case says of positions and cash is made by
//! opening rows before the statement's period.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::Date;
use portfolio::decimal::Decimal;
use portfolio::import::{Source, import_statement};
use portfolio::reconcile::Match;
use portfolio::reconciliation::{ReconcileRequest, reconcile_account};
use portfolio::store::{BreakRow, NewAccount};
use serde_json::{Value, json};

use super::market::text;
use super::reconcile::{Names, list, tolerances};
use super::run_stored;
use crate::world::{Server, World, now, on_both_servers};

on_both_servers!(reconcile_oracles_through_the_store);

async fn reconcile_oracles_through_the_store(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("a@b.c").await;
    let rows = AtomicI64::new(0);
    run_stored("reconcile.json", server, async |id, input| {
        let case = Case {
            world: &world,
            user,
            id,
            input,
            rows: &rows,
        };
        case.actual().await
    })
    .await;
}

struct Case<'c> {
    world: &'c World,
    user: i64,
    id: &'c str,
    input: &'c Value,
    /// Ledger rows imported so far: ids follow from it.
    rows: &'c AtomicI64,
}

impl Case<'_> {
    async fn actual(&self) -> Value {
        let store = &self.world.store;
        let currency = "USD".parse().unwrap();
        let account = NewAccount {
            user_id: self.user,
            name: self.id,
            currency,
            allow_short: true,
        };
        let account_id = store.put_account(&account, now()).await.unwrap();
        self.market().await;
        let start = self.start();
        self.import(&self.opening(start)).await;
        let before = self.rows.load(Ordering::Relaxed);
        let names = Names::of(&self.input["ledger"]);
        self.import(&self.ledger(&names)).await;
        let statement = self.statement(start).to_string();
        let source = Source {
            name: "s.json",
            bytes: statement.as_bytes(),
            now: now(),
        };
        let imported = import_statement(store, source, Some(account_id))
            .await
            .unwrap();
        let request = ReconcileRequest {
            statement_id: Some(imported.statement_id),
            tolerances: tolerances(&self.input["tolerances"]),
            clock: now,
            ..ReconcileRequest::new(account_id)
        };
        let found = reconcile_account(store, &request, &mut |_| {})
            .await
            .unwrap()
            .unwrap();
        let matches = store.matches(found.reconciliation_id).await.unwrap();
        let mut breaks = store
            .breaks(found.reconciliation_id, usize::MAX)
            .await
            .unwrap();
        breaks.sort_by_key(|found| found.id);
        let shown = Shown {
            names: &names,
            before,
            prefix: format!("{}.", self.id.to_uppercase()),
        };
        json!({
            "status": found.status,
            "counts": found.counts,
            "matches": matches.into_iter().map(|found| shown.matched(found)).collect::<Vec<_>>(),
            "breaks": breaks.iter().map(|found| shown.broken(found)).collect::<Vec<_>>(),
        })
    }

    fn symbol(&self, symbol: &str) -> String {
        format!("{}.{symbol}", self.id.to_uppercase())
    }

    async fn market(&self) {
        let ledger = &self.input["ledger"];
        let mut symbols: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for row in list(&ledger["transactions"]) {
            symbols.extend(text(row, "symbol").map(|symbol| (symbol, None)));
        }
        symbols.extend(
            list(&ledger["known_symbols"])
                .iter()
                .map(|known| (known.as_str().unwrap(), None)),
        );
        for (symbol, held) in ledger["positions"].as_object().into_iter().flatten() {
            symbols.insert(symbol, text(held, "price"));
        }
        let as_of = text(&self.input["statement"], "as_of").unwrap();
        for (symbol, price) in symbols {
            let asset = self.world.asset(&self.symbol(symbol)).await;
            if let Some(price) = price {
                let prices = format!("date,close\n{as_of},{price}\n");
                self.world.prices(asset, &prices).await;
            }
        }
    }

    /// The first day of ledger and statement.
    fn start(&self) -> Date {
        let statement = &self.input["statement"];
        let rows = list(&self.input["ledger"]["transactions"])
            .iter()
            .chain(list(&statement["lines"]));
        let days = rows
            .filter_map(|row| text(row, "date"))
            .chain(text(statement, "as_of"));
        days.map(|day| day.parse().unwrap()).min().unwrap()
    }

    /// What brings positions and cash to what the case says, long before the period.
    fn opening(&self, start: Date) -> Vec<[String; 7]> {
        let day = start.saturating_sub(jiff::Span::new().days(30)).to_string();
        let ledger = &self.input["ledger"];
        let mut rows = Vec::new();
        for (symbol, held) in ledger["positions"].as_object().into_iter().flatten() {
            let held = held.as_str().or_else(|| text(held, "quantity")).unwrap();
            let missing = number(held) - self.traded(symbol);
            let kind = if missing.is_negative() {
                "transfer_out"
            } else {
                "transfer_in"
            };
            if !missing.is_zero() {
                let quantity = missing.abs().to_string();
                rows.push(
                    ["", &day, &self.symbol(symbol), &quantity, "1", "USD", kind]
                        .map(str::to_owned),
                );
            }
        }
        for (currency, amount) in ledger["cash"].as_object().into_iter().flatten() {
            let missing = number(amount.as_str().unwrap()) - self.moved(currency);
            let kind = if missing.is_negative() {
                "withdrawal"
            } else {
                "deposit"
            };
            if !missing.is_zero() {
                let amount = missing.abs().to_string();
                rows.push(["", &day, "", "", &amount, currency, kind].map(str::to_owned));
            }
        }
        rows
    }

    fn traded(&self, symbol: &str) -> Decimal {
        let rows = list(&self.input["ledger"]["transactions"]).iter();
        let own = rows.filter(|row| text(row, "symbol") == Some(symbol));
        own.map(|row| match text(row, "type").unwrap() {
            "buy" => number(text(row, "quantity").unwrap()),
            "sell" => -number(text(row, "quantity").unwrap()),
            _ => Decimal::ZERO,
        })
        .sum()
    }

    fn moved(&self, currency: &str) -> Decimal {
        let rows = list(&self.input["ledger"]["transactions"]).iter();
        let own = rows.filter(|row| text(row, "currency").unwrap_or("USD") == currency);
        own.map(|row| number(text(row, "amount").unwrap())).sum()
    }

    /// The case's rows in the order of their names; the last field is the type.
    fn ledger(&self, names: &Names) -> Vec<[String; 7]> {
        let mut rows: Vec<&Value> = list(&self.input["ledger"]["transactions"]).iter().collect();
        rows.sort_by_key(|row| names.id(text(row, "id").unwrap()));
        let of = |row: &Value, field| text(row, field).unwrap_or_default().to_owned();
        let rows = rows.into_iter().map(|row| {
            let kind = of(row, "type");
            let amount = number(text(row, "amount").unwrap());
            let spends = matches!(kind.as_str(), "buy" | "fee" | "tax" | "withdrawal");
            let symbol = text(row, "symbol").map(|symbol| self.symbol(symbol));
            [
                of(row, "external_id"),
                of(row, "date"),
                symbol.unwrap_or_default(),
                of(row, "quantity"),
                if spends { -amount } else { amount }.to_string(),
                text(row, "currency").unwrap_or("USD").to_owned(),
                kind,
            ]
        });
        rows.collect()
    }

    async fn import(&self, rows: &[[String; 7]]) {
        let mut csv = "account,external_id,date,symbol,quantity,amount,currency,type\n".to_owned();
        for row in rows {
            csv.push_str(&format!("{},{}\n", self.id, row.join(",")));
        }
        let report = self.world.transactions(self.user, &csv).await;
        assert_eq!(report.bad_rows, [], "{}", self.id);
        assert_eq!(report.written, rows.len() as u64);
        self.rows
            .fetch_add(i64::try_from(rows.len()).unwrap(), Ordering::Relaxed);
    }

    fn statement(&self, start: Date) -> Value {
        let mut statement = self.input["statement"].clone();
        statement["account"] = json!(self.id);
        statement["period_start"] = json!(start);
        for line in statement["lines"].as_array_mut().unwrap() {
            if line.get("currency").is_none() {
                line["currency"] = json!("USD");
            }
            if let Some(symbol) = text(line, "symbol") {
                line["symbol"] = json!(self.symbol(symbol));
            }
        }
        statement
    }
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Results with the case's names.
struct Shown<'s> {
    names: &'s Names,
    /// Rows imported before the case's own.
    before: i64,
    prefix: String,
}

impl Shown<'_> {
    /// A row's place among the case's.
    fn place(&self, id: i64) -> i64 {
        id - self.before - 1
    }

    fn places(&self, ids: &[i64]) -> Vec<i64> {
        ids.iter().map(|id| self.place(*id)).collect()
    }

    fn matched(&self, mut found: Match) -> Value {
        assert!(!found.explanation.is_empty());
        found.ledger = self.places(&found.ledger);
        self.names.matched(&found)
    }

    fn broken(&self, found: &BreakRow) -> Value {
        assert!(!found.explanation.is_empty());
        assert_eq!(found.status, "open");
        let bare = |text: &Option<String>| text.as_ref().map(|text| text.replace(&self.prefix, ""));
        let explained_by = found.detail["explained_by"].as_array().map(|rows| {
            let rows = rows.iter().map(|row| match row["ledger"].as_i64() {
                Some(id) => json!(self.names.name(self.place(id))),
                None => row["line"].clone(),
            });
            rows.collect::<Vec<_>>()
        });
        json!({
            "type": found.kind, "severity": found.severity, "symbol": bare(&found.symbol), "currency": found.currency,
            "ledger": self.names.names(&self.places(&found.transaction_ids)), "lines": found.line_ids,
            "ledger_value": bare(&found.ledger_value), "statement_value": bare(&found.statement_value),
            "difference": found.difference, "explained_by": explained_by, "explained": found.detail["explained"],
            "unexplained": found.detail["unexplained"],
        })
    }
}

//! Assets, actions, rates and ledgers of the cases.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::fx::RateTable;
use portfolio::ledger::{
    AccountId, Entry, IncomeMode, Kind, LedgerError, LotMethod, Pick, Rules, Warning,
};
use portfolio::market::{Action, ActionKind, Asset, Market};
use serde_json::{Value, json};

use crate::fixtures;

/// A case's ledger with all that it refers to.
pub(crate) struct Case {
    pub(crate) market: Market,
    pub(crate) rules: Rules,
    pub(crate) entries: Vec<Entry>,
    /// Account names by id.
    pub(crate) accounts: Vec<String>,
}

/// One column of a CSV data file, empty cells left out.
pub(crate) fn column(file: &str, name: &str) -> Carried<Decimal> {
    let text = fixtures::data(file);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let index = reader
        .headers()
        .unwrap()
        .iter()
        .position(|header| header == name)
        .unwrap();
    let rows = reader
        .records()
        .map(Result::unwrap)
        .filter(|row| !row[index].is_empty());
    rows.map(|row| (row[0].parse().unwrap(), row[index].parse().unwrap()))
        .collect()
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// What ids are called in a case, and what never became a row.
pub(crate) struct Names {
    pub(crate) accounts: BTreeMap<i64, String>,
    /// A row's place in the case, from one, by its id.
    pub(crate) rows: BTreeMap<i64, i64>,
    /// Warnings about rows that were left out when they came.
    pub(crate) left_out: Vec<Value>,
}

impl Case {
    pub(crate) fn read(input: &Value) -> Case {
        let market = market(input);
        let accounts = account_names(input);
        let entries = rows(input)
            .iter()
            .enumerate()
            .map(|(index, row)| entry(row, index, &market, &accounts))
            .collect();
        Case {
            rules: rules(input, accounts.len()),
            entries,
            accounts,
            market,
        }
    }

    /// Its own names.
    pub(crate) fn names(&self) -> Names {
        Names {
            accounts: (0..).zip(self.accounts.iter().cloned()).collect(),
            rows: self.entries.iter().map(|row| (row.id, row.id)).collect(),
            left_out: Vec::new(),
        }
    }
}

/// The accounts that a case's rows name.
pub(crate) fn account_names(input: &Value) -> Vec<String> {
    let names = rows(input).iter().map(|row| account_name(row).to_owned());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(crate) fn account_name(row: &Value) -> &str {
    text(row, "account").unwrap_or("A1")
}

impl Names {
    pub(crate) fn account(&self, id: i64) -> &str {
        &self.accounts[&id]
    }

    pub(crate) fn row(&self, id: i64) -> i64 {
        self.rows[&id]
    }

    /// Warnings with the oracle's field names.
    pub(crate) fn warnings(&self, warnings: &[Warning]) -> Value {
        let told = warnings.iter().map(|warning| self.warning(warning));
        told.chain(self.left_out.iter().cloned()).collect()
    }

    fn warning(&self, warning: &Warning) -> Value {
        match warning {
            Warning::DuplicateIgnored {
                transaction,
                external_id,
            } => repeated(self.row(*transaction), external_id),
            Warning::PossibleDuplicate { transactions } => {
                let seqs = transactions.iter().map(|id| self.row(*id));
                json!({ "code": "possible_duplicate", "seqs": seqs.collect::<Vec<_>>() })
            }
            Warning::ExpectedDividend {
                account,
                symbol,
                ex_date,
                amount,
            } => {
                json!({ "code": "expected_dividend", "account": self.account(*account), "symbol": symbol, "ex_date": ex_date, "amount": amount })
            }
        }
    }

    /// What stopped a ledger, with the oracle's field names.
    pub(crate) fn error(&self, error: &LedgerError) -> Value {
        let mut fields = match error {
            LedgerError::Oversell {
                id,
                symbol,
                held,
                quantity,
            } => {
                json!({ "seq": self.row(*id), "symbol": symbol, "held": held, "quantity": quantity })
            }
            LedgerError::MissingFx { currency, date } => {
                json!({ "currency": currency, "date": date })
            }
            LedgerError::UnknownType { kind, .. } => json!({ "type": kind }),
            other => panic!("no oracle expects {other}"),
        };
        fields["status"] = json!("error");
        fields["code"] = json!(error.code());
        fields
    }
}

/// A row whose external id was there before.
pub(crate) fn repeated(row: i64, external_id: &str) -> Value {
    json!({ "code": "duplicate_ignored", "seq": row, "external_id": external_id })
}

pub(crate) fn rows(input: &Value) -> &Vec<Value> {
    input["transactions"].as_array().unwrap()
}

fn rules(input: &Value, accounts: usize) -> Rules {
    Rules {
        base: text(input, "base").unwrap_or("USD").parse().unwrap(),
        method: LotMethod::parse(text(input, "method").unwrap_or("fifo")).unwrap(),
        income: if text(input, "income_mode") == Some("auto") {
            IncomeMode::Auto
        } else {
            IncomeMode::Ledger
        },
        short_accounts: if input["allow_short"] == true {
            (0..).take(accounts).map(AccountId).collect()
        } else {
            BTreeSet::new()
        },
    }
}

fn market(input: &Value) -> Market {
    let specs = input["assets"].as_object().cloned().unwrap_or_default();
    let symbols: BTreeMap<String, Value> = specs.into_iter().collect();
    let assets = symbols
        .iter()
        .enumerate()
        .map(|(index, (symbol, spec))| asset(index, symbol, spec, input))
        .collect();
    Market::new(assets, rates())
}

/// What an asset was worth.
pub(crate) fn closes(spec: &Value) -> Carried<Decimal> {
    match (spec.get("prices"), text(spec, "file")) {
        (Some(prices), _) => prices
            .as_object()
            .unwrap()
            .iter()
            .map(|(day, price)| (day.parse().unwrap(), decimal(price)))
            .collect(),
        (None, Some(file)) => column(file, text(spec, "column").unwrap_or("close")),
        (None, None) => Carried::default(),
    }
}

fn asset(index: usize, symbol: &str, spec: &Value, input: &Value) -> Asset {
    Asset {
        id: i64::try_from(index).unwrap(),
        symbol: symbol.to_owned(),
        currency: text(spec, "currency").unwrap_or("USD").parse().unwrap(),
        class: text(spec, "class").unwrap_or("equity").to_owned(),
        sector: text(spec, "sector").map(str::to_owned),
        country: text(spec, "country").map(str::to_owned),
        closes: closes(spec),
        actions: actions(symbol, input),
    }
}

/// Of the data file, unless the case switches them off, and the case's own.
pub(crate) fn actions(symbol: &str, input: &Value) -> Vec<Action> {
    let mut found = Vec::new();
    if input["corporate_actions"] != false {
        let text = fixtures::data("corporate_actions.csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows = reader
            .records()
            .map(Result::unwrap)
            .filter(|row| &row[0] == symbol);
        found.extend(rows.map(|row| action(&row[1], &row[2], &row[3])));
    }
    let extra = input["extra_actions"].as_array().into_iter().flatten();
    let extra = extra.filter(|action| text(action, "symbol") == Some(symbol));
    found.extend(extra.map(|spec| {
        action(
            text(spec, "ex_date").unwrap(),
            text(spec, "type").unwrap(),
            text(spec, "value").unwrap(),
        )
    }));
    found
}

/// Cases pay dividends in the asset's currency.
fn action(ex_date: &str, kind: &str, value: &str) -> Action {
    let kind = match kind {
        "split" => ActionKind::Split,
        "dividend" => ActionKind::Dividend,
        other => panic!("action {other}"),
    };
    Action {
        ex_date: ex_date.parse().unwrap(),
        kind,
        value: value.parse().unwrap(),
        currency: None,
    }
}

fn rates() -> RateTable {
    let text = fixtures::data("fx/ecb_eur.csv");
    let headers = csv::Reader::from_reader(text.as_bytes())
        .headers()
        .unwrap()
        .clone();
    let currencies = headers.iter().skip(1);
    RateTable::new(
        currencies
            .map(|code| (code.parse().unwrap(), column("fx/ecb_eur.csv", code)))
            .collect(),
    )
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn entry(row: &Value, index: usize, market: &Market, accounts: &[String]) -> Entry {
    let id = row["seq"]
        .as_i64()
        .unwrap_or(i64::try_from(index).unwrap() + 1);
    let account = accounts
        .iter()
        .position(|name| name == account_name(row))
        .unwrap();
    let date = |key| text(row, key).map(|day| day.parse::<Date>().unwrap());
    let number = |key| row.get(key).map(decimal);
    let symbol = |key| text(row, key).map(|symbol| market.find(symbol).unwrap());
    let kind = Kind::parse(text(row, "type").unwrap());
    let mut entry = Entry::new(
        id,
        AccountId(i64::try_from(account).unwrap()),
        kind,
        date("date").unwrap(),
    );
    entry.asset = symbol("symbol");
    entry.to_asset = symbol("to_symbol");
    entry.quantity = number("quantity");
    entry.price = number("price");
    entry.amount = number("amount");
    entry.fee = number("fee").unwrap_or_default();
    entry.tax = number("tax").unwrap_or_default();
    entry.currency = text(row, "currency").map(|code| code.parse().unwrap());
    entry.to_currency = text(row, "to_currency").map(|code| code.parse().unwrap());
    entry.to_amount = number("to_amount");
    entry.ratio = number("ratio");
    entry.cost_fraction = number("cost_fraction");
    entry.acquired_on = date("acquired");
    entry.external_id = text(row, "external_id").map(str::to_owned);
    entry.lot_picks = row
        .get("lots")
        .map(|picks| serde_json::from_value::<Vec<Pick>>(picks.clone()).unwrap())
        .unwrap_or_default();
    entry
}

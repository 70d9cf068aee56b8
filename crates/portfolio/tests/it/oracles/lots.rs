//! Ledgers to lots and gains.

use portfolio::decimal::Decimal;
use portfolio::ledger::{Ledger, LotMethod, Realised};
use portfolio::market::Market;
use serde_json::{Value, json};

use super::market::{Case, error, text};

pub(crate) fn actual(input: &Value) -> Value {
    let case = Case::read(input);
    let as_of = text(input, "as_of").unwrap().parse().unwrap();
    match Ledger::run(
        &case.market,
        case.rules.clone(),
        case.entries.clone(),
        as_of,
    ) {
        Ok(ledger) => state(&case, &ledger),
        Err(stopped) => error(&stopped),
    }
}

fn state(case: &Case, ledger: &Ledger<'_>) -> Value {
    let gains: Decimal = ledger.realised().iter().map(|gain| gain.gain_base).sum();
    json!({
        "status": "ok",
        "open_lots": open_lots(case, ledger),
        "realised": realised(&case.market, ledger.realised()),
        "realised_gain_base": gains,
        "cash": ledger.cash_by_currency(),
        "warnings": case.warnings(ledger.warnings()),
    })
}

fn open_lots(case: &Case, ledger: &Ledger<'_>) -> Vec<Value> {
    let pooled = case.rules.method == LotMethod::Avg;
    let books = ledger
        .books()
        .iter()
        .flat_map(|(key, book)| book.lots().iter().map(move |lot| (key, lot)));
    books
        .map(|((account, asset), lot)| {
            json!({
                "account": case.account(account.0), "symbol": case.market.asset(*asset).symbol, "lot": lot.id,
                "opened": (!pooled).then_some(lot.date), "quantity": lot.quantity, "cost": lot.cost, "cost_base": lot.cost_base,
            })
        })
        .collect()
}

/// Gains with the oracle's field names.
pub(crate) fn realised(market: &Market, gains: &[Realised]) -> Value {
    let gains = gains.iter().map(|gain| {
        json!({
            "seq": gain.transaction, "symbol": market.asset(gain.asset).symbol, "lot": gain.lot, "opened": gain.opened,
            "closed": gain.closed, "quantity": gain.quantity, "proceeds": gain.proceeds, "cost": gain.cost, "gain": gain.gain,
            "gain_base": gain.gain_base, "price_gain_base": gain.price_gain_base, "fx_gain_base": gain.fx_gain_base,
            "holding_days": gain.holding_days, "term": gain.term,
        })
    });
    gains.collect()
}

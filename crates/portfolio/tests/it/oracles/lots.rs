//! Ledgers to lots and gains.

use portfolio::decimal::Decimal;
use portfolio::ledger::{Ledger, LotMethod, Realised};
use portfolio::market::Market;
use serde_json::{Value, json};

use super::market::{Case, Names, text};

pub(crate) fn actual(input: &Value) -> Value {
    let case = Case::read(input);
    let names = case.names();
    let as_of = text(input, "as_of").unwrap().parse().unwrap();
    let ledger = Ledger::run(
        &case.market,
        case.rules.clone(),
        case.entries.clone(),
        as_of,
    );
    match ledger {
        Ok(ledger) => state(&names, &ledger, case.rules.method),
        Err(stopped) => names.error(&stopped),
    }
}

/// A ledger as it stands.
pub(crate) fn state(names: &Names, ledger: &Ledger<'_>, method: LotMethod) -> Value {
    let gains: Decimal = ledger.realised().iter().map(|gain| gain.gain_base).sum();
    json!({
        "status": "ok",
        "open_lots": open_lots(names, ledger, method == LotMethod::Avg),
        "realised": realised(names, ledger.market(), ledger.realised()),
        "realised_gain_base": gains,
        "cash": ledger.cash_by_currency(),
        "warnings": names.warnings(ledger.warnings()),
    })
}

fn open_lots(names: &Names, ledger: &Ledger<'_>, pooled: bool) -> Vec<Value> {
    let books = ledger
        .books()
        .iter()
        .flat_map(|(key, book)| book.lots().iter().map(move |lot| (key, lot)));
    books
        .map(|((account, asset), lot)| {
            json!({
                "account": names.account(account.0), "symbol": ledger.market().asset(*asset).symbol, "lot": names.row(lot.id),
                "opened": (!pooled).then_some(lot.date), "quantity": lot.quantity, "cost": lot.cost, "cost_base": lot.cost_base,
            })
        })
        .collect()
}

/// Gains with the oracle's field names.
pub(crate) fn realised(names: &Names, market: &Market, gains: &[Realised]) -> Value {
    let gains = gains.iter().map(|gain| {
        json!({
            "seq": names.row(gain.transaction), "symbol": market.asset(gain.asset).symbol, "lot": names.row(gain.lot), "opened": gain.opened,
            "closed": gain.closed, "quantity": gain.quantity, "proceeds": gain.proceeds, "cost": gain.cost, "gain": gain.gain,
            "gain_base": gain.gain_base, "price_gain_base": gain.price_gain_base, "fx_gain_base": gain.fx_gain_base,
            "holding_days": gain.holding_days, "term": gain.term,
        })
    });
    gains.collect()
}

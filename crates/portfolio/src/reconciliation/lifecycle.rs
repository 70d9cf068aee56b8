//! Breaks from run to run: new ones open, known ones stay, those that are gone close, those that are back open again.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::reconcile::{Break, BreakType, LedgerSide, Row, Sections, Severity, Statement};
use crate::store::{KeptBreak, NewBreak};

/// The part of a statement that shows a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Section {
    Transactions,
    Positions,
    Cash,
}

/// Where a break can be seen again, so that a statement which says nothing about it does not close it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    section: Section,
    first_date: Date,
    last_date: Date,
}

/// What a statement can say something about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) sections: Sections,
    pub(super) period: (Date, Date),
}

/// What becomes of the breaks of an account.
#[derive(Debug, Default)]
pub(super) struct Plan<'b> {
    pub(super) found: Vec<NewBreak<'b>>,
    /// Ids of those that are gone.
    pub(super) gone: Vec<i64>,
    pub(super) opened: usize,
    pub(super) opened_high: usize,
}

/// Rows of both sides by what breaks call them.
pub(super) struct Dates {
    ledger: HashMap<i64, Date>,
    lines: HashMap<i64, Date>,
    as_of: Date,
}

impl Dates {
    pub(super) fn of(ledger: &LedgerSide, statement: &Statement) -> Dates {
        let dates = |rows: &[Row]| rows.iter().map(|row| (row.id, row.date)).collect();
        Dates {
            ledger: dates(&ledger.rows),
            lines: dates(&statement.rows),
            as_of: statement.as_of,
        }
    }

    fn place(&self, found: &Break) -> Place {
        let section = section(found);
        let of = |ids: &[i64], dates: &HashMap<i64, Date>| -> Vec<Date> {
            ids.iter().filter_map(|id| dates.get(id).copied()).collect()
        };
        let mut dates = of(&found.ledger, &self.ledger);
        if section == Section::Transactions {
            dates.extend(of(&found.lines, &self.lines));
        }
        Place {
            section,
            first_date: dates.iter().copied().min().unwrap_or(self.as_of),
            last_date: dates.iter().copied().max().unwrap_or(self.as_of),
        }
    }
}

fn section(found: &Break) -> Section {
    match found.kind {
        BreakType::CashMismatch => Section::Cash,
        BreakType::PriceMismatch => Section::Positions,
        _ if found.explained_by.is_some() => Section::Positions,
        _ => Section::Transactions,
    }
}

/// Decides about every break of an account. `previous` is the run before this one.
pub(super) fn plan<'b>(
    found: &'b [Break],
    kept: &[KeptBreak],
    previous: Option<i64>,
    reach: Reach,
    dates: &Dates,
) -> serde_json::Result<Plan<'b>> {
    let known: HashMap<&str, &KeptBreak> = kept
        .iter()
        .map(|kept| (kept.fingerprint.as_str(), kept))
        .collect();
    let mut plan = Plan::default();
    for one in found {
        let before = known.get(one.fingerprint.as_str());
        let status = before.map_or("open", |kept| status(kept, previous));
        let opens = before.is_none_or(|kept| kept.status != "open") && status == "open";
        plan.opened += usize::from(opens);
        plan.opened_high += usize::from(opens && one.severity == Severity::High);
        plan.found.push(row(one, status, &dates.place(one))?);
    }
    let seen: HashSet<&str> = found.iter().map(|one| one.fingerprint.as_str()).collect();
    let waiting = |kept: &&KeptBreak| matches!(kept.status.as_str(), "open" | "acknowledged");
    let gone = kept.iter().filter(waiting);
    let gone = gone.filter(|kept| !seen.contains(kept.fingerprint.as_str()));
    plan.gone = gone
        .filter(|kept| reach.covers(kept))
        .map(|kept| kept.id)
        .collect();
    Ok(plan)
}

/// The status of a break that is seen again. What a person has resolved stays so while it never went away.
fn status(kept: &KeptBreak, previous: Option<i64>) -> &'static str {
    match kept.status.as_str() {
        "acknowledged" => "acknowledged",
        "resolved" if Some(kept.last_seen) == previous => "resolved",
        _ => "open",
    }
}

impl Reach {
    /// True when the statement would have shown the break. A break whose place cannot be read is taken as shown.
    fn covers(&self, kept: &KeptBreak) -> bool {
        let Ok(place) = serde_json::from_str::<Place>(&kept.detail) else {
            return true;
        };
        let (start, end) = self.period;
        match place.section {
            Section::Transactions => {
                self.sections.transactions && start <= place.first_date && place.last_date <= end
            }
            Section::Positions => self.sections.positions && place.last_date <= end,
            Section::Cash => self.sections.cash && place.last_date <= end,
        }
    }
}

fn row<'b>(
    found: &'b Break,
    status: &'static str,
    place: &Place,
) -> serde_json::Result<NewBreak<'b>> {
    let mut detail = serde_json::to_value(place)?;
    detail["explained_by"] = serde_json::to_value(&found.explained_by)?;
    detail["explained"] = serde_json::to_value(found.explained)?;
    detail["unexplained"] = serde_json::to_value(found.unexplained)?;
    Ok(NewBreak {
        fingerprint: &found.fingerprint,
        kind: found.kind,
        severity: found.severity,
        status,
        symbol: found.symbol.as_deref(),
        currency: found.currency,
        transaction_ids: &found.ledger,
        line_ids: &found.lines,
        ledger_value: found.ledger_value.as_deref(),
        statement_value: found.statement_value.as_deref(),
        difference: found.difference,
        detail,
        explanation: &found.explanation,
    })
}

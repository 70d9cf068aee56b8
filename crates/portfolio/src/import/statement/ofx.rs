//! The investment statement of an OFX or QFX file, in the words of the ledger.

use std::collections::HashMap;

use jiff::civil::Date;

use super::super::Source;
use super::super::table::problem;
use super::lines::{LineKind, StatementLine};
use super::sgml::{self, Element};
use super::{StatementFile, text};
use crate::decimal::Decimal;
use crate::error::Result;
use crate::money::Currency;
use crate::reconcile::Sections;

/// Elements of transactions with the ledger's word for each; none where another field decides.
const TRANSACTIONS: [(&str, Option<&str>); 17] = [
    ("BUYSTOCK", Some("buy")),
    ("BUYMF", Some("buy")),
    ("BUYDEBT", Some("buy")),
    ("BUYOPT", Some("buy")),
    ("BUYOTHER", Some("buy")),
    ("SELLSTOCK", Some("sell")),
    ("SELLMF", Some("sell")),
    ("SELLDEBT", Some("sell")),
    ("SELLOPT", Some("sell")),
    ("SELLOTHER", Some("sell")),
    ("RETOFCAP", Some("return_of_capital")),
    ("INVEXPENSE", Some("fee")),
    ("MARGININTEREST", Some("interest")),
    ("REINVEST", Some("buy")),
    ("INCOME", None),
    ("TRANSFER", None),
    ("INVBANKTRAN", None),
];

/// What is read with its place, for errors.
type Read<T> = std::result::Result<T, String>;

/// What lines need of the rest of the file.
struct Reader {
    /// Tickers by the security's identifier.
    tickers: HashMap<String, String>,
    currency: Currency,
}

pub(super) fn read(source: Source<'_>) -> Result<StatementFile> {
    let text = text::ofx(source)?;
    let failed = |text: String| problem(source.name, &text);
    let document = sgml::parse(&text).map_err(failed)?;
    let statement = document.find("INVSTMTRS").ok_or_else(|| {
        failed("there is no investment statement (INVSTMTRS) in the file".to_owned())
    })?;
    statement_of(&document, statement).map_err(failed)
}

fn statement_of(document: &Element, statement: &Element) -> Read<StatementFile> {
    let reader = Reader {
        tickers: tickers(document),
        currency: currency(statement)?.ok_or("CURDEF is missing")?,
    };
    let transactions = statement.find("INVTRANLIST");
    let positions = statement.find("INVPOSLIST");
    let balance = statement.find("INVBAL");
    let mut lines = Vec::new();
    for element in transactions.iter().flat_map(|list| &list.children) {
        lines.extend(reader.transaction(element)?);
    }
    let mut held = Vec::new();
    if let Some(list) = positions {
        list.find_all("INVPOS", &mut held);
    }
    for element in held {
        lines.push(reader.position(element)?);
    }
    if let Some(balance) = balance {
        lines.push(reader.cash(balance)?);
    }
    let opening = transactions.map(|list| date(list, "DTSTART")).transpose()?;
    Ok(StatementFile {
        account_no: statement
            .text("ACCTID")
            .ok_or("ACCTID is missing")?
            .to_owned(),
        custodian: statement.text("BROKERID").unwrap_or_default().to_owned(),
        as_of: date(statement, "DTASOF")?.ok_or("DTASOF is missing")?,
        period_start: opening.flatten(),
        sections: Sections {
            transactions: transactions.is_some(),
            positions: positions.is_some(),
            cash: balance.is_some(),
        },
        lines,
    })
}

/// Tickers of the file's list of securities.
fn tickers(document: &Element) -> HashMap<String, String> {
    let mut infos = Vec::new();
    document.find_all("SECINFO", &mut infos);
    let pair = |info: &&Element| {
        let ticker = info.text("TICKER")?.to_uppercase();
        Some((info.text("UNIQUEID")?.to_owned(), ticker))
    };
    infos.iter().filter_map(pair).collect()
}

impl Reader {
    fn transaction(&self, element: &Element) -> Read<Option<StatementLine>> {
        let known = TRANSACTIONS.iter().find(|(name, _)| *name == element.name);
        let Some((_, word)) = known else {
            return Ok(None);
        };
        let total = number(element, "TOTAL")?.or(number(element, "TRNAMT")?);
        let word = word.or(kind(element, total)).ok_or_else(|| {
            format!(
                "line {}: {} is of a kind that is not known",
                element.line, element.name
            )
        })?;
        let posted = date(element, "DTTRADE")?.or(date(element, "DTPOSTED")?);
        let line = StatementLine {
            date: posted,
            settle_date: date(element, "DTSETTLE")?,
            type_: Some(word.to_owned()),
            quantity: number(element, "UNITS")?.map(Decimal::abs),
            price: number(element, "UNITPRICE")?,
            amount: total.or_else(|| word.starts_with("transfer").then_some(Decimal::ZERO)),
            currency: Some(self.currency_of(element)?),
            external_id: element.text("FITID").map(str::to_owned),
            description: element
                .text("MEMO")
                .or(element.text("NAME"))
                .map(str::to_owned),
            ..self.security(element, LineKind::Transaction)
        };
        checked(line, element).map(Some)
    }

    fn position(&self, element: &Element) -> Read<StatementLine> {
        let short = element.text("POSTYPE") == Some("SHORT");
        let units = number(element, "UNITS")?.map(|units| if short { -units.abs() } else { units });
        let line = StatementLine {
            quantity: units,
            price: number(element, "UNITPRICE")?,
            date: date(element, "DTPRICEASOF")?,
            currency: Some(self.currency_of(element)?),
            ..self.security(element, LineKind::Position)
        };
        checked(line, element)
    }

    fn cash(&self, element: &Element) -> Read<StatementLine> {
        let line = StatementLine {
            amount: number(element, "AVAILCASH")?,
            currency: Some(self.currency),
            ..StatementLine::new(element.line, LineKind::Cash)
        };
        checked(line, element)
    }

    /// A line that names the element's security.
    fn security(&self, element: &Element, kind: LineKind) -> StatementLine {
        let id = element.text("UNIQUEID");
        let is_isin = element.text("UNIQUEIDTYPE") == Some("ISIN");
        StatementLine {
            symbol: id.and_then(|id| self.tickers.get(id).cloned()),
            isin: id.filter(|_| is_isin).map(str::to_owned),
            ..StatementLine::new(element.line, kind)
        }
    }

    fn currency_of(&self, element: &Element) -> Read<Currency> {
        Ok(currency(element)?.unwrap_or(self.currency))
    }
}

fn checked(line: StatementLine, element: &Element) -> Read<StatementLine> {
    match line.missing() {
        Some(field) => Err(format!(
            "line {}: {} has no {field}",
            element.line, element.name
        )),
        None => Ok(line),
    }
}

/// The ledger's word where the element's name does not decide.
fn kind(element: &Element, total: Option<Decimal>) -> Option<&'static str> {
    let outgoing = total.is_some_and(Decimal::is_negative);
    match element.name.as_str() {
        "INCOME" if element.text("INCOMETYPE") == Some("INTEREST") => Some("interest"),
        "INCOME" => Some("dividend"),
        "TRANSFER" if element.text("TFERACTION") == Some("OUT") => Some("transfer_out"),
        "TRANSFER" => Some("transfer_in"),
        "INVBANKTRAN" => match element.text("TRNTYPE") {
            Some("INT") => Some("interest"),
            Some("DIV") => Some("dividend"),
            Some("FEE" | "SRVCHG") => Some("fee"),
            _ if outgoing => Some("withdrawal"),
            _ => Some("deposit"),
        },
        _ => None,
    }
}

/// The currency that an element names, or the statement's default.
fn currency(element: &Element) -> Read<Option<Currency>> {
    let code = element.text("CURSYM").or(element.text("CURDEF"));
    let parsed = code.map(str::parse).transpose();
    parsed.map_err(|error| format!("line {}: currency {error}", element.line))
}

fn number(element: &Element, name: &str) -> Read<Option<Decimal>> {
    let Some(text) = element.text(name) else {
        return Ok(None);
    };
    // The standard allows a comma as decimal point.
    let parsed = text.replace(',', ".").trim_start_matches('+').parse();
    parsed
        .map(Some)
        .map_err(|error| format!("line {}: {name} = {text:?}: {error}", element.line))
}

/// The day of a time such as `20100312120000.000[-5:EST]`.
fn date(element: &Element, name: &str) -> Read<Option<Date>> {
    let Some(text) = element.text(name) else {
        return Ok(None);
    };
    let part = |range| text.get(range).and_then(|part: &str| part.parse().ok());
    let year = text.get(0..4).and_then(|part| part.parse::<i16>().ok());
    let parts = year.zip(part(4..6)).zip(part(6..8));
    let found = parts.and_then(|((year, month), day)| Date::new(year, month, day).ok());
    found.map(Some).ok_or_else(|| {
        format!(
            "line {}: {name} = {text:?} must be a day such as 20100312",
            element.line
        )
    })
}

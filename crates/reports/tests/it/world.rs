//! A portfolio of many companies with names in many scripts, made up.

use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use jiff::civil::{Date, date};
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::fx::RateTable;
use portfolio::ledger::{AccountId, Entry, IncomeMode, Kind, LotMethod, Rules};
use portfolio::market::{Asset, AssetIx, Market};
use portfolio::series::{Walk, WalkRequest};
use reports::subject::Names;

pub(crate) const TO: Date = date(2013, 3, 1);
const FROM: Date = date(2010, 1, 4);

/// Names in Latin, Greek, Cyrillic, Chinese, Japanese, Korean, Hebrew, Arabic, Thai and Devanagari, and one whose accents are
/// characters of their own.
const SCRIPTS: [&str; 11] = [
    "Société Générale & Ægir",
    "Εθνική Τράπεζα της Ελλάδος",
    "Газпром нефть",
    "中国工商银行股份有限公司",
    "トヨタ自動車株式会社",
    "삼성전자주식회사",
    "בנק הפועלים",
    "Cre\u{301}dit Agricole",
    "شركة الزيت العربية السعودية (2222)",
    "บริษัท ปตท. จำกัด (มหาชน)",
    "भारतीय स्टेट बैंक लिमिटेड",
];

pub(crate) struct World {
    market: Market,
    calendar: Calendar,
    entries: Vec<Entry>,
}

impl World {
    /// So many companies, each bought once, each price its own wave.
    pub(crate) fn of(companies: usize) -> World {
        let calendar = Calendar::named("XNYS").unwrap();
        let sessions = calendar.sessions(FROM, TO);
        let assets = (0..companies)
            .map(|index| asset(index, &sessions))
            .collect();
        let mut entries = vec![deposit(companies)];
        entries.extend((0..companies).map(|index| purchase(index, &sessions)));
        World {
            market: Market::new(assets, RateTable::default()),
            calendar,
            entries,
        }
    }

    pub(crate) fn walk(&self) -> Walk<'_> {
        let rules = Rules {
            base: "USD".parse().unwrap(),
            method: LotMethod::Fifo,
            income: IncomeMode::Ledger,
            short_accounts: BTreeSet::new(),
        };
        let request = WalkRequest {
            market: &self.market,
            rules,
            entries: self.entries.clone().into(),
            calendar: &self.calendar,
            starts: Vec::new(),
            to: TO,
        };
        Walk::run(request).unwrap().unwrap()
    }

    pub(crate) fn names(&self) -> Names {
        let assets = self.market.assets().iter().enumerate();
        let named = assets.map(|(index, asset)| {
            (
                asset.symbol.clone(),
                SCRIPTS[index % SCRIPTS.len()].to_owned(),
            )
        });
        Names {
            portfolio: "Zürich – Αθήνα – 東京".to_owned(),
            owner: "Łukasz Çelik".to_owned(),
            assets: named.collect(),
            notes: BTreeMap::new(),
        }
    }
}

fn asset(index: usize, sessions: &[Date]) -> Asset {
    let close = |day: usize| {
        let wave = ((day + index * 37) as f64 / 60.0).sin();
        let cents = (10_000.0 + day as f64 * 4.0 + wave * 2_500.0).round() as i64;
        Decimal::from_int(cents)
            .div(Decimal::from_int(100), 2)
            .unwrap()
    };
    let closes: Vec<(Date, Decimal)> = sessions
        .iter()
        .enumerate()
        .map(|(day, date)| (*date, close(day)))
        .collect();
    Asset {
        id: index as i64 + 1,
        symbol: format!("CO{index:03}"),
        currency: "USD".parse().unwrap(),
        class: "equity".to_owned(),
        sector: None,
        country: None,
        closes: Carried::new(closes),
        actions: Vec::new(),
    }
}

fn deposit(companies: usize) -> Entry {
    let mut entry = Entry::new(1, AccountId(1), Kind::Deposit, date(2010, 1, 5));
    entry.amount = Some(Decimal::from_int(companies as i64 * 2_000 + 500));
    entry
}

fn purchase(index: usize, sessions: &[Date]) -> Entry {
    let day = sessions[index % 40 + 1];
    let mut entry = Entry::new(index as i64 + 2, AccountId(1), Kind::Buy, day);
    entry.asset = Some(AssetIx(index));
    entry.quantity = Some(Decimal::from_int(10 + index as i64 % 7));
    entry.price = Some(Decimal::from_int(100));
    entry
}

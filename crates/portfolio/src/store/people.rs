//! Users, accounts, portfolios and which accounts a portfolio spans.

use std::collections::HashMap;

use calendar::Calendar;
use jiff::Timestamp;
use serde::Serialize;

use super::Store;
use super::codec::{Reader, id_list};
use super::sql::Row;
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::ledger::{IncomeMode, LotMethod};
use crate::money::Currency;

/// A user to be stored; the e-mail address identifies.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    pub email: &'a str,
    pub display_name: &'a str,
    pub base_currency: Currency,
}

/// An account to be stored; user and name identify.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    pub user_id: i64,
    pub name: &'a str,
    pub currency: Currency,
    /// Whether sales may exceed what is held.
    pub allow_short: bool,
}

/// A portfolio to be stored; user and name identify.
#[derive(Clone, Debug)]
pub struct NewPortfolio<'a> {
    pub user_id: i64,
    pub name: &'a str,
    pub base_currency: Currency,
    /// A market identifier code, or `24/7`.
    pub calendar: &'a str,
    /// `fifo`, `lifo`, `hifo`, `avg` or `specific`.
    pub lot_method: &'a str,
    /// True books dividends on the ex-date; false expects rows.
    pub automatic_income: bool,
    /// The annual risk-free rate.
    pub risk_free_rate: Decimal,
    /// What its returns are compared with.
    pub benchmark_asset_id: Option<i64>,
}

impl<'a> NewPortfolio<'a> {
    /// In New York's sessions, with the oldest lots sold first.
    pub fn plain(user_id: i64, name: &'a str, base_currency: Currency) -> NewPortfolio<'a> {
        NewPortfolio {
            user_id,
            name,
            base_currency,
            calendar: "XNYS",
            lot_method: LotMethod::Fifo.as_str(),
            automatic_income: false,
            risk_free_rate: Decimal::ZERO,
            benchmark_asset_id: None,
        }
    }

    /// As it is stored.
    pub fn of(row: &'a PortfolioRow) -> NewPortfolio<'a> {
        NewPortfolio {
            user_id: row.user_id,
            name: &row.name,
            base_currency: row.base_currency,
            calendar: &row.calendar,
            lot_method: row.lot_method.as_str(),
            automatic_income: row.income == IncomeMode::Auto,
            risk_free_rate: row.risk_free_rate,
            benchmark_asset_id: row.benchmark_asset_id,
        }
    }
}

/// A stored user.
#[derive(Clone, Debug, Serialize)]
pub struct UserRow {
    pub id: i64,
    pub email: String,
    pub display_name: String,
    pub base_currency: Currency,
}

/// A stored account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountRow {
    pub id: i64,
    pub user_id: i64,
    pub name: String,
    pub currency: Currency,
    /// Whether sales may exceed what is held.
    pub allow_short: bool,
    /// Who keeps it.
    pub custodian: Option<String>,
    /// Its number there, by which statements are known as its own.
    pub custodian_account_no: Option<String>,
}

/// A statement for [`AccountRow`]s.
macro_rules! select_accounts {
    ($which:literal) => {
        concat!(
            "SELECT id, user_id, name, currency, allow_short, custodian, custodian_account_no FROM accounts ",
            $which
        )
    };
}
pub(super) use select_accounts;

/// A stored portfolio.
#[derive(Clone, Debug)]
pub struct PortfolioRow {
    pub id: i64,
    pub user_id: i64,
    pub name: String,
    pub base_currency: Currency,
    pub calendar: String,
    pub lot_method: LotMethod,
    pub income: IncomeMode,
    pub benchmark_asset_id: Option<i64>,
    pub risk_free_rate: Decimal,
    pub is_active: bool,
}

impl Store {
    /// Adds a user, or updates the one with this address; returns the id.
    pub async fn put_user(&self, user: &NewUser<'_>, now: Timestamp) -> Result<i64> {
        let query = self.sql(
            "INSERT INTO users (email, display_name, base_currency, created_at) VALUES (?1, ?2, ?3, ?4::timestamptz)
             ON CONFLICT (email) DO UPDATE SET display_name = excluded.display_name, base_currency = excluded.base_currency
             RETURNING id AS found",
        );
        let query = query
            .bind(user.email)
            .bind(user.display_name)
            .bind(user.base_currency)
            .bind(now);
        query.found().await
    }

    /// Adds an account, or updates the user's one of this name; returns the id. A retired one is back.
    pub async fn put_account(&self, account: &NewAccount<'_>, now: Timestamp) -> Result<i64> {
        let query = self.sql(
            "INSERT INTO accounts (user_id, name, currency, allow_short, created_at) VALUES (?1, ?2, ?3, ?4, ?5::timestamptz)
             ON CONFLICT (user_id, name) DO UPDATE SET currency = excluded.currency, allow_short = excluded.allow_short, is_active = TRUE
             RETURNING id AS found",
        );
        let query = query
            .bind(account.user_id)
            .bind(account.name)
            .bind(account.currency);
        query.bind(account.allow_short).bind(now).found().await
    }

    /// Adds a portfolio, or updates the user's one of this name; returns the id. A retired one is back. Its calendar must be a
    /// known one.
    pub async fn put_portfolio(&self, portfolio: &NewPortfolio<'_>, now: Timestamp) -> Result<i64> {
        Calendar::named(portfolio.calendar)?;
        let query = self.sql(
            "INSERT INTO portfolios (user_id, name, base_currency, calendar, lot_method, income_mode, risk_free_rate, created_at, benchmark_asset_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7::numeric, ?8::timestamptz, ?9)
             ON CONFLICT (user_id, name) DO UPDATE SET base_currency = excluded.base_currency, calendar = excluded.calendar,
               lot_method = excluded.lot_method, income_mode = excluded.income_mode, risk_free_rate = excluded.risk_free_rate,
               benchmark_asset_id = excluded.benchmark_asset_id, is_active = TRUE
             RETURNING id AS found",
        );
        let income = if portfolio.automatic_income {
            "auto"
        } else {
            "ledger"
        };
        let query = query
            .bind(portfolio.user_id)
            .bind(portfolio.name)
            .bind(portfolio.base_currency);
        let query = query
            .bind(portfolio.calendar)
            .bind(portfolio.lot_method)
            .bind(income);
        let query = query
            .bind(portfolio.risk_free_rate)
            .bind(now)
            .bind(portfolio.benchmark_asset_id);
        query.found().await
    }

    /// Lets a portfolio span an account.
    pub async fn link_account(&self, portfolio_id: i64, account_id: i64) -> Result<()> {
        let query = self.sql(
            "INSERT INTO portfolio_accounts (portfolio_id, account_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        );
        query.bind(portfolio_id).bind(account_id).execute().await?;
        Ok(())
    }

    /// Lets a portfolio span these accounts and no others.
    pub async fn span_accounts(&self, portfolio_id: i64, account_ids: &[i64]) -> Result<()> {
        let mut tx = self.begin().await?;
        let ids = id_list(account_ids.iter().copied());
        for statement in [
            "DELETE FROM portfolio_accounts WHERE portfolio_id = ?1
               AND account_id NOT IN (SELECT value::bigint FROM json_each(?2::jsonb))",
            "INSERT INTO portfolio_accounts (portfolio_id, account_id)
               SELECT ?1, value::bigint FROM json_each(?2::jsonb) WHERE true ON CONFLICT DO NOTHING",
        ] {
            let query = self.sql(statement).bind(portfolio_id).bind(ids.as_str());
            query.execute_in(&mut tx).await?;
        }
        self.commit(tx).await
    }

    /// The names of the accounts that portfolios span, by portfolio.
    pub async fn spanned_accounts(&self) -> Result<HashMap<i64, Vec<String>>> {
        let query = self.sql(
            "SELECT portfolio_id, name FROM portfolio_accounts JOIN accounts ON accounts.id = account_id ORDER BY account_id",
        );
        let mut names: HashMap<i64, Vec<String>> = HashMap::new();
        for row in query.all().await? {
            let portfolio: i64 = row.get("portfolio_id");
            names.entry(portfolio).or_default().push(row.get("name"));
        }
        Ok(names)
    }

    /// All active users.
    pub async fn users(&self) -> Result<Vec<UserRow>> {
        let query = self.sql(
            "SELECT id, email, display_name, base_currency FROM users WHERE is_active ORDER BY id",
        );
        let rows = query.all().await?;
        rows.iter().map(user).collect()
    }

    /// A user by its id.
    pub async fn user(&self, user_id: i64) -> Result<UserRow> {
        let query =
            self.sql("SELECT id, email, display_name, base_currency FROM users WHERE id = ?1");
        let row = query.bind(user_id).first().await?;
        let row = row.ok_or_else(|| Error::NotFound {
            what: "user",
            id: user_id.to_string(),
        })?;
        user(&row)
    }

    /// The accounts of a user.
    pub async fn accounts(&self, user_id: i64) -> Result<Vec<AccountRow>> {
        let query = self
            .sql(select_accounts!("WHERE user_id = ?1 ORDER BY id"))
            .bind(user_id);
        let rows = query.all().await?;
        rows.iter().map(account).collect()
    }

    /// All portfolios, or those of one user, in the order of their ids; inactive ones too.
    pub async fn portfolios(&self, user_id: Option<i64>) -> Result<Vec<PortfolioRow>> {
        let query = self.sql(
            "SELECT id, user_id, name, base_currency, calendar, lot_method, income_mode, benchmark_asset_id, risk_free_rate::text, is_active
             FROM portfolios WHERE ?1 IS NULL OR user_id = ?1 ORDER BY id",
        );
        let rows = query.bind(user_id).all().await?;
        rows.iter().map(portfolio).collect()
    }

    /// An error unless the user exists.
    pub async fn require_user(&self, user_id: i64) -> Result<()> {
        let query = self
            .sql("SELECT count(*) AS found FROM users WHERE id = ?1")
            .bind(user_id);
        let count: i64 = query.found().await?;
        if count == 1 {
            Ok(())
        } else {
            Err(Error::NotFound {
                what: "user",
                id: user_id.to_string(),
            })
        }
    }
}

fn reader<'r>(table: &'static str, row: &'r Row) -> Reader<'r> {
    let id = row
        .try_get::<i64>("id")
        .map_or_else(|_| "?".to_owned(), |id| id.to_string());
    Reader { table, id, row }
}

fn user(row: &Row) -> Result<UserRow> {
    Ok(UserRow {
        id: row.get("id"),
        email: row.get("email"),
        display_name: row.get("display_name"),
        base_currency: reader("users", row).required("base_currency")?,
    })
}

pub(super) fn account(row: &Row) -> Result<AccountRow> {
    Ok(AccountRow {
        id: row.get("id"),
        user_id: row.get("user_id"),
        name: row.get("name"),
        currency: reader("accounts", row).required("currency")?,
        allow_short: row.get("allow_short"),
        custodian: row.get("custodian"),
        custodian_account_no: row.get("custodian_account_no"),
    })
}

fn portfolio(row: &Row) -> Result<PortfolioRow> {
    let reader = reader("portfolios", row);
    let method: String = row.get("lot_method");
    let income: String = row.get("income_mode");
    Ok(PortfolioRow {
        id: row.get("id"),
        user_id: row.get("user_id"),
        name: row.get("name"),
        base_currency: reader.required("base_currency")?,
        calendar: row.get("calendar"),
        lot_method: LotMethod::parse(&method)
            .ok_or_else(|| reader.broken("lot_method", &method))?,
        income: if income == "auto" {
            IncomeMode::Auto
        } else {
            IncomeMode::Ledger
        },
        benchmark_asset_id: row.get("benchmark_asset_id"),
        risk_free_rate: reader.required("risk_free_rate")?,
        is_active: row.get("is_active"),
    })
}

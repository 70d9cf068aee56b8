//! What a refresh stores, as its readers find it again.

use jiff::SignedDuration;
use portfolio::analytics::{
    PARTS, RefreshData, RefreshRequest, dashboard_key, refresh, refresh_dashboard, summary, view,
};
use portfolio::figures::Closing;
use portfolio::store::Store;
use serde_json::{Value, json};

use crate::world::{Server, World, now, on_both_servers};

/// With a foreign currency, an income, a symbol that nobody prices and one whose price is old.
const MIXED: &str = "\
account,date,type,symbol,quantity,price,amount,fee,tax,currency
Mixed,2008-03-03,deposit,,,,100000,,,USD
Mixed,2008-03-04,deposit,,,,5000,,,EUR
Mixed,2008-03-05,buy,AAPL,200,122,,19.95,,USD
Mixed,2010-03-05,sell,AAPL,50,219,,19.95,,USD
Mixed,2010-03-08,buy,IBM,100,126.5,,19.95,,USD
";

const CASH: &str = "account,date,type,amount,currency\nCash,2010-03-01,deposit,500,USD\n";

fn request() -> RefreshRequest {
    RefreshRequest {
        clock: now,
        ..RefreshRequest::new("task-1")
    }
}

async fn run(store: &Store, full: bool) -> RefreshData {
    let request = RefreshRequest { full, ..request() };
    let done = refresh(store, &request, &mut |_| {}, &|| false).await;
    done.unwrap().data
}

async fn cached(store: &Store, key: &str) -> Value {
    let text = store.cached(key).await.unwrap().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A user's portfolio of several assets and one of cash.
async fn world(server: Server) -> (World, i64, i64) {
    let world = World::with_market(server).await;
    let user = world.user("ada@example.org").await;
    let mixed = world.portfolio(user, "Mixed", true, MIXED).await;
    world.portfolio(user, "Cash", false, CASH).await;
    (world, user, mixed)
}

on_both_servers!(a_dashboard_shows_the_whole_state_of_the_last_day);

async fn a_dashboard_shows_the_whole_state_of_the_last_day(server: Server) {
    let (world, user, mixed) = world(server).await;
    let store = &world.store;
    run(store, false).await;
    let hour = SignedDuration::from_hours(1);
    let parts = refresh_dashboard(store, user, &PARTS, now(), hour).await;
    assert_eq!(parts.unwrap().written, PARTS.len());

    let as_of = "2013-03-01".parse().unwrap();
    let viewed = view(store, user, Some(mixed), Some(as_of)).await.unwrap();
    let walk = viewed.portfolios[0].walk(&viewed.market, Vec::new());
    let closing = Closing::of(&walk.unwrap().unwrap()).unwrap();
    let id = mixed.to_string();
    let part = async |name: &str| cached(store, &dashboard_key(user, name)).await[&id].clone();
    assert_eq!(part("holdings").await, json!(closing.positions));
    assert_eq!(
        part("income").await["by_year"],
        json!(closing.income.by_year)
    );
    let allocation = part("allocation").await;
    let shares = closing.allocation.unwrap();
    assert_eq!(allocation["asset"].as_object().unwrap().len(), 4);
    for (name, share) in shares.asset.iter().chain(&shares.currency) {
        let dimension = if shares.asset.contains_key(name) {
            "asset"
        } else {
            "currency"
        };
        let shown = allocation[dimension][name.as_str()].as_f64().unwrap();
        assert!(
            (shown - share).abs() < 1e-12,
            "{name}: {shown} is not {share}"
        );
    }
}

on_both_servers!(an_overview_reads_the_figures_by_their_names);

async fn an_overview_reads_the_figures_by_their_names(server: Server) {
    let (world, _, mixed) = world(server).await;
    let store = &world.store;
    run(store, false).await;
    let text = store.figures("portfolio", mixed, "all").await.unwrap();
    let payload: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let columns = payload["columns"].as_array().unwrap();
    let place = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let rows = payload["periods"].as_array().unwrap();
    let shown = summary(store, None).await.unwrap();
    let shown: Vec<_> = shown
        .iter()
        .filter(|row| row.portfolio_id == mixed)
        .collect();
    assert_eq!((rows.len(), shown.len()), (8, 8));
    for (row, shown) in rows.iter().zip(shown) {
        assert_eq!(row.as_array().unwrap().len(), columns.len());
        let figure = |name: &str| &row[place(name)];
        assert_eq!(figure("period"), shown.period.as_str());
        assert_eq!(*figure("nav_end"), json!(shown.nav));
        for (name, value) in [
            ("twr", shown.twr),
            ("mwr.rate", shown.xirr),
            ("volatility", shown.volatility),
            ("max_drawdown.depth", shown.max_drawdown),
        ] {
            let stored = figure(name).as_f64();
            let off = stored
                .zip(value)
                .map(|(stored, value)| (stored - value).abs());
            assert!(
                off.is_some_and(|off| off < 1e-12),
                "{name}: {stored:?} {value:?}"
            );
        }
    }
}

on_both_servers!(what_is_read_back_adds_up_as_what_is_made);

async fn what_is_read_back_adds_up_as_what_is_made(server: Server) {
    let (world, user, _) = world(server).await;
    let store = &world.store;
    run(store, false).await;
    let row = "account,date,type,amount,currency\nCash,2013-02-28,deposit,1,USD\n";
    world.transactions(user, row).await;
    let partly = run(store, false).await;
    let shown = store.figures("global", 0, "max").await.unwrap();
    let fully = run(store, true).await;
    assert_eq!(
        (partly.portfolios_skipped, fully.portfolios_skipped),
        (1, 0)
    );
    assert!(!fully.top.is_empty());
    let without_count = RefreshData {
        portfolios_skipped: 0,
        ..partly
    };
    assert_eq!(without_count, fully);
    let of = |text: &str| serde_json::from_str::<Value>(text).unwrap()["allocation"].clone();
    let again = store.figures("global", 0, "max").await.unwrap();
    assert_eq!(of(&shown.unwrap()), of(&again.unwrap()));
}

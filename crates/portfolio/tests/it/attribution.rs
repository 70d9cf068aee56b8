//! Attribution over a range, with real prices: a portfolio beside its plan and beside mixes of indices.

use jiff::civil::date;
use portfolio::analytics::{PerformanceRequest, performance, view, view_with_plan};
use portfolio::attribution::linked::LinkedAttribution;
use portfolio::store::Store;
use portfolio::targets::{Dimension, TargetPlan};

use crate::targets::{plan, target};
use crate::world::{Server, World, now, on_both_servers};

const LEDGER: &str = "account,date,type,symbol,quantity,price,amount,fee,currency
Main,2012-01-03,deposit,,,,60000,,USD
Main,2012-01-03,buy,IBM,100,186.30,,9.95,USD
Main,2012-01-03,buy,AAPL,50,411.23,,9.95,USD
Main,2012-06-01,withdrawal,,,,5000,,USD
Main,2012-07-02,sell,AAPL,20,592.52,,9.95,USD
Main,2012-07-02,buy,GOOG,10,580.47,,9.95,USD
";
/// As much of IBM as was deposited.
const ALL_IBM: &str = "account,date,type,symbol,quantity,price,amount,currency
Alone,2012-01-03,deposit,,,,18630,USD
Alone,2012-01-03,buy,IBM,100,186.30,,USD
";

async fn of_2012(store: &Store, user: i64, plan: &TargetPlan) -> LinkedAttribution {
    let view = view_with_plan(store, user, None, Some(date(2012, 12, 31)), plan).await;
    let view = view.unwrap();
    let found = view.attribution(&view.portfolios[0], date(2012, 1, 3));
    found.unwrap().unwrap()
}

on_both_servers!(effects_add_up_to_what_the_portfolio_did_otherwise);

async fn effects_add_up_to_what_the_portfolio_did_otherwise(server: Server) {
    let world = World::with_market(server).await;
    let user = world.user("a@b.c").await;
    let portfolio = world.portfolio(user, "Main", true, LEDGER).await;
    let shares = vec![target("IBM", "0.5", None), target("AAPL", "0.3", None)];
    let plan = plan(Dimension::Symbol, shares);
    world
        .store
        .put_targets(portfolio, &plan, now())
        .await
        .unwrap();

    let view = view(&world.store, user, None, Some(date(2012, 12, 31))).await;
    let view = view.unwrap();
    let found = view.attribution(&view.portfolios[0], date(2012, 1, 3));
    let found = found.unwrap().unwrap();
    assert_eq!(found, of_2012(&world.store, user, &plan).await);

    let request = PerformanceRequest {
        start: Some(found.from),
        end: Some(found.to),
        clock: now,
        ..PerformanceRequest::new(user)
    };
    let figures = performance(&world.store, &request, &mut |_| {})
        .await
        .unwrap();
    let twr = figures.data.portfolios[0].performance.periods[0]
        .figures
        .twr;
    let attribution = &found.attribution;
    assert!((attribution.portfolio_return - twr.unwrap()).abs() < 1e-12);
    let totals = attribution.totals;
    let sum = totals.allocation + totals.selection + totals.interaction + found.rest;
    assert!((sum - attribution.active_return).abs() < 1e-12, "{found:?}");
    assert!(found.rest.abs() < 1e-9, "{found:?}");

    let names: Vec<&str> = found.sides.keys().map(String::as_str).collect();
    assert_eq!(names, ["AAPL", "GOOG", "IBM", "cash"]);
    // Cash is a fifth of the mix and earns nothing there.
    let cash = found.sides["cash"];
    assert!((cash.benchmark_weight - 0.2).abs() < 1e-12 && cash.benchmark_return == 0.0);
    let weights: f64 = found.sides.values().map(|side| side.portfolio_weight).sum();
    assert!((weights - 1.0).abs() < 1e-9, "{weights}");
    // One asset cannot be picked better than itself, but where a fee is paid.
    let picked = attribution.groups["IBM"].selection;
    assert!(picked.abs() < 1e-3, "{picked}");
}

#[tokio::test]
async fn what_a_portfolio_holds_throughout_explains_all_of_it() {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user("a@b.c").await;
    world.portfolio(user, "Alone", false, ALL_IBM).await;
    let price_of = async |share| {
        let plan = plan(Dimension::Class, vec![target("equity", share, Some("IBM"))]);
        of_2012(&world.store, user, &plan).await
    };
    // The mix has IBM's dividends, which this portfolio does not book.
    let found = price_of("1").await;
    let attribution = &found.attribution;
    let (ours, mix) = (attribution.portfolio_return, attribution.benchmark_return);
    assert!((ours - (191.55 / 186.30 - 1.0)).abs() < 1e-12, "{ours}");
    assert!(mix - ours > 0.015 && mix - ours < 0.02, "{mix} {ours}");
    assert!((attribution.totals.selection - attribution.active_return).abs() < 1e-12);
    // Half of it in cash: what the other half made more is allocation.
    let half = price_of("0.5").await.attribution;
    assert!(half.groups["equity"].allocation > 0.0, "{half:?}");
    assert!(half.groups["cash"].allocation.is_finite(), "{half:?}");
}

#[tokio::test]
async fn what_cannot_be_compared_is_said() {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user("a@b.c").await;
    world.portfolio(user, "Main", false, LEDGER).await;
    let said = async |targets| {
        let plan = plan(Dimension::Class, targets);
        let to = Some(date(2012, 12, 31));
        let view = view_with_plan(&world.store, user, None, to, &plan).await;
        let view = view.unwrap();
        let found = view.attribution(&view.portfolios[0], date(2012, 1, 3));
        let issue = found.unwrap_err();
        assert_eq!(issue.code, "no_benchmark");
        issue.message
    };
    let nothing = said(vec![target("equity", "1", None)]).await;
    assert!(
        nothing.starts_with("no symbol says what equity returned"),
        "{nothing}"
    );
    let unknown = said(vec![target("equity", "1", Some("NONE"))]).await;
    assert_eq!(unknown, "asset NONE does not exist");
    world.asset("LATE").await;
    let unpriced = said(vec![target("equity", "1", Some("LATE"))]).await;
    assert!(unpriced.ends_with("on 2012-01-03"), "{unpriced}");
}

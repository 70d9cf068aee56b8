//! Performance on demand on both servers: ranges, named periods, where the profit came from, portfolios joined.

use jiff::civil::date;
use portfolio::analytics::{
    Envelope, PerformanceData, PerformanceRequest, Period, Status, performance,
};
use portfolio::store::Store;

use crate::world::{Server, World, now, on_both_servers};

const MAIN: &str = "account,date,type,symbol,quantity,price,amount,tax,currency
Main,2012-01-03,deposit,,,,20000,,USD
Main,2012-01-03,buy,IBM,100,186.30,,,USD
Main,2012-02-08,dividend,IBM,,,75,11.25,USD
";

const SECOND: &str = "account,date,type,symbol,quantity,price,amount,currency
Second,2012-06-01,deposit,,,,5000,USD
Second,2012-06-01,buy,GOOG,5,570.98,,USD
";

fn request(user_id: i64) -> PerformanceRequest {
    PerformanceRequest {
        end: Some(date(2012, 12, 31)),
        clock: now,
        ..PerformanceRequest::new(user_id)
    }
}

async fn ask(store: &Store, request: &PerformanceRequest) -> Envelope<PerformanceData> {
    performance(store, request, &mut |_| {}).await.unwrap()
}

on_both_servers!(portfolios_are_joined_and_a_later_account_is_an_inflow);

async fn portfolios_are_joined_and_a_later_account_is_an_inflow(server: Server) {
    let world = World::with_market(server).await;
    let user = world.user("a@b.c").await;
    let first = world.portfolio(user, "Main", false, MAIN).await;
    world.portfolio(user, "Second", false, SECOND).await;
    let wanted = PerformanceRequest {
        periods: Some(vec![Period::Max, Period::SixMonths]),
        ..request(user)
    };
    let answer = ask(&world.store, &wanted).await;
    assert_eq!(answer.status, Status::Success, "{:?}", answer.errors);
    let [main, second] = answer.data.portfolios.as_slice() else {
        panic!("two portfolios")
    };
    let combined = answer.data.combined.as_ref().unwrap();
    let of = |performance: &portfolio::analytics::Performance| performance.periods[0].clone();
    let (main, second, joined) = (of(&main.performance), of(&second.performance), of(combined));
    assert_eq!(
        joined.figures.nav_end,
        main.figures.nav_end + second.figures.nav_end
    );
    assert_eq!(joined.figures.inflows.to_string(), "25000");
    assert_eq!(joined.gains.total, main.gains.total + second.gains.total);
    assert_eq!(combined.periods[1].period, "6m");
    // Money that joins later is no return.
    let grown = joined.figures.twr.unwrap();
    assert!(grown.abs() < 0.1, "{grown}");

    let again = ask(&world.store, &wanted).await;
    let again = &again.data.combined.unwrap().periods[0];
    assert_eq!(again.gains, joined.gains);
    let alone = PerformanceRequest {
        portfolio_id: Some(first),
        ..wanted
    };
    let alone = ask(&world.store, &alone).await;
    assert_eq!(
        (alone.data.portfolios.len(), alone.data.combined),
        (1, None)
    );
}

#[tokio::test]
async fn a_profit_is_split_into_price_dividend_and_currency() {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user("a@b.c").await;
    world.portfolio(user, "Main", false, MAIN).await;
    let wanted = PerformanceRequest {
        start: Some(date(2012, 1, 2)),
        benchmark: Some("AAPL".to_owned()),
        rolling: vec![21],
        ..request(user)
    };
    let answer = ask(&world.store, &wanted).await;
    let period = &answer.data.portfolios[0].performance.periods[0];
    let split = &period.gains.by_holding["IBM"];
    // 186.30 to 191.55, and 75 less 11.25 withheld.
    assert_eq!(split.price.to_string(), "525");
    assert_eq!(split.dividends.to_string(), "63.75");
    assert_eq!(split.currency.to_string(), "0");
    assert_eq!(split.total, period.gains.total);
    assert_eq!(period.gains.cash.total.to_string(), "0");
    let stats = period.figures.stats.as_ref().unwrap();
    assert!(stats.benchmark.is_some(), "there is a benchmark");
    assert_eq!(
        period.figures.rolling[&21].count,
        period.figures.grid_points - 20
    );
}

#[tokio::test]
async fn what_currencies_made_is_told_apart() {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user_in("a@b.c", "EUR").await;
    world.portfolio(user, "Main", false, MAIN).await;
    let wanted = PerformanceRequest {
        periods: Some(vec![Period::Max]),
        ..request(user)
    };
    let answer = ask(&world.store, &wanted).await;
    let combined = &answer.data.combined.as_ref().unwrap().periods[0];
    assert_eq!(
        answer
            .data
            .combined
            .as_ref()
            .unwrap()
            .base_currency
            .to_string(),
        "EUR"
    );
    let split = &combined.gains.by_holding["IBM"];
    assert!(!split.currency.is_zero());
    assert_eq!(split.price + split.dividends + split.currency, split.total);
    let cash = &combined.gains.cash;
    assert!(
        !cash.currency.is_zero(),
        "dollars in cash have a price in euros"
    );
    assert_eq!(
        combined.gains.holdings.total + cash.total,
        combined.gains.total
    );
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user("a@b.c").await;
    let empty = ask(&world.store, &request(user)).await;
    assert_eq!((empty.status, empty.data.combined), (Status::Empty, None));
    let backwards = PerformanceRequest {
        start: Some(date(2013, 1, 1)),
        ..request(user)
    };
    let text = refusal(&world.store, backwards).await;
    assert!(
        text.contains("start = 2013-01-01: must not be after end"),
        "{text}"
    );
    let far = PerformanceRequest {
        end: Some(date(9999, 12, 31)),
        ..request(user)
    };
    let text = refusal(&world.store, far).await;
    assert!(
        text.contains("end = 9999-12-31: must not be in the future"),
        "{text}"
    );
    let text = refusal(&world.store, request(77)).await;
    assert!(text.contains("user 77 does not exist"), "{text}");
    let unknown = PerformanceRequest {
        benchmark: Some("NONE".to_owned()),
        ..request(user)
    };
    let text = refusal(&world.store, unknown).await;
    assert!(text.contains("asset NONE does not exist"), "{text}");
}

async fn refusal(store: &Store, request: PerformanceRequest) -> String {
    let refused = performance(store, &request, &mut |_| {}).await;
    refused.unwrap_err().to_string()
}

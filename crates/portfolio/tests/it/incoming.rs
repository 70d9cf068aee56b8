//! What providers bring, on both servers.

use jiff::{SignedDuration, Timestamp};
use portfolio::decimal::Decimal;
use portfolio::market::{Action, ActionKind};
use portfolio::store::{Mark, NewBars, NewFacts, NewQuote, PriceRow, RateRow, Written};

use crate::world::{Server, World, now, on_both_servers};

fn bar(date: &str, close: &str) -> PriceRow {
    PriceRow {
        date: date.parse().unwrap(),
        open: None,
        high: None,
        low: None,
        close: close.parse().unwrap(),
        volume: Some(1),
    }
}

fn bars<'a>(asset_id: i64, prices: &'a [PriceRow], actions: &'a [Action]) -> NewBars<'a> {
    NewBars {
        asset_id,
        prices,
        adjusted: false,
        actions,
        source: "test",
    }
}

on_both_servers!(bars_are_counted_and_equal_ones_left_alone);

async fn bars_are_counted_and_equal_ones_left_alone(server: Server) {
    let world = World::empty(server).await;
    let asset = world.asset("IBM").await;
    let split = Action {
        ex_date: "2013-03-01".parse().unwrap(),
        kind: ActionKind::Split,
        value: Decimal::from_int(2),
        currency: None,
    };
    let first = [bar("2013-02-28", "200.83"), bar("2013-03-01", "202.91")];
    let written = world
        .store
        .put_bars(&bars(asset, &first, &[split]), now())
        .await;
    let counts = |inserted, updated, unchanged, actions| Written {
        inserted,
        updated,
        unchanged,
        actions,
    };
    assert_eq!(written.unwrap(), counts(2, 0, 0, 1));
    let again = [
        bar("2013-02-28", "200.83"),
        bar("2013-03-01", "202.9"),
        bar("2013-03-04", "1"),
    ];
    let written = world.store.put_bars(&bars(asset, &again, &[]), now()).await;
    assert_eq!(written.unwrap(), counts(1, 1, 1, 0));

    let adjusted = NewBars {
        adjusted: true,
        ..bars(asset, &first, &[])
    };
    let written = world.store.put_bars(&adjusted, now()).await;
    assert_eq!(written.unwrap(), counts(0, 0, 2, 0));
    let before = world
        .store
        .close_before(asset, "2013-03-04".parse().unwrap())
        .await;
    assert_eq!(before.unwrap(), Some("202.9".parse().unwrap()));
    let days = world
        .store
        .price_days(
            asset,
            "2013-03-01".parse().unwrap(),
            "2013-03-03".parse().unwrap(),
        )
        .await;
    assert_eq!(days.unwrap().len(), 1);
}

on_both_servers!(an_older_quote_never_replaces_a_newer_one);

async fn an_older_quote_never_replaces_a_newer_one(server: Server) {
    let world = World::empty(server).await;
    let asset_id = world.asset("IBM").await;
    let put = async |price: &str, at: Timestamp, now: Timestamp| {
        let quote = NewQuote {
            asset_id,
            price: price.parse().unwrap(),
            previous_close: None,
            session: "regular",
            quoted_at: at,
            source: "test",
        };
        world.store.put_quote(&quote, now).await.unwrap()
    };
    let minute = SignedDuration::from_secs(60);
    assert!(put("200", now(), now()).await);
    assert!(!put("200", now(), now() + minute).await);
    assert!(!put("199", now() - minute, now() + minute).await);
    assert!(
        put(
            "201",
            now() + SignedDuration::from_millis(1500),
            now() + minute
        )
        .await
    );
    let fresh = world.store.quoted_since(now()).await.unwrap();
    assert!(fresh.contains(&asset_id));
    assert!(
        world
            .store
            .quoted_since(now() + minute)
            .await
            .unwrap()
            .is_empty()
    );
}

on_both_servers!(questions_are_remembered_one_of_a_kind);

async fn questions_are_remembered_one_of_a_kind(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let mark = Mark {
        etag: Some("\"e1\"".to_owned()),
        next_allowed_at: Some(now()),
        ..Mark::default()
    };
    for key in ["daily:IBM:1", "daily:AAPL:1", "daily:IBM:2"] {
        let kind = &key[..key.len() - 1];
        store
            .put_mark("p", (kind, key), &mark, now())
            .await
            .unwrap();
    }
    assert_eq!(
        store.mark("p", "daily:IBM:1").await.unwrap(),
        Mark::default()
    );
    assert_eq!(store.mark("p", "daily:IBM:2").await.unwrap(), mark);
    assert_eq!(store.mark("p", "daily:AAPL:1").await.unwrap(), mark);
    assert_eq!(
        store.mark("q", "daily:AAPL:1").await.unwrap(),
        Mark::default()
    );
}

on_both_servers!(what_is_held_follows_the_rows);

async fn what_is_held_follows_the_rows(server: Server) {
    let world = World::empty(server).await;
    let (ibm, aapl) = (world.asset("IBM").await, world.asset("AAPL").await);
    world.asset("GOOG").await;
    let user = world.user("a@b.c").await;
    let portfolio = world
        .portfolio(
            user,
            "P",
            false,
            "external_id,account,type,date,symbol,quantity,price,amount,currency\n\
             1,P,deposit,2013-01-02,,,,10000,USD\n\
             2,P,buy,2013-01-03,IBM,10,100,,USD\n\
             3,P,buy,2013-01-04,AAPL,0.3,100,,USD\n\
             4,P,sell,2013-01-07,AAPL,0.1,100,,USD\n\
             5,P,sell,2013-01-08,AAPL,0.2,100,,USD\n",
        )
        .await;
    let held = async || {
        let held = world.store.held().await.unwrap();
        held.iter()
            .map(|held| (held.portfolio_id, held.asset_id))
            .collect::<Vec<_>>()
    };
    assert_eq!(held().await, [(portfolio, ibm)]);
    let split = Action {
        ex_date: "2013-01-07".parse().unwrap(),
        kind: ActionKind::Split,
        value: Decimal::from_int(2),
        currency: None,
    };
    world
        .store
        .put_bars(&bars(aapl, &[], &[split]), now())
        .await
        .unwrap();
    assert_eq!(held().await, [(portfolio, ibm), (portfolio, aapl)]);
    let codes = world.store.currencies().await.unwrap();
    assert_eq!(
        codes.into_iter().collect::<Vec<_>>(),
        ["USD".parse().unwrap()]
    );
}

on_both_servers!(facts_fill_what_is_empty);

async fn facts_fill_what_is_empty(server: Server) {
    let world = World::empty(server).await;
    let asset = world.asset("IBM").await;
    world.asset("AAPL").await;
    let facts = NewFacts {
        name: Some("International Business Machines"),
        sector: Some("Technology"),
        isin: Some("US4592001014"),
        info: "{\"name\": \"x\"}",
        ..NewFacts::default()
    };
    world.store.put_facts(asset, &facts, now()).await.unwrap();
    world
        .store
        .put_facts(
            asset,
            &NewFacts {
                sector: Some("Other"),
                ..facts
            },
            now(),
        )
        .await
        .unwrap();
    world
        .prices(asset, "date,close\n2013-02-28,200.83\n2013-03-01,202.91\n")
        .await;
    let listings = world.store.listings().await.unwrap();
    let found = listings.iter().find(|listing| listing.id == asset).unwrap();
    assert_eq!(found.info_fetched_at, Some(now()));
    assert!(found.info.as_deref().unwrap().contains("name"));
    assert_eq!(
        (found.first_price, found.last_price),
        ("2013-02-28".parse().ok(), "2013-03-01".parse().ok())
    );
    let market = world.store.market(&[asset]).await.unwrap();
    assert_eq!(market.assets()[0].sector.as_deref(), Some("Technology"));
}

on_both_servers!(equal_rates_are_left_alone);

async fn equal_rates_are_left_alone(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let rate = |date: &str, rate: &str| RateRow {
        currency: "USD".parse().unwrap(),
        date: date.parse().unwrap(),
        rate: rate.parse().unwrap(),
    };
    let rows = [rate("2013-02-28", "1.3129"), rate("2013-03-01", "1.3000")];
    assert_eq!(store.put_rate_rows(&rows, "test").await.unwrap(), 2);
    let rows = [rate("2013-02-28", "1.3129"), rate("2013-03-01", "1.3001")];
    assert_eq!(store.put_rate_rows(&rows, "test").await.unwrap(), 1);
}

//! Ledgers whose rows come in another order, twice, or in two files: the same rows make the same ledger and the same figures.

use jiff::civil::date;
use portfolio::analytics::{Performance, PerformanceRequest, Period, Status, performance};

use crate::world::{Server, World, now, on_both_servers};

const HEADER: &str =
    "account,date,type,symbol,quantity,price,amount,fee,currency,external_id,executed_at\n";
/// Every kind of order that matters: a split of 2000 and of 2012 between purchases, a sale on the day of its purchase.
const ROWS: [&str; 8] = [
    "Main,2004-06-01,deposit,,,,40000,,USD,D-1,",
    "Main,2004-06-02,buy,AAPL,100,28.89,,9.95,USD,B-1,",
    "Main,2005-03-01,buy,AAPL,50,44.50,,9.95,USD,B-2,",
    "Main,2006-01-03,buy,IBM,100,82.06,,9.95,USD,B-3,2006-01-03T15:00:00Z",
    "Main,2006-01-03,sell,IBM,40,82.50,,9.95,USD,S-1,2006-01-03T19:00:00Z",
    "Main,2007-05-01,sell,AAPL,120,99.47,,9.95,USD,S-2,",
    "Main,2008-01-02,withdrawal,,,,5000,,USD,W-1,",
    "Main,2009-01-02,interest,,,,12.40,,USD,I-1,",
];

/// The rows as a file, in this order.
fn file<'r>(rows: impl IntoIterator<Item = &'r &'r str>) -> String {
    let rows: Vec<&str> = rows.into_iter().copied().collect();
    format!("{HEADER}{}\n", rows.join("\n"))
}

async fn figures(world: &World, user_id: i64) -> Performance {
    let request = PerformanceRequest {
        periods: Some(vec![Period::Max, Period::OneYear]),
        end: Some(date(2010, 12, 31)),
        clock: now,
        ..PerformanceRequest::new(user_id)
    };
    let answer = performance(&world.store, &request, &mut |_| {}).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, Status::Success, "{:?}", answer.errors);
    let [portfolio] = answer.data.portfolios.as_slice() else {
        panic!("one portfolio each")
    };
    portfolio.performance.clone()
}

on_both_servers!(rows_in_any_order_make_the_same_ledger_and_figures);

async fn rows_in_any_order_make_the_same_ledger_and_figures(server: Server) {
    let world = World::with_market(server).await;
    let (in_order, reversed) = (file(&ROWS), file(ROWS.iter().rev()));
    let (late, early) = (file(&ROWS[3..]), file(&ROWS[..3]));
    let ada = world.user("ada@example.org").await;
    world.portfolio(ada, "Main", true, &in_order).await;
    let expected = figures(&world, ada).await;
    assert!(!expected.periods[0].figures.nav_end.is_zero());
    let bruno = world.user("bruno@example.org").await;
    world.portfolio(bruno, "Main", true, &reversed).await;
    assert_eq!(figures(&world, bruno).await.periods, expected.periods);
    // What came last happened first.
    let clara = world.user("clara@example.org").await;
    world.portfolio(clara, "Main", true, HEADER).await;
    for part in [late, early] {
        assert_eq!(world.transactions(clara, &part).await.bad_rows, []);
    }
    assert_eq!(figures(&world, clara).await.periods, expected.periods);
}

on_both_servers!(the_same_external_id_is_one_row_however_often_it_comes);

async fn the_same_external_id_is_one_row_however_often_it_comes(server: Server) {
    let world = World::with_market(server).await;
    let ada = world.user("ada@example.org").await;
    let twice: Vec<&str> = ROWS.iter().chain(&ROWS).copied().collect();
    world.portfolio(ada, "Main", true, HEADER).await;
    let report = world.transactions(ada, &file(&twice)).await;
    assert_eq!((report.rows, report.written, report.unchanged), (16, 8, 8));
    let once = figures(&world, ada).await;
    let again = world.transactions(ada, &file(ROWS.iter().rev())).await;
    assert_eq!((again.written, again.unchanged, again.bad), (0, 8, 0));
    let unchanged = figures(&world, ada).await;
    for (before, after) in once.periods.iter().zip(&unchanged.periods) {
        assert_eq!(before.gains, after.gains);
        assert_eq!(before.figures.nav_end, after.figures.nav_end);
    }
}

//! The sample: installed again and again it is the same, and its figures are complete and consistent.

use portfolio::analytics::{RefreshRequest, Status, refresh, summary};
use portfolio::demo::{DemoFiles, install};

use crate::world::{Server, World, now, on_both_servers};

on_both_servers!(the_demo_installs_once_and_refreshes_without_an_error);

async fn the_demo_installs_once_and_refreshes_without_an_error(server: Server) {
    let world = World::empty(server).await;
    let first = install(&world.store, &DemoFiles::from_env(), now(), &mut |_| {})
        .await
        .unwrap();
    assert!(
        first
            .iter()
            .all(|(_, report)| report.bad == 0 && report.written == report.rows),
        "{first:#?}"
    );
    let again = install(&world.store, &DemoFiles::from_env(), now(), &mut |_| {})
        .await
        .unwrap();
    assert!(
        again.iter().all(|(_, report)| report.bad == 0
            && report.written == 0
            && report.unchanged == report.rows),
        "{again:#?}"
    );

    let request = RefreshRequest {
        clock: now,
        ..RefreshRequest::new("demo")
    };
    let result = refresh(&world.store, &request, &mut |_| {}, &|| false)
        .await
        .unwrap();
    assert_eq!((result.status, result.errors), (Status::Success, vec![]));
    assert_eq!(result.warnings, []);
    assert_eq!((result.data.portfolios, result.data.users), (3, 2));
    assert_eq!(result.data.totals.len(), 2);
    let rows = summary(&world.store, None).await.unwrap();
    assert_eq!(rows.len(), 24);
    for row in &rows {
        assert!(row.nav.unwrap().is_positive(), "{row:?}");
        let figures = [row.twr, row.xirr, row.volatility, row.max_drawdown];
        assert!(figures.iter().all(Option::is_some), "{row:?}");
    }
    for row in rows.iter().filter(|row| row.period == "max") {
        println!(
            "{} {} {} twr {:.4} xirr {:.4}",
            row.portfolio,
            row.nav.unwrap(),
            row.base_currency,
            row.twr.unwrap(),
            row.xirr.unwrap()
        );
    }
}

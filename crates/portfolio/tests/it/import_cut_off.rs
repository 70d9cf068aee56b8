//! Files that end too early: what is left of a row is not taken for the whole row.

use jiff::civil::date;
use portfolio::import::{ImportReport, PriceImport, Source, import_prices};

use crate::world::{Server, World, now};

const HEADER: &str = "date,open,high,low,close,volume\n2010-03-01,127,129,126,128.57,700\n";

async fn import(world: &World, rows: &str) -> portfolio::error::Result<ImportReport> {
    let text = format!("{HEADER}{rows}");
    let source = Source {
        name: "IBM.csv",
        bytes: text.as_bytes(),
        now: now(),
    };
    let import = PriceImport {
        asset_id: world.asset("IBM").await,
        source: "csv",
    };
    import_prices(&world.store, source, import, &mut |_| {}).await
}

#[tokio::test]
async fn a_row_that_the_end_of_the_file_cuts_off_is_refused() {
    let world = World::empty(Server::Sqlite).await;
    // A price of 12, had there been more of it.
    let report = import(&world, "2010-03-02,128,129,12,12").await.unwrap();
    assert_eq!((report.rows, report.written, report.bad), (2, 1, 1));
    assert_eq!(
        report.bad_rows[0].to_string(),
        "line 3: row = \"\" the file ends in the middle of this row: is all of it there?"
    );
    let newest = world.store.newest_price().await.unwrap();
    assert_eq!(newest, Some(date(2010, 3, 1)));
}

#[tokio::test]
async fn rows_that_end_are_taken_with_and_without_their_last_cells() {
    let world = World::empty(Server::Sqlite).await;
    for last in [
        "2010-03-02,128,129,127,128.50,800",
        "2010-03-03,128,129,127,128.50\n",
        "2010-03-04,128,129,127,128.50\r\n",
        "2010-03-05,128,129,127,128.50,\n\n",
    ] {
        let report = import(&world, last).await.unwrap();
        assert_eq!((report.rows, report.bad), (2, 0), "{last:?}: {report:?}");
    }
    let newest = world.store.newest_price().await.unwrap();
    assert_eq!(newest, Some(date(2010, 3, 5)));
}

#[tokio::test]
async fn a_quote_that_swallows_the_following_rows_is_an_error() {
    let world = World::empty(Server::Sqlite).await;
    let rows = "2010-03-02,128,129,127,128.50,\"800\n2010-03-03,128,129,127,128.50,900\n";
    let error = import(&world, rows).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "IBM.csv: a quote in the row that begins in line 3 is never closed"
    );
    assert_eq!(world.store.newest_price().await.unwrap(), None);
}

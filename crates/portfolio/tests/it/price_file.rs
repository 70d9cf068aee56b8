//! The file of prices beside a SQLite database: whatever it is, results are those of the database.

use std::fs;
use std::path::PathBuf;

use jiff::SignedDuration;
use portfolio::analytics::{Envelope, RefreshData, RefreshRequest, Status, refresh};

use crate::world::{Server, World, now};

const ROWS: &str = "\
account,date,type,symbol,quantity,price,amount,currency
Tech,2008-03-03,deposit,,,,100000,USD
Tech,2008-03-05,buy,AAPL,200,122,,USD
Tech,2010-03-08,buy,IBM,100,126.5,,USD
";

async fn world() -> (World, PathBuf) {
    let world = World::with_market(Server::Sqlite).await;
    let user = world.user("ada@example.org").await;
    world.portfolio(user, "Tech", true, ROWS).await;
    let file = PathBuf::from(format!("{}.prices", world.store.name()));
    (world, file)
}

async fn run(world: &World, as_of: &str) -> Envelope<RefreshData> {
    let request = RefreshRequest {
        clock: || "2013-04-02T00:00:00Z".parse().unwrap(),
        as_of: Some(as_of.parse().unwrap()),
        full: true,
        ..RefreshRequest::new("task-1")
    };
    let done = refresh(&world.store, &request, &mut |_| {}, &|| false).await;
    done.unwrap()
}

#[tokio::test]
async fn a_damaged_file_is_named_once_and_made_again() {
    let (world, file) = world().await;
    let first = run(&world, "2013-02-28").await;
    assert!(first.warnings.is_empty(), "{:?}", first.warnings);
    let damages: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| *bytes = b"<html>".to_vec(),
        Vec::clear,
    ];
    for damage in damages {
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        fs::write(&file, bytes).unwrap();
        let with_damaged = run(&world, "2013-02-28").await;
        let codes: Vec<&str> = with_damaged
            .warnings
            .iter()
            .map(|warning| warning.code.as_str())
            .collect();
        assert_eq!(
            (with_damaged.status, codes),
            (Status::Success, vec!["price_file"])
        );
        let again = run(&world, "2013-02-28").await;
        assert!(again.warnings.is_empty(), "{:?}", again.warnings);
        for data in [with_damaged.data, again.data] {
            assert_eq!(data, first.data);
        }
    }
}

#[tokio::test]
async fn another_databases_file_is_not_taken() {
    let ((world, file), (other, others)) = (world().await, world().await);
    let first = run(&world, "2013-02-28").await;
    let aapl = other.asset("AAPL").await;
    other
        .prices_at(aapl, "date,close\n2013-02-28,1\n", now())
        .await;
    run(&other, "2013-02-28").await;
    fs::copy(others, &file).unwrap();
    let again = run(&world, "2013-02-28").await;
    assert_eq!((again.data, again.warnings), (first.data, first.warnings));
}

#[tokio::test]
async fn prices_written_since_are_added_or_read_anew() {
    let (world, file) = world().await;
    let aapl = world.asset("AAPL").await;
    let mut before = run(&world, "2013-02-28").await.data;
    let writes = [
        "date,close\n2013-03-04,420\n2013-03-05,431\n",
        "date,close\n2013-03-04,421\n",
        "date,close\n2013-03-06,430\n2012-06-01,1\n",
        "date,close\n2013-03-07,429\n",
    ];
    for (turn, text) in (1..).zip(writes) {
        let later = now() + SignedDuration::from_secs(turn);
        world.prices_at(aapl, text, later).await;
        let with_file = run(&world, "2013-03-07").await.data;
        fs::remove_file(&file).unwrap();
        let without = run(&world, "2013-03-07").await.data;
        assert_eq!(with_file, without, "{text}");
        assert!(file.exists());
        assert_eq!(before.totals == with_file.totals, turn == 2, "{text}");
        before = with_file;
    }
}

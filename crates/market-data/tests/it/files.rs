//! The folder provider on real files: CSV and Parquet, changed, damaged and far too large.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use market_data::{Daily, Error, Fetched, Provider, Providers, RatesRequest, Validators, Window};
use parquet::data_type::{ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::json;
use tempfile::TempDir;

use crate::fixtures;

fn folder(root: &Path) -> Arc<dyn Provider> {
    let providers =
        Providers::from_settings(json!({"folder": root}), Path::new("/nowhere")).unwrap();
    Arc::clone(providers.named("folder").unwrap())
}

fn window(from: &str, to: &str) -> Window {
    Window {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

async fn daily(root: &TempDir, symbol: &str) -> Result<Daily, Error> {
    let window = window("2005-02-23", "2005-03-02");
    match folder(root.path())
        .daily(symbol, window, &Validators::default())
        .await?
    {
        Fetched::New(daily, _) => Ok(daily),
        Fetched::NotModified => panic!("nothing was known"),
    }
}

#[tokio::test]
async fn real_files_are_read() {
    let root = TempDir::new().unwrap();
    fs::create_dir_all(root.path().join("prices")).unwrap();
    fs::create_dir_all(root.path().join("fx")).unwrap();
    for file in ["prices/AAPL.csv", "corporate_actions.csv", "fx/ecb_eur.csv"] {
        fs::write(root.path().join(file), fixtures::data(file)).unwrap();
    }
    fs::write(
        root.path().join("assets.csv"),
        "symbol,currency,name,isin\nAAPL,USD,Apple Inc.,US0378331005\n",
    )
    .unwrap();
    let found = daily(&root, "AAPL").await.unwrap();
    assert_eq!(
        (found.bars.len(), found.dropped, found.adjusted),
        (6, 0, false)
    );
    assert_eq!(found.bars[5].close.to_string(), "44.121");
    assert_eq!(
        (
            found.actions.len(),
            found.actions[0].value.to_string().as_str()
        ),
        (1, "2")
    );

    let provider = folder(root.path());
    let request = RatesRequest {
        base: "EUR".parse().unwrap(),
        quotes: vec!["USD".parse().unwrap()],
        window: window("2005-02-23", "2005-03-02"),
    };
    let Fetched::New(rates, _) = provider
        .rates(&request, &Validators::default())
        .await
        .unwrap()
    else {
        panic!("new")
    };
    assert_eq!(
        (rates.len(), rates[0].rate.to_string().as_str()),
        (6, "1.3203")
    );
    let info = provider.info("AAPL").await.unwrap();
    assert_eq!(
        (info.name.as_deref(), info.isin.as_deref()),
        (Some("Apple Inc."), Some("US0378331005"))
    );
    let quote = provider.quote("AAPL").await.unwrap();
    assert_eq!(quote.quoted_at.to_string(), "2013-03-02T00:00:00Z");
    assert_eq!(provider.info("GOOG").await.unwrap_err().code(), "not_found");
    assert_eq!(
        provider.quote("GOOG").await.unwrap_err().code(),
        "not_found"
    );
}

#[tokio::test]
async fn a_file_is_read_again_only_when_it_has_changed() {
    let root = TempDir::new().unwrap();
    let (path, span) = (
        root.path().join("X.csv"),
        window("2005-02-23", "2005-03-02"),
    );
    fs::write(&path, "date,close\n2005-02-23,1\n").unwrap();
    let provider = folder(root.path());
    let Fetched::New(_, stamp) = provider
        .daily("X", span, &Validators::default())
        .await
        .unwrap()
    else {
        panic!("new")
    };
    assert!(matches!(
        provider.daily("X", span, &stamp).await.unwrap(),
        Fetched::NotModified
    ));
    fs::write(&path, "date,close\n2005-02-23,1.25\n").unwrap();
    assert!(matches!(
        provider.daily("X", span, &stamp).await.unwrap(),
        Fetched::New(..)
    ));
}

#[tokio::test]
async fn names_that_are_no_symbols_lead_nowhere() {
    let root = TempDir::new().unwrap();
    fs::write(root.path().join("secret.csv"), "date,close\n2005-02-23,1\n").unwrap();
    let inner = root.path().join("inner");
    fs::create_dir(&inner).unwrap();
    for symbol in ["../secret", "secret", "", ".", "A/B", "A\0"] {
        let error = folder(&inner).quote(symbol).await.unwrap_err();
        assert_eq!(error.code(), "not_found", "{symbol:?}");
    }
}

#[tokio::test]
async fn bad_rows_are_counted_and_bad_files_refused() {
    let root = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(root.path().join(format!("{name}.csv")), bytes).unwrap()
    };
    write(
        "SOME",
        b"date,close\n2005-02-23,NaN\n2005-02-24,0\n2005-02-25,-1\n2005-02-28,1.5\n",
    );
    let found = daily(&root, "SOME").await.unwrap();
    assert_eq!((found.bars.len(), found.dropped), (1, 3));
    write("NONE", b"date,close\n2005-02-23,cheap\n");
    write("UTF16", b"\xff\xfed\0a\0t\0e\0");
    write("LINE", &vec![b'x'; 200_000]);
    write("HTML", b"<html><body>moved</body></html>\n");
    for symbol in ["NONE", "UTF16", "LINE", "HTML"] {
        assert_eq!(
            daily(&root, symbol).await.unwrap_err().code(),
            "bad_payload",
            "{symbol}"
        );
    }
}

#[tokio::test]
async fn ten_gigabytes_are_not_read() {
    let root = TempDir::new().unwrap();
    for kind in ["csv", "parquet"] {
        let symbol = kind.to_uppercase();
        let file = File::create(root.path().join(format!("{symbol}.{kind}"))).unwrap();
        // Sparse: it takes no room.
        file.set_len(10 << 30).unwrap();
        let error = daily(&root, &symbol).await.unwrap_err();
        assert!(error.to_string().contains("split it"), "{error}");
    }
}

/// Writes dates as days, a close as text, an open as float and a volume.
fn write_parquet(path: &Path) {
    let schema = "message bars { required int32 date (DATE); optional double open; required binary close (UTF8); optional int64 volume; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(path).unwrap();
    let mut writer =
        SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::builder().build()))
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    macro_rules! column {
        ($type:ty, $values:expr, $levels:expr) => {
            let mut column = group.next_column().unwrap().unwrap();
            column
                .typed::<$type>()
                .write_batch($values, $levels, None)
                .unwrap();
            column.close().unwrap();
        };
    }
    // Days since 1970: 2005-02-23, 24 and 25.
    column!(Int32Type, &[12837, 12838, 12839], None);
    column!(DoubleType, &[86.69, 0.1], Some(&[1, 0, 1]));
    column!(
        ByteArrayType,
        &["88.23".into(), "88.93".into(), "0".into()],
        None
    );
    column!(Int64Type, &[24_021_100, 27_125_500, 1], Some(&[1, 1, 1]));
    group.close().unwrap();
    writer.close().unwrap();
}

#[tokio::test]
async fn parquet_is_read_and_a_truncated_one_refused() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("AAPL.parquet");
    write_parquet(&path);
    let found = daily(&root, "AAPL").await.unwrap();
    assert_eq!((found.bars.len(), found.dropped), (2, 1));
    let first = &found.bars[0];
    assert_eq!(first.date.to_string(), "2005-02-23");
    assert_eq!(
        (first.open.unwrap().to_string(), first.close.to_string()),
        ("86.69".to_owned(), "88.23".to_owned())
    );
    assert_eq!(first.volume, Some(24_021_100));
    assert_eq!(found.bars[1].open, None);

    let whole = fs::read(&path).unwrap();
    for part in [whole.len() - 1, whole.len() / 2, 4, 0] {
        fs::write(&path, &whole[..part]).unwrap();
        assert_eq!(
            daily(&root, "AAPL").await.unwrap_err().code(),
            "bad_payload",
            "{part} bytes"
        );
    }
    // A byte flipped anywhere is told or harmless, never a crash.
    for place in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        if let Err(error) = daily(&root, "AAPL").await {
            assert_eq!(error.code(), "bad_payload", "byte {place}: {error}");
        }
    }
}

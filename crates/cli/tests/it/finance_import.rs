//! `celeriac finance import-prices` and `import-transactions` with what people and programs get wrong.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use crate::ledgers::{LEDGER, import, two_users};
use crate::sandbox::{Sandbox, stderr, stdout};

const HEAD: &str = "account,date,type,symbol,quantity,price,amount,fee,tax,currency,external_id\n";

fn performance(sandbox: &Sandbox) -> serde_json::Value {
    let range = ["--start", "2010-02-28", "--end", "2010-03-31"];
    let command = ["finance", "calculate-performance", "-u", "1"];
    let answer = sandbox.json(&[&command[..], &range[..]].concat());
    answer["data"]["portfolios"][0]["performance"]["periods"][0].clone()
}

#[tokio::test]
async fn every_bad_row_is_named_and_the_good_ones_are_kept() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    let rows = "Main,2010-03-01,deposit,,,,100,,,USD,D-1\n\
        Other,2010-03-01,deposit,,,,100,,,USD,D-2\n\
        Main,2010-03-02,buy,IBM,1,NaN,,,,USD,B-1\n\
        Main,2010-03-02,buy,IBM,0,10,,,,USD,B-2\n\
        Main,2010-02-30,buy,IBM,1,10,,,,USD,B-3\n\
        Main,2010-03-02,buy,../../etc/passwd,1,10,,,,USD,B-4\n\
        Main,2010-03-02,gift,IBM,1,10,,,,USD,B-5\n\
        Main,2010-03-01,deposit,,,,100,,,USD,D-1\n";
    let file = sandbox.file("bad.csv", &format!("{HEAD}{rows}"));
    let command = ["finance", "import-transactions", "--user", "1"];
    let refused = sandbox.run(&[&command[..], &[file.to_str().unwrap()]].concat());
    let text = stdout(&refused.code(1));
    let expected = [
        "8 rows: 1 written, 1 unchanged, 6 refused",
        "line 3: account = \"Other\" is not an account of this user, who has Main",
        "line 4: price = \"NaN\"",
        "line 5: quantity = \"0\" must be above zero",
        "line 6: date = \"2010-02-30\"",
        "line 7: symbol = \"../../etc/passwd\" is not a known asset",
        "line 8: type = \"gift\" is not a type of transaction",
    ];
    for line in expected {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
}

#[tokio::test]
async fn the_order_of_rows_and_repeats_change_nothing() {
    let (sandbox, other) = (Sandbox::new(), Sandbox::new());
    two_users(&sandbox).await;
    two_users(&other).await;
    assert_eq!(import(&sandbox, LEDGER)["written"], 3);
    assert_eq!(import(&sandbox, LEDGER)["unchanged"], 3);

    let mut rows: Vec<&str> = LEDGER.lines().collect();
    rows[1..].reverse();
    rows.push(rows[1]);
    let report = import(&other, &format!("{}\n", rows.join("\n")));
    assert_eq!(
        (&report["written"], &report["unchanged"]),
        (&3.into(), &1.into())
    );
    let found = performance(&sandbox);
    assert_eq!(found["figures"]["nav_end"], "15184.9");
    assert_eq!(found, performance(&other));
}

#[tokio::test]
async fn selling_more_than_is_held_stops_one_portfolio_and_says_which_row() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    import(&sandbox, LEDGER);
    let sale = "Main,2010-03-10,sell,IBM,101,130,,,,USD,S-1\n";
    assert_eq!(import(&sandbox, &format!("{HEAD}{sale}"))["written"], 1);
    let command = [
        "finance",
        "calculate-performance",
        "-u",
        "1",
        "--end",
        "2010-03-31",
    ];
    let text = stderr(&sandbox.run(&command).code(1));
    assert!(text.contains("sells 101 IBM, 100 held"), "{text}");
    let other = ["finance", "snapshot", "--date", "2010-03-31", "--user", "2"];
    sandbox.run(&other).success();
}

#[tokio::test]
async fn other_encodings_and_no_files_at_all_are_refused_with_their_name() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(LEDGER.encode_utf16().flat_map(u16::to_le_bytes));
    let wide = sandbox.path().join("wide.csv");
    std::fs::write(&wide, utf16).unwrap();
    let latin = sandbox.path().join("latin.csv");
    std::fs::write(&latin, b"date,close\n2010-03-01,1\xa0\n").unwrap();
    let refused = |arguments: &[&str]| {
        let assert = sandbox.run(&[&["finance"][..], arguments].concat()).code(1);
        format!("{}{}", stdout(&assert), stderr(&assert))
    };
    let wide = wide.to_str().unwrap();
    let text = refused(&["import-transactions", "--user", "1", wide]);
    assert!(
        text.contains("wide.csv") && text.contains("save it as CSV in UTF-8"),
        "{text}"
    );
    let text = refused(&["import-prices", "IBM", latin.to_str().unwrap()]);
    assert!(text.contains("must be UTF-8 text"), "{text}");
    let text = refused(&["import-prices", "IBM", "missing.csv"]);
    assert!(text.contains("cannot read missing.csv"), "{text}");
    let text = refused(&["import-prices", "IBM", "data"]);
    assert!(text.contains("cannot read data"), "{text}");
    let text = refused(&["import-statement", "/dev/null"]);
    assert!(text.contains("must end with .csv"), "{text}");
}

/// A file of so many gigabytes of which nothing but `head` takes room on the disk.
fn sparse(sandbox: &Sandbox, name: &str, head: &str, gigabytes: u64) -> PathBuf {
    let path = sandbox.file(name, head);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(gigabytes << 30).unwrap();
    path
}

#[tokio::test]
async fn ten_gigabytes_that_are_no_table_are_refused_at_once() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    let head = format!("{LEDGER}Main,2010-03-10,deposit,,,,");
    let ledger = sparse(&sandbox, "huge.csv", &head, 10);
    let command = [
        "finance",
        "import-transactions",
        "--user",
        "1",
        ledger.to_str().unwrap(),
    ];
    let text = stderr(&sandbox.run(&command).code(1));
    assert!(text.contains("a row is longer than 65536 bytes"), "{text}");
    let file = sparse(&sandbox, "huge.ofx", "OFXHEADER:100\n", 10);
    let command = ["finance", "import-statement", file.to_str().unwrap()];
    let text = stderr(&sandbox.run(&command).code(1));
    assert!(text.contains("larger than 256 MiB"), "{text}");
    // Nothing of what came before the damage is there.
    assert_eq!(import(&sandbox, LEDGER)["written"], 3);
}

/// Megabytes of the file, and of the memory in which it must be imported.
const FILE: usize = 192;
const MEMORY: usize = 128;

#[tokio::test]
async fn a_file_larger_than_the_memory_is_imported_as_it_is_read() {
    let sandbox = Sandbox::new();
    two_users(&sandbox).await;
    let path = sandbox.path().join("long.csv");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"date,close\n").unwrap();
    // Long rows, so that there are few of them.
    let (padding, mut rows) = (" ".repeat(32_000), 0);
    while rows * padding.len() < FILE << 20 {
        let (month, day) = (rows / 28 % 12 + 1, rows % 28 + 1);
        let year = 1600 + rows / 336;
        writeln!(file, "{year}-{month:02}-{day:02},{}.5{padding}", rows + 1).unwrap();
        rows += 1;
    }
    file.into_inner().unwrap();
    // The limit is of what is written to: heap and stacks.
    let script = format!(
        "ulimit -d {}; exec {} finance import-prices IBM long.csv --json",
        MEMORY << 10,
        env!("CARGO_BIN_EXE_celeriac")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(sandbox.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["written"], rows, "{report}");
}

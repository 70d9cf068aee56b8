//! Documents that are no portfolio's report: exports on paper, and reconciliations, in every format.

use std::collections::BTreeMap;

use jiff::civil::date;
use portfolio::figures::ReturnSettings;
use portfolio::store::{BreakRow, Compared};
use reports::contents::{export, reconciliation};
use reports::document::Document;
use reports::export::DateRange;
use reports::files::Format;
use reports::listing::render;
use reports::subject::Subject;

use crate::tools::{run, saved};
use crate::world::{TO, World};

const LONG: &str =
    "Donaudampfschifffahrtsgesellschaft & Εθνική Τράπεζα της Ελλάδος – 中国工商银行股份有限公司";

fn reconciliations(breaks: usize) -> Document {
    let compared = Compared {
        account_id: 1,
        account: LONG.to_owned(),
        as_of: TO,
        status: "breaks".to_owned(),
        matches: BTreeMap::from([("reference".to_owned(), 12), ("near_date".to_owned(), 3)]),
        breaks: (0..breaks).map(found).collect(),
    };
    Document {
        title: LONG.repeat(2),
        subtitle: "Reconciliation report".to_owned(),
        facts: vec![("Period".to_owned(), "2010-01-01 to 2013-03-01".to_owned())],
        as_of: TO,
        blocks: reconciliation(&[compared]),
    }
}

fn found(index: usize) -> BreakRow {
    BreakRow {
        id: 1,
        kind: "position_missing_in_statement".to_owned(),
        severity: "high".to_owned(),
        status: "auto_resolved".to_owned(),
        symbol: Some(format!("LONGSYMBOL{index:03}")),
        currency: None,
        ledger_value: Some("1234567.8901234567".to_owned()),
        statement_value: Some("0".to_owned()),
        difference: Some("-1234567.8901234567".parse().unwrap()),
        explanation: format!(
            "The ledger holds 1234567.8901234567 {LONG}, the statement none: a sale is missing"
        ),
        note: None,
        transaction_ids: vec![1],
        line_ids: Vec::new(),
        detail: serde_json::json!({}),
    }
}

fn exported(companies: usize) -> Document {
    let world = World::of(companies);
    let walk = world.walk();
    let subject = Subject::of(world.names(), &walk, None, ReturnSettings::default()).unwrap();
    let range = DateRange {
        start: date(2010, 1, 1),
        end: TO,
    };
    export("Łukasz Çelik", &[subject], range)
}

fn nothing() -> Document {
    export("Łukasz Çelik", &[], DateRange { start: TO, end: TO })
}

#[test]
fn every_format_is_the_same_each_time_and_paper_is_valid() {
    let documents = || {
        [
            ("reconciliation", reconciliations(60)),
            ("agreed", reconciliations(0)),
            ("export", exported(80)),
            ("nothing", nothing()),
        ]
    };
    for ((name, document), (_, again)) in documents().iter().zip(documents()) {
        for format in [Format::Pdf, Format::Html, Format::Csv, Format::Json] {
            let once = render(document, format).unwrap();
            assert_eq!(once, render(&again, format).unwrap(), "{name} {format:?}");
            let folder = tempfile::tempdir().unwrap();
            let file = saved(&folder, &format!("{name}.{}", format.as_str()), &once);
            if format == Format::Pdf {
                run("qpdf", &["--check"], &file);
                let text = run("pdftotext", &["-layout"], &file);
                assert!(text.contains("Page 1 of "), "{text}");
                if *name == "reconciliation" {
                    assert!(
                        text.contains(" -1234567.8901234567"),
                        "a number is broken: {text}"
                    );
                }
            }
        }
    }
}

#[test]
fn nothing_is_written_beyond_the_edge_of_a_page() {
    let bytes = render(&reconciliations(60), Format::Pdf).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = saved(&folder, "edges.pdf", &bytes);
    let boxes = run("pdftotext", &["-bbox"], &file);
    let number = |line: &str, name: &str| -> f32 {
        let value = line.split(&format!(" {name}=\"")).nth(1).unwrap();
        value.split('"').next().unwrap().parse().unwrap()
    };
    let words: Vec<&str> = boxes
        .lines()
        .filter(|line| line.contains("<word"))
        .collect();
    assert!(words.len() > 1_000, "{}", words.len());
    for word in words {
        assert!(
            number(word, "xMin") >= 40.0 && number(word, "xMax") <= 556.0,
            "{word}"
        );
        assert!(
            number(word, "yMin") >= 20.0 && number(word, "yMax") <= 822.0,
            "{word}"
        );
    }
}

//! PDF and HTML as readers get them: checked by qpdf, read by pdftotext.

use portfolio::figures::ReturnSettings;
use portfolio::targets::{Dimension, Target, TargetPlan};
use reports::contents::{ReportType, report, report_json};
use reports::pdf::{Pdf, Typeface, render};
use reports::subject::Subject;

use crate::tools::{run, saved};
use crate::world::World;

fn with_report<T>(
    companies: usize,
    kind: ReportType,
    check: impl FnOnce(&Subject<'_>, Pdf) -> T,
) -> T {
    let world = World::of(companies);
    let walk = world.walk();
    let subject = Subject::of(world.names(), &walk, None, ReturnSettings::default()).unwrap();
    let pdf = render(&report(&subject, kind), &Typeface::load().unwrap()).unwrap();
    check(&subject, pdf)
}

#[test]
fn every_type_is_valid_and_its_figures_can_be_read() {
    for kind in ReportType::ALL {
        with_report(12, kind, |subject, pdf| {
            let folder = tempfile::tempdir().unwrap();
            let file = saved(&folder, &format!("{}.pdf", kind.as_str()), &pdf.bytes);
            run("qpdf", &["--check"], &file);
            let text = run("pdftotext", &["-layout"], &file);
            contains_the_figures(subject, &text);
            assert!(
                text.contains(&format!("Page {0} of {0}", pdf.pages)),
                "{text}"
            );
        });
    }
}

fn contains_the_figures(subject: &Subject<'_>, text: &str) {
    let percent = |value: f64| reports::format::percent(Some(value));
    let stats = subject.figures.stats.as_ref().unwrap();
    let nav = reports::format::amount(subject.closing.nav, subject.closing.base);
    let figures = [
        nav,
        percent(subject.figures.twr.unwrap()),
        percent(subject.figures.mwr.rate.unwrap()),
        percent(stats.volatility.unwrap()),
        percent(stats.max_drawdown.as_ref().unwrap().depth),
        subject.closing.date.to_string(),
        "Zürich – Αθήνα –".to_owned(),
    ];
    for figure in figures {
        assert!(text.contains(&figure), "{figure} is missing:\n{text}");
    }
    for (symbol, position) in &subject.closing.positions {
        let line = text
            .lines()
            .find(|line| line.contains(symbol.as_str()) && line.contains("USD"));
        let line = line.unwrap_or_else(|| panic!("{symbol} is missing:\n{text}"));
        let value = reports::format::money(position.value_base, subject.closing.base);
        let weight = position.value_base.to_f64() / subject.closing.nav.to_f64();
        let cells = [
            position.quantity.to_string(),
            reports::format::price(&position.price),
            value,
            percent(weight),
        ];
        for cell in cells {
            assert!(line.contains(&cell), "{cell} is missing: {line}");
        }
    }
}

#[test]
fn long_tables_repeat_their_header_on_every_page() {
    with_report(150, ReportType::Holdings, |_, pdf| {
        let folder = tempfile::tempdir().unwrap();
        let file = saved(&folder, "long.pdf", &pdf.bytes);
        run("qpdf", &["--check"], &file);
        let text = run("pdftotext", &["-layout"], &file);
        let pages: Vec<&str> = text
            .split('\u{c}')
            .filter(|page| !page.trim().is_empty())
            .collect();
        assert_eq!(pages.len(), pdf.pages);
        let with_rows = pages
            .iter()
            .filter(|page| page.contains("CO0") && page.contains("USD"));
        let mut count = 0;
        for page in
            with_rows.filter(|page| page.matches("\nCO").count() + page.matches(" CO").count() > 13)
        {
            assert!(page.contains("Symbol"), "{page}");
            count += 1;
        }
        assert!(count >= 3, "{count} pages have rows");
    });
}

#[test]
fn a_short_table_is_not_divided_between_pages() {
    with_report(6, ReportType::Comprehensive, |_, pdf| {
        let folder = tempfile::tempdir().unwrap();
        let file = saved(&folder, "short.pdf", &pdf.bytes);
        let text = run("pdftotext", &["-layout"], &file);
        let page = text
            .split('\u{c}')
            .find(|page| page.contains("Opening value"));
        let page = page.unwrap_or_else(|| panic!("{text}"));
        for last in ["Result of the period", "Realised gain  "] {
            assert!(page.contains(last), "{last} is on another page: {text}");
        }
    });
}

#[test]
fn equal_inputs_give_equal_bytes() {
    for kind in ReportType::ALL {
        let once = || {
            with_report(6, kind, |subject, pdf| {
                let page = reports::html::render(&report(subject, kind));
                (pdf.bytes, page, report_json(subject, kind).unwrap())
            })
        };
        assert_eq!(once(), once(), "{kind:?}");
    }
}

#[test]
fn names_in_every_script_can_be_read_where_a_font_is_installed() {
    with_report(11, ReportType::Holdings, |_, pdf| {
        let folder = tempfile::tempdir().unwrap();
        let file = saved(&folder, "scripts.pdf", &pdf.bytes);
        let text = run("pdftotext", &["-raw"], &file);
        let read: String = text.split_whitespace().collect();
        assert!(read.contains("ΕθνικήΤράπεζα"), "{text}");
        assert!(read.contains("Газпромнефть"), "{text}");
        assert!(
            pdf.missing.is_empty(),
            "scripts/setup.sh installs fonts-wqy-microhei: {:?}",
            pdf.missing
        );
        for name in [
            "中国工商银行股份有限公司",
            "トヨタ自動車株式会社",
            "삼성전자주식회사",
            "הפועלים",
            "CréditAgricole",
            "السعودية",
            "บริษัทปตท.จำกัด(มหาชน)",
            "भारतीयस्टेटबैंकलिमिटेड",
        ] {
            assert!(read.contains(name), "{name}: {text}");
        }
    });
}

#[test]
fn portfolios_named_in_joined_scripts_are_headed_by_their_names() {
    let world = World::of(3);
    let walk = world.walk();
    for name in [
        "محفظة الأسهم العالمية",
        "מניות עולמיות",
        "พอร์ตโฟลิโอหุ้นโลก",
        "निवेश पोर्टफोलियो",
    ] {
        let mut names = world.names();
        names.portfolio = name.to_owned();
        let subject = Subject::of(names, &walk, None, ReturnSettings::default()).unwrap();
        let document = report(&subject, ReportType::Performance);
        let pdf = render(&document, &Typeface::built_in().unwrap()).unwrap();
        assert_eq!(pdf.missing.len(), 0, "{:?}", pdf.missing);
        let folder = tempfile::tempdir().unwrap();
        let file = saved(&folder, &format!("{name}.pdf"), &pdf.bytes);
        run("qpdf", &["--check"], &file);
        let text = run("pdftotext", &["-layout"], &file);
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn the_browser_gets_one_file_without_scripts_or_links() {
    let world = World::of(12);
    let walk = world.walk();
    let mut names = world.names();
    names.portfolio = "<script>alert('x')</script>".to_owned();
    let subject = Subject::of(names, &walk, None, ReturnSettings::default()).unwrap();
    let page = reports::html::render(&report(&subject, ReportType::Comprehensive));
    let folder = tempfile::tempdir().unwrap();
    saved(&folder, "report.html", page.as_bytes());
    assert!(!page.contains("<script"), "a name is not escaped");
    assert!(!page.contains("http:") && !page.contains("https:"));
    // Value, drawdown, allocation and the rolling return.
    assert_eq!(page.matches("<svg").count(), 4);
    assert!(page.contains("中国工商银行股份有限公司"));
}

#[test]
fn profit_is_split_and_targets_are_shown_where_there_are_some() {
    let world = World::of(3);
    let walk = world.walk();
    let subject = |plan| {
        let settings = ReturnSettings::default();
        let subject = Subject::of(world.names(), &walk, None, settings).unwrap();
        subject.with_targets(plan).unwrap()
    };
    let target = |name: &str, weight: &str| Target {
        name: name.to_owned(),
        weight: weight.parse().unwrap(),
        band: "0.05".parse().unwrap(),
        buy: None,
    };
    let plan = TargetPlan {
        dimension: Dimension::Symbol,
        minimum_trade: "0".parse().unwrap(),
        cash_kept: "0".parse().unwrap(),
        whole_shares: true,
        targets: vec![target("CO000", "0.8"), target("CO001", "0.2")],
    };
    for (plan, there) in [(None, false), (Some(&plan), true)] {
        let subject = subject(plan);
        let page = reports::html::render(&report(&subject, ReportType::Comprehensive));
        assert!(page.contains("Where the profit came from"));
        let profit = reports::format::money(subject.gains.total, subject.closing.base);
        assert!(
            page.contains(&format!("All together: {profit}.")),
            "{profit}"
        );
        assert_eq!(page.contains("Target allocation"), there);
        assert_eq!(page.contains("Proposed trades"), there);
        let json = report_json(&subject, ReportType::Comprehensive).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let traded = json["targets"]["trades"].as_array().map_or(0, Vec::len);
        assert_eq!(traded > 0, there);
        assert_eq!(json["gains"]["total"], subject.gains.total.to_string());
    }
}

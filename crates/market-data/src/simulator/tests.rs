#![allow(clippy::unwrap_used)]

use super::*;

fn simulator(settings: &str) -> Simulator {
    Simulator::new(&serde_json::from_str(settings).unwrap()).unwrap()
}

fn window(from: &str, to: &str) -> Window {
    Window {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

async fn daily(simulator: &Simulator, symbol: &str, window: Window) -> Daily {
    let known = Validators::default();
    match simulator.daily(symbol, window, &known).await.unwrap() {
        Fetched::New(daily, _) => daily,
        Fetched::NotModified => panic!("always new"),
    }
}

#[tokio::test]
async fn a_bar_does_not_depend_on_what_else_is_asked() {
    let simulator = simulator("{}");
    let all = daily(&simulator, "ACME", window("2001-01-01", "2012-12-31")).await;
    let part = daily(&simulator, "ACME", window("2010-03-01", "2010-03-31")).await;
    assert_eq!(part.bars.len(), 23);
    for bar in &part.bars {
        let same = all
            .bars
            .iter()
            .find(|found| found.date == bar.date)
            .unwrap();
        assert_eq!(format!("{same:?}"), format!("{bar:?}"));
    }
    let first = &part.bars[0];
    assert!(first.low.unwrap() <= first.close && first.close <= first.high.unwrap());
}

#[tokio::test]
async fn symbols_move_together_but_not_alike() {
    let simulator = simulator(r#"{"seed": 7}"#);
    let span = window("2005-01-01", "2009-12-31");
    let mut returns = Vec::new();
    for symbol in ["ONE", "TWO"] {
        let bars = daily(&simulator, symbol, span).await.bars;
        let closes: Vec<f64> = bars.iter().map(|bar| bar.close.to_f64()).collect();
        returns.push(
            closes
                .windows(2)
                .map(|pair| pair[1] / pair[0] - 1.0)
                .collect::<Vec<_>>(),
        );
    }
    let same = returns[0]
        .iter()
        .zip(&returns[1])
        .filter(|(one, two)| one.signum() == two.signum());
    let share = same.count() as f64 / returns[0].len() as f64;
    assert!((0.55..0.95).contains(&share), "{share}");
}

#[tokio::test]
async fn some_symbols_pay_and_some_are_split() {
    let simulator = simulator("{}");
    let mut kinds = std::collections::BTreeSet::new();
    for symbol in ["A", "B", "C", "D", "E", "F", "G", "H"] {
        let actions = daily(&simulator, symbol, window("2000-01-01", "2024-12-31"))
            .await
            .actions;
        kinds.extend(actions.iter().map(|action| format!("{:?}", action.kind)));
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["Dividend", "Split"]);
}

#[tokio::test]
async fn gaps_and_failures_come_on_request() {
    let span = window("2010-01-01", "2010-12-31");
    let whole = daily(&simulator("{}"), "X", span).await.bars.len();
    let gappy = daily(&simulator(r#"{"gaps": 0.1}"#), "X", span)
        .await
        .bars
        .len();
    assert!((1..whole).contains(&gappy), "{gappy} of {whole}");
    let failing = simulator(r#"{"errors": 1.0}"#);
    let error = failing
        .daily("X", span, &Validators::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "unavailable");
}

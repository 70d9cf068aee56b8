//! The aims of the project beside what was reached; those that were missed say so.

mod beat;
mod loads;
mod rates;

use super::format::decimals;
use super::table::Table;
use crate::figures::Figures;
use crate::row::Row;
use crate::setup::{Engine, Store};

/// One aim with its figure.
#[derive(Debug)]
struct Aim {
    what: String,
    bound: Bound,
    /// What is written behind the figure, with a blank where there is one.
    unit: &'static str,
    /// How many decimals the figure is written with.
    decimals: usize,
    measured: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    Least(f64),
    Most(f64),
}

impl Aim {
    fn at_least(what: impl Into<String>, least: f64, measured: Option<f64>) -> Self {
        Self::new(what.into(), Bound::Least(least), measured)
    }

    fn at_most(what: impl Into<String>, most: f64, measured: Option<f64>) -> Self {
        Self::new(what.into(), Bound::Most(most), measured)
    }

    fn new(what: String, bound: Bound, measured: Option<f64>) -> Self {
        Self {
            what,
            bound,
            unit: "",
            decimals: 2,
            measured,
        }
    }

    /// With a unit, and with as many decimals as figures in it have.
    fn unit(self, unit: &'static str, decimals: usize) -> Self {
        Self {
            unit,
            decimals,
            ..self
        }
    }

    fn cells(&self) -> Vec<String> {
        let unit = self.unit;
        let (bound, reached) = match self.bound {
            Bound::Least(least) => (format!("at least {least}{unit}"), self.is(|it| it >= least)),
            Bound::Most(most) => (format!("at most {most}{unit}"), self.is(|it| it <= most)),
        };
        let measured = decimals(self.measured, self.decimals);
        vec![self.what.clone(), bound, measured, verdict(reached)]
    }

    fn is(&self, reached: impl Fn(f64) -> bool) -> Option<bool> {
        self.measured.map(reached)
    }
}

/// Every aim with its figure.
pub(crate) fn table(figures: &Figures) -> Table {
    let aims = rates::aims(figures)
        .into_iter()
        .chain(loads::aims(figures))
        .chain(beat::aims(figures));
    Table {
        title: "Aims",
        header: vec!["what", "aim", "measured", "reached"],
        rows: aims.map(|aim| aim.cells()).collect(),
    }
}

fn verdict(reached: Option<bool>) -> String {
    match reached {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "not measured",
    }
    .to_owned()
}

/// The first of our rows on a store: that with default settings, where several were measured.
fn ours<R>(rows: &[Row<R>], store: Store) -> Option<&Row<R>> {
    rows.iter()
        .find(|row| row.setup.engine == Engine::Celeriac && row.setup.store == store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_says_whether_it_was_reached() {
        let cells = Aim::at_least("rate", 0.75, Some(0.8)).cells();
        assert_eq!(cells, ["rate", "at least 0.75", "0.80", "yes"]);
        let cells = Aim::at_most("start", 20.0, Some(25.04))
            .unit(" ms", 1)
            .cells();
        assert_eq!(cells, ["start", "at most 20 ms", "25.0", "**no**"]);
        let cells = Aim::at_most("start", 20.0, None).cells();
        assert_eq!(cells, ["start", "at most 20", "–", "not measured"]);
    }
}

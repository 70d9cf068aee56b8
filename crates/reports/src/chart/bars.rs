//! Shares as bars, the largest first.

use super::{Anchor, BLUE, Drawing, Face, INK, Mark, PALE, RED};
use crate::format::percent;

const LINE: f32 = 15.0;
const BAR: f32 = 9.0;
/// Room for names on the left and shares on the right.
const NAME: f32 = 96.0;
const SHARE: f32 = 52.0;
/// Characters of a name.
const LONGEST: usize = 16;
/// Of more shares the smallest come together.
const MOST_BARS: usize = 10;

const TEXT: Face = Face {
    size: 8.0,
    bold: false,
    colour: INK,
};

/// A bar for each share, negative ones red; `None` without shares. Shares are fractions of one.
pub fn bars(shares: &[(String, f64)], width: f32) -> Option<Drawing> {
    let shares = ranked(shares);
    let largest = shares
        .iter()
        .map(|(_, share)| share.abs())
        .fold(0.0, f64::max);
    if largest == 0.0 {
        return None;
    }
    // The pale ground is the whole, unless something is more than that.
    let whole = largest.max(1.0);
    let room = width - NAME - SHARE;
    let marks = shares
        .iter()
        .enumerate()
        .flat_map(|(index, (name, share))| {
            let top = index as f32 * LINE + 4.0;
            let length = room * (share.abs() / whole) as f32;
            let colour = if *share < 0.0 { RED } else { BLUE };
            [
                text((NAME - 8.0, top + 7.5), Anchor::End, shortened(name)),
                Mark::rectangle((NAME, top), room, BAR, PALE),
                Mark::rectangle((NAME, top), length.max(0.5), BAR, colour),
                text((width, top + 7.5), Anchor::End, percent(Some(*share))),
            ]
        });
    let marks = marks.collect();
    Some(Drawing {
        width,
        height: shares.len() as f32 * LINE + 6.0,
        marks,
    })
}

/// A name that fits beside its bar.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LONGEST - 1).collect();
    format!("{kept}…")
}

fn text(at: (f32, f32), anchor: Anchor, text: String) -> Mark {
    Mark::Text {
        at,
        anchor,
        face: TEXT,
        text,
    }
}

/// Largest first, equal ones by name, the many small ones as one.
fn ranked(shares: &[(String, f64)]) -> Vec<(String, f64)> {
    let mut ranked: Vec<(String, f64)> = shares
        .iter()
        .filter(|(_, share)| *share != 0.0)
        .cloned()
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if ranked.len() > MOST_BARS {
        let rest: f64 = ranked.drain(MOST_BARS - 1..).map(|(_, share)| share).sum();
        ranked.push(("Other".to_owned(), rest));
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_shares_come_together_and_nothing_is_lost() {
        let shares: Vec<(String, f64)> = (0..40).map(|n| (format!("S{n}"), 0.025)).collect();
        let ranked = ranked(&shares);
        assert_eq!(ranked.len(), MOST_BARS);
        assert_eq!(ranked[MOST_BARS - 1].0, "Other");
        let sum: f64 = ranked.iter().map(|(_, share)| share).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_held_has_no_chart() {
        assert!(bars(&[], 400.0).is_none());
        assert!(bars(&[("Cash".to_owned(), 0.0)], 400.0).is_none());
    }
}

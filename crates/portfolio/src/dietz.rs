//! The modified Dietz return: profit over the average capital at work.

use jiff::civil::Date;

use crate::dates::days_between;

/// `(V1 - V0 - F) / (V0 + sum w*f)`. Inflows are positive and work from the start of their day, outflows negative and
/// work until its end. `None` for an empty period or when the capital is not positive.
pub fn modified_dietz(
    opening: f64,
    closing: f64,
    flows: &[(Date, f64)],
    from: Date,
    to: Date,
) -> Option<f64> {
    let length = days_between(from, to);
    if length <= 0 {
        return None;
    }
    let net: f64 = flows.iter().map(|(_, amount)| amount).sum();
    let weighted: f64 = flows
        .iter()
        .map(|(date, amount)| amount * weight(*date, *amount, to) / length as f64)
        .sum();
    let capital = opening + weighted;
    (capital > 0.0).then(|| (closing - opening - net) / capital)
}

/// Days that a flow works.
fn weight(date: Date, amount: f64, to: Date) -> f64 {
    let left = days_between(date, to);
    if amount > 0.0 {
        (left + 1) as f64
    } else {
        left as f64
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::modified_dietz;

    #[test]
    fn an_inflow_on_the_first_day_works_all_the_time() {
        let flows = [(date(2010, 1, 1), 100.0)];
        assert_eq!(
            modified_dietz(0.0, 110.0, &flows, date(2009, 12, 31), date(2010, 1, 31)),
            Some(0.1)
        );
        assert_eq!(
            modified_dietz(0.0, 110.0, &flows, date(2010, 1, 1), date(2010, 1, 1)),
            None
        );
        assert_eq!(
            modified_dietz(0.0, 1.0, &[], date(2010, 1, 1), date(2010, 1, 9)),
            None
        );
    }
}

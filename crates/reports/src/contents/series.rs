//! Daily series that charts show.

use jiff::civil::Date;
use portfolio::series::Window;

/// Net asset values of a window, its opening day first when there was something.
pub(super) fn values(window: &Window) -> Vec<(Date, f64)> {
    let opening = (!window.opening.is_zero()).then(|| (window.from, window.opening.to_f64()));
    let days = window.days.iter().map(|day| (day.date, day.nav.to_f64()));
    opening.into_iter().chain(days).collect()
}

/// How far each day is below the highest wealth before it.
pub(super) fn drawdowns(from: Date, dates: &[Date], returns: &[f64]) -> Vec<(Date, f64)> {
    let (mut wealth, mut peak) = (1.0_f64, 1.0_f64);
    let days = dates.iter().zip(returns).map(|(date, value)| {
        wealth *= 1.0 + value;
        peak = peak.max(wealth);
        (*date, wealth / peak - 1.0)
    });
    std::iter::once((from, 0.0)).chain(days).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn drawdowns_hang_from_the_last_peak() {
        let dates = [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)];
        let depths = drawdowns(date(2024, 1, 1), &dates, &[0.1, -0.5, 1.0]);
        let rounded: Vec<f64> = depths
            .iter()
            .map(|(_, depth)| (depth * 1e6).round() / 1e6)
            .collect();
        assert_eq!(rounded, [0.0, 0.0, -0.5, 0.0]);
    }
}

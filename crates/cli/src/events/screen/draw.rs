//! The screen as a whole: the head, what fills the middle, the keys at the foot. Panels are in `panels`, what lies over them
//! in `details`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::app::{App, Dialog};
use super::{details, panels};

/// Rows of a panel's title and headers.
const PANEL_HEAD: u16 = 2;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let area = frame.area();
    let middle = Constraint::Length(top_height(app, area.height));
    let rows = [
        Constraint::Length(2),
        middle,
        Constraint::Min(4),
        Constraint::Length(1),
    ];
    let [head, top, tasks, foot] = Layout::vertical(rows).areas(area);
    draw_head(frame, app, head);
    let halves = [
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Fill(1),
    ];
    let [left, _, right] = Layout::horizontal(halves).areas(top);
    panels::workers(frame, app, left);
    panels::queues(frame, app, right);
    panels::tasks(frame, app, tasks);
    draw_foot(frame, app, foot);
    details::draw(frame, app, area);
}

/// As many rows as workers or queues need, up to a third of the screen, or nearly all of it when asked for.
fn top_height(app: &App, screen: u16) -> u16 {
    let rows = app.cluster.workers(app.now).len().max(app.queues.len());
    let wanted = u16::try_from(rows).unwrap_or(u16::MAX).max(1);
    let most = if app.view.wide_top {
        screen.saturating_sub(8)
    } else {
        screen / 3
    };
    wanted.saturating_add(PANEL_HEAD).min(most)
}

fn draw_head(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let theme = app.theme;
    let title = Line::from(vec![
        Span::styled("celeriac events", theme.title()),
        Span::styled(format!("  {}", app.broker), theme.dim()),
    ]);
    let [first, second] = Layout::vertical([Constraint::Length(1); 2]).areas(area);
    frame.render_widget(title, first);
    let clock = Line::from(clock(app.now)).right_aligned();
    frame.render_widget(clock, first);
    frame.render_widget(figures(app), second);
}

fn figures(app: &App) -> Line<'static> {
    let theme = app.theme;
    let total = |state: &str| app.cluster.totals.get(state).copied().unwrap_or_default();
    let workers = app.cluster.workers(app.now);
    let alive = workers.iter().filter(|worker| worker.is_alive(app.now));
    let running: i64 = alive.map(|worker| worker.active).sum();
    let mut spans = Vec::new();
    let mut figure = |name: &'static str, figure: String, style| {
        spans.push(Span::styled(figure, style));
        spans.push(Span::styled(format!(" {name}   "), theme.dim()));
    };
    figure(
        "events/s",
        thousands(app.rate().round() as u64),
        theme.strong(),
    );
    figure("running", thousands(running.unsigned_abs()), theme.strong());
    figure("succeeded", thousands(total("SUCCESS")), theme.good());
    let failed = total("FAILURE");
    let style = if failed == 0 {
        theme.dim()
    } else {
        theme.bad()
    };
    figure("failed", thousands(failed), style);
    figure("retried", thousands(total("RETRY")), theme.warning());
    figure("revoked", thousands(total("REVOKED")), theme.warning());
    Line::from(spans)
}

fn draw_foot(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let theme = app.theme;
    let line = match (&app.dialog, &app.notice) {
        (Dialog::Filter, _) => Line::from(vec![
            Span::styled("filter: ", theme.title()),
            Span::raw(format!("{}▏", app.view.filter)),
            Span::styled("  Enter keeps it, Esc clears it", theme.dim()),
        ]),
        (_, Some(notice)) => Line::styled(notice.clone(), theme.bad()),
        _ => keys(app),
    };
    frame.render_widget(line, area);
}

fn keys(app: &App) -> Line<'static> {
    let hold = if app.view.is_held() { "run on" } else { "hold" };
    let keys = [
        ("↑↓", "choose"),
        ("Enter", "look"),
        ("/", "filter"),
        ("s", "sort"),
        ("c", "revoke"),
        ("l", "limit"),
        ("Space", hold),
        ("?", "help"),
        ("q", "quit"),
    ];
    let spans = keys.into_iter().flat_map(|(key, what)| {
        [
            Span::styled(key, app.theme.title()),
            Span::styled(format!(" {what} "), app.theme.dim()),
        ]
    });
    Line::from_iter(spans)
}

/// A time of day here.
pub(super) fn clock(seconds: f64) -> String {
    let at = Timestamp::from_millisecond((seconds * 1e3) as i64).unwrap_or_default();
    let here = at.to_zoned(TimeZone::system());
    here.strftime("%H:%M:%S").to_string()
}

/// A number with commas.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

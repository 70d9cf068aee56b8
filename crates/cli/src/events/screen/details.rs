//! What lies over the panels: one task in full, questions, answers, help.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::super::state::Task;
use super::app::{App, Dialog, Part, text};
use super::draw::clock;

const HELP: &[(&str, &str)] = &[
    ("↑ ↓  j k", "choose a task; the list stands still meanwhile"),
    ("PgUp PgDn g G", "further"),
    ("Enter  i", "everything that is known about it"),
    ("t", "its traceback"),
    ("r", "its result"),
    ("c", "revoke it"),
    ("l", "limit the rate of its kind"),
    ("Space  Esc", "let the list run on"),
    (
        "/",
        "show only tasks with a text in name, id, worker, state or arguments",
    ),
    ("s  S", "sort by the next column; the other way round"),
    ("Tab", "more room for workers and queues"),
    ("e  E", "switch the workers' task events on; off"),
    ("q  Ctrl-C", "quit"),
];

/// Draws the dialog, if there is one.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    let lines = |texts: &[String]| texts.iter().cloned().map(Line::from).collect();
    match &app.dialog {
        Dialog::None | Dialog::Filter => {}
        Dialog::Help => {
            let line = |(keys, what): &(&'static str, &'static str)| {
                let keys = Span::styled(format!("{keys:<14} "), app.theme.title());
                Line::from(vec![keys, Span::raw(*what)])
            };
            popup(frame, app, area, "Keys", HELP.iter().map(line).collect(), 0);
        }
        Dialog::Replies {
            title,
            lines: texts,
        } => {
            popup(frame, app, area, title, lines(texts), 0);
        }
        Dialog::Revoke { id, name } => {
            let texts = [
                format!("{name}[{id}]"),
                String::new(),
                "y  revoke: it will not start, and ends as REVOKED".to_owned(),
                "t  revoke, and terminate it if it runs".to_owned(),
                "n  leave it".to_owned(),
            ];
            popup(frame, app, area, "Revoke this task?", lines(&texts), 0);
        }
        Dialog::RateLimit { task, text } => {
            let texts = [
                format!("{text}▏"),
                String::new(),
                "such as 10/s, 100/m or 5/h for each worker; 0 for no limit".to_owned(),
            ];
            let title = format!("Rate limit of {task}");
            popup(frame, app, area, &title, lines(&texts), 0);
        }
        Dialog::Details { id, part, scroll } => {
            let (id, part, scroll) = (id.clone(), *part, *scroll);
            let last = draw_task(frame, app, area, &id, part, scroll);
            if let Dialog::Details { scroll, .. } = &mut app.dialog {
                *scroll = last;
            }
        }
    }
}

/// Draws a task; returns how far it is scrolled, which is not beyond its end.
fn draw_task(
    frame: &mut Frame<'_>,
    app: &App,
    area: Rect,
    id: &str,
    part: Part,
    scroll: u16,
) -> u16 {
    let Some(task) = app.cluster.tasks.get(id) else {
        let lines = vec![Line::from("forgotten: many tasks came after it")];
        return popup(frame, app, area, id, lines, 0);
    };
    let lines = match part {
        Part::Everything => everything(app, task),
        Part::Result => field(task, &["result", "exception"]),
        Part::Traceback => field(task, &["traceback"]),
    };
    popup(frame, app, area, &task.name, lines, scroll)
}

fn everything(app: &App, task: &Task) -> Vec<Line<'static>> {
    let known = [
        ("id", task.id.clone()),
        ("state", task.state.clone()),
        ("since", clock(task.time)),
        ("worker", task.worker.clone()),
    ];
    let shown = ["uuid", "name", "traceback"];
    let fields = task.fields.iter();
    let fields = fields
        .filter(|(name, _)| !shown.contains(name))
        .map(|(name, value)| (name, text(value)));
    let mut lines: Vec<_> = known
        .into_iter()
        .chain(fields)
        .map(|(name, value)| {
            let name = Span::styled(format!("{name:<12} "), app.theme.dim());
            Line::from(vec![name, Span::raw(value)])
        })
        .collect();
    if task.fields.contains_key("traceback") {
        lines.push(Line::default());
        lines.extend(field(task, &["traceback"]));
    }
    lines
}

/// The first of these fields that the task has, line by line.
fn field(task: &Task, names: &[&str]) -> Vec<Line<'static>> {
    let value = names.iter().find_map(|name| task.fields.get(name));
    match value {
        Some(value) => text(value)
            .lines()
            .map(|line| Line::from(line.to_owned()))
            .collect(),
        None => vec![Line::from(format!("it has no {}", names[0]))],
    }
}

/// Draws lines in a box in the middle; returns how far they are scrolled.
fn popup(
    frame: &mut Frame<'_>,
    app: &App,
    area: Rect,
    title: &str,
    lines: Vec<Line<'_>>,
    scroll: u16,
) -> u16 {
    let width = area.width.saturating_sub(6).min(100);
    let paragraph = Paragraph::new(lines).wrap(Wrap { trim: false });
    let rows = paragraph.line_count(width.saturating_sub(4));
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let height = rows.saturating_add(2).min(area.height.saturating_sub(2));
    let [area] = Layout::vertical([Constraint::Length(height)])
        .flex(Flex::Center)
        .areas(area);
    let [area] = Layout::horizontal([Constraint::Length(width)])
        .flex(Flex::Center)
        .areas(area);
    let scroll = scroll.min(rows.saturating_sub(height.saturating_sub(2)));
    let block = Block::bordered()
        .title(Line::styled(format!(" {title} "), app.theme.title()))
        .padding(ratatui::widgets::Padding::horizontal(1));
    frame.render_widget(Clear, area);
    frame.render_widget(paragraph.scroll((scroll, 0)).block(block), area);
    scroll
}

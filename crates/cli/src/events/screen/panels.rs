//! The three panels: workers, queues, tasks.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table, TableState};

use super::super::state::Task;
use super::super::worker::Worker;
use super::app::{App, Queue};
use super::draw::{clock, thousands};

/// From this width on ids are shown whole.
const WIDE: u16 = 110;
/// From this width on a worker's program is shown.
const ROOMY: u16 = 50;
/// Bounds for the column of nodes beside tasks.
const NODE: std::ops::RangeInclusive<usize> = 8..=24;
/// Length of a task's id.
const ID: u16 = 36;

/// Nodes that send events, those that are gone last.
pub(super) fn workers(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let workers = app.cluster.workers(app.now);
    let alive = workers.iter().filter(|worker| worker.is_alive(app.now));
    let title = format!("Workers {}/{} online", alive.count(), workers.len());
    let roomy = area.width >= ROOMY;
    let rows = workers.iter().map(|worker| worker_row(app, worker, roomy));
    let widths = [
        Constraint::Min(12),
        Constraint::Length(6),
        Constraint::Length(9),
        Constraint::Length(5),
    ];
    let headers = ["  node", "active", "done", "load"];
    let table = table(app, &headers, rows.collect(), &widths);
    frame.render_widget(table.block(block(app, title, workers.len(), area)), area);
}

fn worker_row<'a>(app: &App, worker: &'a Worker, roomy: bool) -> Row<'a> {
    let theme = app.theme;
    let alive = worker.is_alive(app.now);
    let (mark, style) = if alive {
        ("● ", theme.good())
    } else {
        ("○ ", theme.bad())
    };
    let software = if roomy { worker.software.as_str() } else { "" };
    let node = Line::from(vec![
        Span::styled(mark, style),
        Span::raw(worker.node.as_str()),
        Span::styled(format!("  {software}"), theme.dim()),
    ]);
    let load = worker.load.map(|load| format!("{load:.2}"));
    let row = Row::new([
        Cell::from(node),
        right(thousands(worker.active.unsigned_abs())),
        right(thousands(worker.processed.unsigned_abs())),
        right(load.unwrap_or_default()),
    ]);
    if alive { row } else { row.style(theme.dim()) }
}

/// Queues with what is ready in them, the fullest first.
pub(super) fn queues(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let mut queues: Vec<_> = app.queues.iter().collect();
    queues.sort_by_key(|queue| (std::cmp::Reverse(queue.ready), &queue.name));
    let ready: u64 = queues.iter().map(|queue| queue.ready).sum();
    let title = format!("Queues {} ready", thousands(ready));
    let rows = queues.iter().map(|queue| queue_row(app, queue));
    let widths = [
        Constraint::Min(12),
        Constraint::Length(10),
        Constraint::Length(9),
    ];
    let table = table(
        app,
        &["queue", "ready", "change/s"],
        rows.collect(),
        &widths,
    );
    frame.render_widget(table.block(block(app, title, queues.len(), area)), area);
}

fn queue_row<'a>(app: &App, queue: &'a Queue) -> Row<'a> {
    let change = app.changes.get(&queue.name).copied().unwrap_or_default();
    let (text, style) = match change {
        0 => (String::new(), Style::new()),
        1.. => (
            format!("+{}", thousands(change.unsigned_abs())),
            app.theme.warning(),
        ),
        _ => (
            format!("-{}", thousands(change.unsigned_abs())),
            app.theme.good(),
        ),
    };
    Row::new([
        Cell::from(queue.name.as_str()),
        right(thousands(queue.ready)),
        right(text).style(style),
    ])
}

/// Tasks in the chosen order.
pub(super) fn tasks(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let tasks = app.view.tasks(&app.cluster);
    if tasks.is_empty() {
        return nothing(frame, app, area);
    }
    let wide = area.width >= WIDE;
    let chosen = app.view.is_held().then_some(app.view.selected);
    // Only what can be seen is made into rows: there may be ten thousand.
    let height = usize::from(area.height.saturating_sub(2));
    let first = chosen.map_or(0, |row| row.saturating_sub(height.saturating_sub(1)));
    let visible = &tasks[first.min(tasks.len())..(first + height).min(tasks.len())];
    let rows = visible
        .iter()
        .map(|task| task_row(app, task, wide))
        .collect();
    let longest = visible.iter().map(|task| task.worker.chars().count()).max();
    let node = longest
        .unwrap_or_default()
        .clamp(*NODE.start(), *NODE.end());
    let widths = [
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Min(16),
        Constraint::Length(9),
        Constraint::Length(node as u16),
        Constraint::Length(if wide { ID } else { 8 }),
    ];
    let headers = ["time", "state", "task", "runtime", "worker", "id"];
    let table = table(app, &headers, rows, &widths)
        .block(block(app, tasks_title(app, tasks.len()), 0, area))
        .row_highlight_style(app.theme.chosen());
    let selected = chosen.map(|row| row - first);
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn tasks_title(app: &App, count: usize) -> String {
    let view = &app.view;
    let mut title = format!("Tasks {} by {}", thousands(count as u64), view.sort.label());
    if view.reversed {
        title.push_str(", reversed");
    }
    if !view.filter.is_empty() {
        title.push_str(&format!(", with \"{}\"", view.filter));
    }
    if view.is_held() {
        title.push_str(" (held; Space runs on)");
    }
    title
}

fn task_row<'a>(app: &App, task: &'a Task, wide: bool) -> Row<'a> {
    let id = if wide {
        task.id.clone()
    } else {
        task.id.chars().take(8).collect()
    };
    let name = if task.name.is_empty() {
        "?"
    } else {
        &task.name
    };
    Row::new([
        Cell::from(clock(task.time)),
        Cell::from(task.state.as_str()).style(app.theme.state(&task.state)),
        Cell::from(name),
        runtime_cell(app, task),
        Cell::from(task.worker.as_str()),
        Cell::from(id).style(app.theme.dim()),
    ])
}

/// How long it ran; of one that runs, how long it has so far, once that is worth saying.
fn runtime_cell<'a>(app: &App, task: &Task) -> Cell<'a> {
    if let Some(seconds) = task.runtime {
        return right(runtime(seconds));
    }
    let so_far = app.now - task.time;
    let text = if task.is_running() && so_far >= 1.0 {
        format!("{so_far:.0} s…")
    } else {
        String::new()
    };
    right(text).style(app.theme.warning())
}

fn runtime(seconds: f64) -> String {
    match seconds {
        ..0.1 => format!("{:.1} ms", seconds * 1e3),
        ..100.0 => format!("{seconds:.2} s"),
        _ => format!("{:.0} s", seconds),
    }
}

/// Says why there is nothing to see, and what to do.
fn nothing(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let lines = if !app.view.filter.is_empty() {
        vec![format!("no task with \"{}\"", app.view.filter)]
    } else if app.cluster.workers(app.now).is_empty() {
        vec!["no worker has sent an event yet".to_owned()]
    } else {
        vec![
            "no task events yet".to_owned(),
            "workers send them when started with -E; press e to switch them on".to_owned(),
        ]
    };
    let text = Text::from(lines.into_iter().map(Line::from).collect::<Vec<_>>());
    let block = block(app, tasks_title(app, 0), 0, area);
    let paragraph = Paragraph::new(text).style(app.theme.dim());
    frame.render_widget(paragraph.alignment(Alignment::Center).block(block), area);
}

/// A line with the title; it says when there are more rows than fit.
fn block<'a>(app: &App, title: String, rows: usize, area: Rect) -> Block<'a> {
    let fit = usize::from(area.height.saturating_sub(2));
    let hidden = rows.saturating_sub(fit);
    let block = Block::new()
        .borders(Borders::TOP)
        .border_style(app.theme.dim())
        .title(Line::styled(format!("{title} "), app.theme.title()));
    if hidden == 0 {
        return block;
    }
    let more = format!(" {hidden} more: Tab ");
    block.title(Line::styled(more, app.theme.warning()).right_aligned())
}

fn table<'a>(
    app: &App,
    headers: &[&'a str],
    rows: Vec<Row<'a>>,
    widths: &[Constraint],
) -> Table<'a> {
    let numbers = ["active", "done", "load", "ready", "change/s", "runtime"];
    let header = headers.iter().map(|&name| {
        if numbers.contains(&name) {
            right(name.to_owned())
        } else {
            Cell::from(name)
        }
    });
    let header = Row::new(header.collect::<Vec<_>>()).style(app.theme.dim());
    Table::new(rows, widths.to_vec()).header(header)
}

fn right<'a>(text: String) -> Cell<'a> {
    Cell::from(Line::from(text).right_aligned())
}

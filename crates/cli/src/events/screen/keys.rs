//! What keys do; those of Celery's monitor mean the same here.

use protocol::{Map, Value};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{Action, App, Dialog, Part, Request};

/// Rows of a page.
const PAGE: isize = 10;

/// Carries out a key; returns what is beyond the screen.
pub(super) fn press(app: &mut App, key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
        return Some(Action::Quit);
    }
    match std::mem::take(&mut app.dialog) {
        Dialog::None => on_list(app, key.code),
        Dialog::Help | Dialog::Replies { .. } => None,
        Dialog::Details { id, part, scroll } => {
            app.dialog = in_details(key.code, id, part, scroll);
            None
        }
        Dialog::Filter => {
            in_filter(app, key.code);
            None
        }
        Dialog::RateLimit { task, text } => in_rate_limit(app, key.code, task, text),
        Dialog::Revoke { id, name } => in_revoke(app, key.code, id, name),
    }
}

fn on_list(app: &mut App, key: KeyCode) -> Option<Action> {
    match key {
        KeyCode::Char('q' | 'Q') => return Some(Action::Quit),
        KeyCode::Char('?' | 'h') => app.dialog = Dialog::Help,
        KeyCode::Char('/') => app.dialog = Dialog::Filter,
        KeyCode::Char('s') => change(app, |app| app.view.sort = app.view.sort.next()),
        KeyCode::Char('S') => change(app, |app| app.view.reversed = !app.view.reversed),
        KeyCode::Tab => app.view.wide_top = !app.view.wide_top,
        KeyCode::Char('e') => return Some(send("Task events on", "enable_events", Map::new())),
        KeyCode::Char('E') => return Some(send("Task events off", "disable_events", Map::new())),
        KeyCode::Esc => app.view.release(),
        KeyCode::Char(' ' | 'p') if app.view.is_held() => app.view.release(),
        KeyCode::Char(' ' | 'p') => app.view.hold(&app.cluster),
        other => match rows(other) {
            Some(rows) => app.view.step(&app.cluster, rows),
            None => on_task(app, other),
        },
    }
    None
}

/// How many rows a key moves.
fn rows(key: KeyCode) -> Option<isize> {
    match key {
        KeyCode::Down | KeyCode::Char('j' | 'J') => Some(1),
        KeyCode::Up | KeyCode::Char('k' | 'K') => Some(-1),
        KeyCode::PageDown => Some(PAGE),
        KeyCode::PageUp => Some(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => Some(isize::MIN),
        KeyCode::End | KeyCode::Char('G') => Some(isize::MAX),
        _ => None,
    }
}

/// A new order or filter holds for the running list.
fn change(app: &mut App, change: impl FnOnce(&mut App)) {
    app.view.release();
    change(app);
}

fn on_task(app: &mut App, key: KeyCode) {
    if matches!(
        key,
        KeyCode::Enter | KeyCode::Char('i' | 't' | 'r' | 'c' | 'l')
    ) {
        app.view.hold(&app.cluster);
    }
    let Some(task) = app.view.chosen(&app.cluster) else {
        return;
    };
    let (id, name) = (task.id.clone(), task.name.clone());
    let details = |part| Dialog::Details {
        id: id.clone(),
        part,
        scroll: 0,
    };
    match key {
        KeyCode::Enter | KeyCode::Char('i') => app.dialog = details(Part::Everything),
        KeyCode::Char('t') => app.dialog = details(Part::Traceback),
        KeyCode::Char('r') => app.dialog = details(Part::Result),
        KeyCode::Char('c') => app.dialog = Dialog::Revoke { id, name },
        KeyCode::Char('l') => {
            let (task, text) = (name, String::new());
            app.dialog = Dialog::RateLimit { task, text };
        }
        _ => {}
    }
}

fn in_details(key: KeyCode, id: String, part: Part, scroll: u16) -> Dialog {
    let part = match key {
        KeyCode::Char('i') => Part::Everything,
        KeyCode::Char('t') => Part::Traceback,
        KeyCode::Char('r') => Part::Result,
        other => {
            let Some(rows) = rows(other) else {
                return Dialog::None;
            };
            let rows = rows.clamp(-i16::MAX as isize, i16::MAX as isize) as i16;
            let scroll = scroll.saturating_add_signed(rows);
            return Dialog::Details { id, part, scroll };
        }
    };
    let scroll = 0;
    Dialog::Details { id, part, scroll }
}

fn in_filter(app: &mut App, key: KeyCode) {
    app.view.release();
    match key {
        KeyCode::Enter => return,
        KeyCode::Esc => return app.view.filter.clear(),
        KeyCode::Backspace => drop(app.view.filter.pop()),
        KeyCode::Char(letter) => app.view.filter.push(letter),
        _ => {}
    }
    app.dialog = Dialog::Filter;
}

fn in_rate_limit(app: &mut App, key: KeyCode, task: String, mut text: String) -> Option<Action> {
    match key {
        KeyCode::Esc => return None,
        KeyCode::Enter if !text.is_empty() => {
            let title = format!("Rate limit of {task}: {text}");
            let arguments = Map::from_iter([("task_name", task), ("rate_limit", text)]);
            return Some(send(title, "rate_limit", arguments));
        }
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(letter) => text.push(letter),
        _ => {}
    }
    app.dialog = Dialog::RateLimit { task, text };
    None
}

fn in_revoke(app: &mut App, key: KeyCode, id: String, name: String) -> Option<Action> {
    let terminate = match key {
        KeyCode::Char('y') => false,
        KeyCode::Char('t') => true,
        KeyCode::Esc | KeyCode::Char('n' | 'q') => return None,
        _ => {
            app.dialog = Dialog::Revoke { id, name };
            return None;
        }
    };
    let mut arguments = Map::from_iter([("task_id", vec![id])]);
    if terminate {
        arguments.insert("terminate", true);
        arguments.insert("signal", Value::from("SIGTERM"));
    }
    Some(send(format!("Revoke {name}"), "revoke", arguments))
}

fn send(title: impl Into<String>, method: &'static str, arguments: Map) -> Action {
    let title = title.into();
    Action::Send(Request {
        title,
        method,
        arguments,
    })
}

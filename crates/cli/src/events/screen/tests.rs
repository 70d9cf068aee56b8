//! The picture, drawn on a terminal in memory.

use protocol::{Event, Map, Value};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{Action, App, Queue};
use super::{draw, keys};

const NOW: f64 = 1_795_164_116.0;

fn event(kind: &str, fields: &[(&str, Value)]) -> Event {
    Event {
        kind: kind.into(),
        timestamp: NOW,
        hostname: "celery@web1".into(),
        fields: Map::from_iter(fields.iter().cloned()),
        ..Event::default()
    }
}

fn app() -> App {
    let mut app = App::new("redis://localhost:6379/0".to_owned(), false);
    app.now = NOW;
    let beat = [
        ("active", Value::from(3_i64)),
        ("processed", Value::from(45_231_i64)),
    ];
    app.cluster.apply(&event("worker-heartbeat", &beat), NOW);
    for number in 0..30 {
        let id = Value::from(format!("{number:08}-1111-2222-3333-444444444444"));
        let name = Value::from(format!("proj.tasks.number_{number}"));
        app.cluster.apply(
            &event("task-received", &[("uuid", id.clone()), ("name", name)]),
            NOW,
        );
        app.cluster
            .apply(&event("task-started", &[("uuid", id)]), NOW);
    }
    let ready = 1_203;
    let name = "analytics".to_owned();
    app.set_queues(vec![Queue { name, ready }]);
    app
}

fn picture(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(frame, app)).unwrap();
    terminal.backend().to_string()
}

fn press(app: &mut App, key: KeyCode) -> Option<Action> {
    keys::press(app, KeyEvent::new(key, KeyModifiers::NONE))
}

fn type_in(app: &mut App, text: &str) {
    for letter in text.chars() {
        press(app, KeyCode::Char(letter));
    }
}

#[test]
fn everything_is_on_a_small_screen() {
    let picture = picture(&mut app(), 80, 24);
    for text in [
        "redis://localhost:6379/0",
        "Workers 1/1 online",
        "● celery@web1",
        "45,231",
        "Queues 1,203 ready",
        "Tasks 30 by time",
        "STARTED  proj.tasks.number_29",
        "? help",
        "q quit",
    ] {
        assert!(picture.contains(text), "{text} is not in\n{picture}");
    }
}

#[test]
fn no_size_is_too_small_to_draw() {
    for (width, height) in [(1, 1), (10, 3), (200, 5), (20, 100)] {
        let mut app = app();
        picture(&mut app, width, height);
        press(&mut app, KeyCode::Char('?'));
        picture(&mut app, width, height);
        press(&mut app, KeyCode::Esc);
        press(&mut app, KeyCode::Enter);
        picture(&mut app, width, height);
    }
}

#[test]
fn a_filter_shows_only_what_has_the_text() {
    let mut app = app();
    press(&mut app, KeyCode::Char('/'));
    type_in(&mut app, "number_17");
    press(&mut app, KeyCode::Enter);
    let picture = picture(&mut app, 80, 24);
    assert!(
        picture.contains("Tasks 1 by time, with \"number_17\""),
        "{picture}"
    );
    assert!(!picture.contains("number_29"), "{picture}");
}

#[test]
fn the_list_stands_still_while_somebody_chooses() {
    let mut app = app();
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::Down);
    let late = [
        ("uuid", Value::from("late")),
        ("name", Value::from("proj.late")),
    ];
    app.cluster.apply(&event("task-received", &late), NOW);
    assert!(!picture(&mut app, 80, 24).contains("proj.late"));
    press(&mut app, KeyCode::Enter);
    let details = picture(&mut app, 80, 24);
    assert!(details.contains("00000028-1111"), "{details}");
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Esc);
    assert!(picture(&mut app, 80, 24).contains("proj.late"));
}

#[test]
fn the_last_of_many_tasks_can_be_reached() {
    let mut app = app();
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::End);
    let picture = picture(&mut app, 80, 24);
    assert!(picture.contains("proj.tasks.number_0 "), "{picture}");
}

#[test]
fn revoking_asks_first() {
    let mut app = app();
    assert!(press(&mut app, KeyCode::Char('c')).is_none());
    assert!(picture(&mut app, 80, 24).contains("Revoke this task?"));
    assert!(press(&mut app, KeyCode::Char('n')).is_none());
    press(&mut app, KeyCode::Char('c'));
    let Some(Action::Send(request)) = press(&mut app, KeyCode::Char('t')) else {
        panic!("a request is sent");
    };
    assert_eq!(request.method, "revoke");
    assert_eq!(request.arguments.get("terminate"), Some(&Value::from(true)));
}

#[test]
fn a_rate_limit_is_typed() {
    let mut app = app();
    press(&mut app, KeyCode::Char('l'));
    type_in(&mut app, "10/x");
    press(&mut app, KeyCode::Backspace);
    type_in(&mut app, "m");
    let Some(Action::Send(request)) = press(&mut app, KeyCode::Enter) else {
        panic!("a request is sent");
    };
    assert_eq!(
        request.arguments.get("rate_limit"),
        Some(&Value::from("10/m"))
    );
    assert_eq!(
        request.arguments.get("task_name"),
        Some(&Value::from("proj.tasks.number_29"))
    );
}

#[test]
fn q_quits_but_not_while_something_is_typed() {
    let mut app = app();
    press(&mut app, KeyCode::Char('/'));
    assert!(press(&mut app, KeyCode::Char('q')).is_none());
    press(&mut app, KeyCode::Enter);
    assert!(matches!(
        press(&mut app, KeyCode::Char('q')),
        Some(Action::Quit)
    ));
}

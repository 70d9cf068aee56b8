//! The live screen: workers, queues and tasks, as Celery's curses monitor shows tasks. It owns the terminal and the loop;
//! what is shown is in `app`, how it looks in `draw`, what keys do in `keys`.

mod app;
mod details;
mod draw;
mod keys;
mod panels;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod view;

use std::time::Duration;

use broker::Admin;
use client::{Client, EventReceiver};
use jiff::Timestamp;
use protocol::control::Reply;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval};

use self::app::{Action, App, Queue, Request};
use self::terminal::{Key, Keys, Screen};
use super::camera::seconds;
use crate::error::Error;
use crate::signals::Signals;

/// How often the screen is drawn, whatever happens.
const FRAME: Duration = Duration::from_millis(250);
/// How often queues are counted.
const COUNT: Duration = Duration::from_secs(1);
/// Answers that wait to be shown.
const WAITING: usize = 16;

/// What other tasks tell the screen.
enum News {
    /// The queues were counted, or why not.
    Queues(Result<Vec<Queue>, String>),
    /// Workers answered a request of this title, or why not.
    Replies(String, Result<Vec<Reply>, String>),
}

/// Shows the screen until the person, a signal or the terminal's end says so.
///
/// # Errors
/// When events cannot be listened to or there is no terminal to draw on.
pub(crate) async fn run(client: Client, broker: String, color: bool) -> Result<(), Error> {
    let events = client.events("#").await?;
    let (news_sender, news) = mpsc::channel(WAITING);
    tokio::spawn(count_queues(client.clone(), news_sender.clone()));
    let mut show = Show {
        app: App::new(broker, color),
        events,
        news,
        keys: Keys::listen(),
        signals: Signals::listen()?,
        ticks: ticks(),
    };
    let mut screen = Screen::open()?;
    loop {
        show.app.now = seconds(Timestamp::now());
        screen.draw(|frame| draw::draw(frame, &mut show.app))?;
        match show.until_a_frame().await {
            Some(Action::Quit) => return Ok(()),
            Some(Action::Send(request)) => {
                tokio::spawn(send(client.clone(), request, news_sender.clone()));
            }
            None => {}
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(FRAME);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Everything that the screen listens to.
struct Show {
    app: App,
    events: EventReceiver,
    news: mpsc::Receiver<News>,
    keys: Keys,
    signals: Signals,
    ticks: Interval,
}

impl Show {
    /// Takes in events until it is time to draw: at a key, at news, or at the next frame.
    async fn until_a_frame(&mut self) -> Option<Action> {
        loop {
            // In this order: events without end must neither delay a key nor a frame.
            tokio::select! {
                biased;
                () = self.signals.next() => return Some(Action::Quit),
                key = self.keys.next() => return match key {
                    Some(Key::Pressed(key)) => keys::press(&mut self.app, key),
                    Some(Key::Resized) => None,
                    None => Some(Action::Quit),
                },
                _ = self.ticks.tick() => {
                    self.app.tick();
                    return None;
                }
                Some(news) = self.news.recv() => {
                    self.take(news);
                    return None;
                }
                event = self.events.next() => match event {
                    Some(event) => self.app.cluster.apply(&event, seconds(Timestamp::now())),
                    None => return Some(Action::Quit),
                },
            }
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Queues(Ok(queues)) => self.app.set_queues(queues),
            News::Queues(Err(error)) => self.app.notice = Some(format!("queues: {error}")),
            News::Replies(title, replies) => self.app.show_replies(title, replies),
        }
    }
}

/// Counts the queues again and again, until nobody looks.
async fn count_queues(client: Client, news: mpsc::Sender<News>) {
    let admin = &client.backends().admin;
    loop {
        let queues = count(&**admin).await.map_err(|error| error.to_string());
        if news.send(News::Queues(queues)).await.is_err() {
            return;
        }
        tokio::time::sleep(COUNT).await;
    }
}

async fn count(admin: &dyn Admin) -> broker::Result<Vec<Queue>> {
    let names = admin.queues().await?;
    let depths = admin.depth(&names).await?.into_iter();
    let queues = depths.map(|depth| Queue {
        ready: depth.ready(),
        name: depth.queue,
    });
    Ok(queues.collect())
}

async fn send(client: Client, request: Request, news: mpsc::Sender<News>) {
    let replies = client.control().request(request.method, request.arguments);
    let replies = replies.collect().await.map_err(|error| error.to_string());
    // Nobody may look any more.
    let _ = news.send(News::Replies(request.title, replies)).await;
}

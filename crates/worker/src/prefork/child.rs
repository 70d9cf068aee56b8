//! What runs in a child: takes messages from the worker, runs their tasks one after the other, tells how they ended.
//!
//! Tasks run on the thread that calls [`run_child`], so that one that computes keeps nobody from listening to the worker; the
//! runtime needs a thread besides.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::Tag;
use client::Client;
use futures_util::future::BoxFuture;
use protocol::{Codec, Limits, Message, TaskMeta, TaskRequest, Value};
use tokio::sync::mpsc;
use tracing::{Instrument, debug};

use super::link::{Receiver, Sender, link};
use super::record::{Ended, Frame, Start, settled};
use super::signals::{Signals, die};
use crate::acknowledger::Completion;
use crate::activity::Held;
use crate::bind::Arguments;
use crate::conclusion::RunEnd;
use crate::context::{Context, Sent};
use crate::engine::Engine;
use crate::executor::{span_of, work::caught};
use crate::registry::RegisteredTask;
use crate::{Failure, Hook, Outcome, Registry, WorkerError, WorkerSettings};

/// What a child needs: the same as its worker, but for the broker.
pub struct ChildParams {
    /// The tasks.
    pub registry: Registry,
    /// The worker's settings.
    pub settings: WorkerSettings,
    /// Called with the span of every run; the worker calls the rest.
    pub hooks: Vec<Arc<dyn Hook>>,
    /// Makes the client that tasks send with, before the first task.
    pub client: OpenClient,
}

/// Makes a client.
pub type OpenClient =
    Box<dyn FnOnce() -> BoxFuture<'static, Result<Client, Box<dyn Error + Send + Sync>>> + Send>;

impl fmt::Debug for ChildParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildParams")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Runs what the worker sends over the standard input until that ends. Must be called on the main thread of a runtime that has
/// another thread besides.
///
/// # Errors
/// When this process was not started by a worker.
pub async fn run_child(params: ChildParams) -> Result<(), WorkerError> {
    let socket = take_socket().map_err(WorkerError::Child)?;
    let (receiver, sender) = link(socket, params.settings.limits.payload);
    let signals = Signals::default();
    signals.listen().map_err(WorkerError::Child)?;
    let (starts, mut work) = mpsc::channel(1);
    let listener = Arc::new(Listener {
        signals,
        current: Mutex::default(),
        answers: Mutex::default(),
    });
    tokio::spawn(Arc::clone(&listener).listen(receiver, starts));
    tell(&sender, &Frame::Ready).await;
    let Some(first) = work.recv().await else {
        return Ok(());
    };
    let engine = match open(params, &sender, &listener).await {
        Ok(engine) => engine,
        Err(error) => {
            let why = Failure::builtin("ConnectionError", vec![Value::Str(error.to_string())]);
            // The task was not begun: the worker takes it elsewhere.
            tell(&sender, &Frame::Unable(why.exception.repr())).await;
            work.recv().await;
            return Ok(());
        }
    };
    let child = RunningChild {
        engine,
        sender,
        listener,
    };
    let mut next = Some(first);
    while let Some(start) = next {
        child.run(start).await;
        next = work.recv().await;
    }
    Ok(())
}

/// The socket that is the standard input; tasks find nothing in its place.
fn take_socket() -> io::Result<tokio::net::UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    socket.peer_addr()?;
    nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
    tokio::net::UnixStream::from_std(socket)
}

async fn open(
    params: ChildParams,
    sender: &Sender,
    listener: &Arc<Listener>,
) -> Result<Arc<Engine>, Box<dyn Error + Send + Sync>> {
    let client = (params.client)().await?;
    let (engine, outlets) = Engine::new(client, params.registry, params.settings, params.hooks)?;
    let keeper = keep_states(outlets.completions, sender.clone(), Arc::clone(listener));
    tokio::spawn(keeper);
    Ok(engine)
}

/// Hands the states that tasks store to the worker, one after the other.
async fn keep_states(
    mut completions: mpsc::Receiver<Box<Completion>>,
    sender: Sender,
    listener: Arc<Listener>,
) {
    while let Some(completion) = completions.recv().await {
        let Some(meta) = completion.settlement.store else {
            continue;
        };
        let answer = match encoded(&meta) {
            Ok(meta) => listener.ask(&sender, Frame::Keep(meta)).await,
            Err(error) => {
                debug!(%error, "a state cannot be encoded");
                None
            }
        };
        if let (Some(reply), Some(answer)) = (completion.reply, answer) {
            // Whoever waited may have been cancelled.
            let _ = reply.send(Ok(settled(answer)));
        }
    }
}

fn encoded(meta: &TaskMeta) -> Result<Vec<u8>, protocol::EncodeError> {
    meta.encode(Codec::Json, None)
}

/// Hears what the worker says while a task runs.
#[derive(Debug)]
struct Listener {
    signals: Signals,
    current: Mutex<Option<Arc<Context>>>,
    answers: Mutex<Option<mpsc::Sender<Option<u8>>>>,
}

impl Listener {
    async fn listen(self: Arc<Self>, mut receiver: Receiver, starts: mpsc::Sender<Start>) {
        while let Ok(Some(frame)) = receiver.next().await {
            match frame {
                Frame::Start(start) => {
                    // What the last run still asks is not answered any more.
                    *lock(&self.answers) = None;
                    // The channel ends with the process.
                    let _ = starts.send(start).await;
                }
                Frame::Cancel => {
                    if let Some(ctx) = &*lock(&self.current) {
                        ctx.cancel();
                    }
                }
                Frame::Terminate => self.signals.announced(),
                Frame::Kept(answer) => {
                    if let Some(waiting) = lock(&self.answers).take() {
                        // Whoever waited may have been cancelled.
                        let _ = waiting.try_send(answer);
                    }
                }
                _ => break,
            }
        }
        // The worker is gone, or speaks nonsense. What runs here is run again elsewhere.
        if lock(&self.current).is_some() {
            die();
        }
    }

    /// Sends a frame and waits for what comes of it.
    async fn ask(&self, sender: &Sender, frame: Frame) -> Option<u8> {
        let (waiting, mut answer) = mpsc::channel(1);
        *lock(&self.answers) = Some(waiting);
        sender.send(&frame).await.ok()?;
        answer.recv().await.flatten()
    }
}

struct RunningChild {
    engine: Arc<Engine>,
    sender: Sender,
    listener: Arc<Listener>,
}

impl RunningChild {
    async fn run(&self, start: Start) {
        // Whatever the task does to this process, it is known that it was begun.
        if let Ok(accepted) = self.sender.send(&Frame::Accepted).await {
            accepted.wait().await;
        }
        let (end, sent) = match self.prepare(start) {
            Ok((task, ctx)) => {
                *lock(&self.listener.current) = Some(Arc::clone(&ctx));
                (self.run_task(&task, &ctx).await, ctx.take_sent())
            }
            Err(failure) => (
                RunEnd::Raised(Outcome::Fail(Box::new(failure))),
                Sent::default(),
            ),
        };
        *lock(&self.listener.current) = None;
        let sent = match Ended::new(end, sent) {
            Ok(ended) => self.sender.send(&Frame::Ended(Box::new(ended))).await,
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = sent {
            self.tell_unsendable(&error).await;
        }
    }

    /// A result that cannot be handed on is a failure, as one that cannot be stored.
    async fn tell_unsendable(&self, error: &io::Error) {
        let text = format!("the result cannot be encoded: {error}");
        let failure = Failure::new("EncodeError", "kombu.exceptions", vec![Value::Str(text)]);
        let end = RunEnd::Raised(Outcome::Fail(Box::new(failure)));
        if let Ok(ended) = Ended::new(end, Sent::default()) {
            tell(&self.sender, &Frame::Ended(Box::new(ended))).await;
        }
    }

    fn prepare(&self, start: Start) -> Result<(Arc<RegisteredTask>, Arc<Context>), Failure> {
        let settings = &self.engine.settings;
        let envelope = Limits {
            payload: usize::MAX,
            ..settings.limits
        };
        let message = Message::from_envelope(&start.envelope, &envelope)
            .map_err(|error| Failure::from_error(&error))?;
        let request =
            TaskRequest::from_message(&message, &settings.accept_content, &settings.limits)
                .map_err(|error| Failure::from_error(&error))?;
        let task = self.engine.registry.get(&request.task).cloned();
        let task = task
            .ok_or_else(|| Failure::celery("NotRegistered", vec![request.task.as_str().into()]))?;
        let tag = Tag("".into());
        let size = message.body.len();
        let held = Held::new(
            tag,
            start.queue.into(),
            start.redelivered,
            Box::new(request),
            size,
        );
        Ok((task, Arc::new(Context::new(Arc::clone(&self.engine), held))))
    }

    async fn run_task(&self, task: &RegisteredTask, ctx: &Arc<Context>) -> RunEnd {
        let span = span_of(ctx.request());
        let hooks = &self.engine.hooks;
        hooks.iter().for_each(|hook| hook.on_span(ctx, &span));
        let arguments = Arguments {
            args: ctx.request().args.clone(),
            kwargs: ctx.request().kwargs.clone(),
        };
        let run = caught(task.run(arguments, Arc::clone(ctx)));
        until_told(run, ctx).instrument(span).await
    }
}

/// Runs the task; one that never asks whether it should end is ended by its soft limit, at its next await.
async fn until_told(mut run: impl Future<Output = RunEnd> + Unpin, ctx: &Context) -> RunEnd {
    tokio::select! {
        biased;
        end = &mut run => return end,
        () = ctx.told_to_end() => {}
    }
    if ctx.observes_cancellation() {
        run.await
    } else {
        RunEnd::SoftTimeLimit
    }
}

/// Sends what nobody needs any more when the worker is gone.
async fn tell(sender: &Sender, frame: &Frame) {
    let _ = sender.send(frame).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

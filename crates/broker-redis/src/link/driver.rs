//! Who writes and reads on a connection: a task of its own, or whoever sends while nobody else does.
//!
//! A lone sender takes the driver's next step itself, on its own thread: waking the driver's task and waiting for its turn would
//! cost more than the server does. As soon as several send at once, the task writes for all of them together.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use tokio_util::task::AbortOnDropHandle;

type Steps = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The driver of one connection; its task ends with the last clone.
#[derive(Clone)]
pub(crate) struct Driver {
    inner: Arc<Inner>,
    _task: Arc<AbortOnDropHandle<()>>,
}

struct Inner {
    /// `None` when the connection has ended.
    steps: Mutex<Option<Steps>>,
    signal: Arc<Signal>,
    waker: Waker,
    under_way: AtomicUsize,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

impl Driver {
    /// Starts the driver's task.
    pub(super) fn start(steps: impl Future<Output = ()> + Send + 'static) -> Self {
        let signal = Arc::new(Signal::default());
        let inner = Arc::new(Inner {
            steps: Mutex::new(Some(Box::pin(steps))),
            waker: Waker::from(Arc::clone(&signal)),
            signal,
            under_way: AtomicUsize::new(0),
        });
        let driven = Arc::clone(&inner);
        let task = poll_fn(move |context| {
            driven.signal.task.register(context.waker());
            driven.step(&mut lock(&driven.steps))
        });
        Self {
            inner,
            _task: Arc::new(AbortOnDropHandle::new(tokio::spawn(task))),
        }
    }

    /// Carries a request of this connection out.
    pub(super) async fn carry<T>(&self, request: impl Future<Output = T>) -> T {
        let under_way = UnderWay::enter(&self.inner.under_way);
        let mut request = pin!(request);
        let mut alone = under_way.alone;
        poll_fn(|context| {
            if !std::mem::take(&mut alone) {
                return request.as_mut().poll(context);
            }
            let polled = Silence::keep(|| request.as_mut().poll(context));
            if polled.is_pending() {
                self.inner.step_or_signal();
            }
            polled
        })
        .await
    }
}

impl Inner {
    fn step(&self, steps: &mut Option<Steps>) -> Poll<()> {
        let Some(future) = steps else {
            return Poll::Ready(());
        };
        let polled = future.as_mut().poll(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            *steps = None;
            self.signal.task.wake();
        }
        polled
    }

    /// Takes a step here. Whoever takes one just now may have looked for requests already, so the task must look again.
    fn step_or_signal(&self) {
        match self.steps.try_lock() {
            Ok(mut steps) => {
                // What is left to do is the task's, which is woken for it.
                let _rest = self.step(&mut steps);
            }
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => self.signal.task.wake(),
        }
    }
}

fn lock(steps: &Mutex<Option<Steps>>) -> MutexGuard<'_, Option<Steps>> {
    steps.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a request while it is under way.
struct UnderWay<'a> {
    count: &'a AtomicUsize,
    alone: bool,
}

impl<'a> UnderWay<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        let alone = count.fetch_add(1, Ordering::Relaxed) == 0;
        Self { count, alone }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Wakes the driver's task.
#[derive(Default)]
struct Signal {
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !SILENT.get() {
            self.task.wake();
        }
    }
}

thread_local! {
    /// Whether this thread hands a request over that it carries out itself at once.
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Nobody is woken meanwhile.
struct Silence;

impl Silence {
    fn keep<T>(action: impl FnOnce() -> T) -> T {
        SILENT.set(true);
        let _silence = Self;
        action()
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        SILENT.set(false);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    type Request = (u32, oneshot::Sender<(u32, std::thread::ThreadId)>);

    /// Answers requests, and says on which thread.
    fn echo() -> (mpsc::Sender<Request>, Driver) {
        let (sender, mut requests) = mpsc::channel::<Request>(4);
        let driver = Driver::start(async move {
            while let Some((number, answer)) = requests.recv().await {
                let _gone = answer.send((number, std::thread::current().id()));
            }
        });
        (sender, driver)
    }

    async fn ask(sender: &mpsc::Sender<Request>, number: u32) -> (u32, std::thread::ThreadId) {
        let (answer, answered) = oneshot::channel();
        sender
            .send((number, answer))
            .await
            .expect("the driver lives");
        answered.await.expect("it answers")
    }

    /// Not always: a runtime lets nobody go on for ever without giving others a turn, the driver's task among them.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_lone_sender_is_mostly_served_on_its_own_thread() {
        let (sender, driver) = echo();
        let mut served_here = 0;
        for number in 0..100 {
            let asked = async { (std::thread::current().id(), ask(&sender, number).await) };
            let (here, (answer, there)) = driver.carry(asked).await;
            assert_eq!(answer, number);
            served_here += u32::from(here == there);
        }
        assert!(served_here > 50, "only {served_here} of 100");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_senders_are_all_served() {
        let (sender, driver) = echo();
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..2_000 {
            let (sender, driver) = (sender.clone(), driver.clone());
            asking.spawn(async move { driver.carry(ask(&sender, number)).await.0 });
        }
        let mut answers = asking.join_all().await;
        answers.sort_unstable();
        assert_eq!(answers, (0..2_000).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_driver_that_has_ended_ends_its_task_and_fails_what_comes() {
        let (sender, mut requests) = mpsc::channel::<Request>(1);
        let driver = Driver::start(async move {
            requests.recv().await;
        });
        let (answer, answered) = oneshot::channel();
        let asked = async {
            sender.send((1, answer)).await.expect("it is still there");
            answered.await
        };
        assert!(driver.carry(asked).await.is_err());
        let (answer, _answered) = oneshot::channel();
        assert!(driver.carry(sender.send((2, answer))).await.is_err());
    }
}

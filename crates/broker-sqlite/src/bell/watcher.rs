//! Hearing the bell: through inotify on Linux, by looking at the small file's numbers where that is missing.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Bell, LOOK_ANYWAY};

/// Between two looks at the bell's file where the system does not tell of changes.
const WITHOUT_NOTICE: Duration = Duration::from_millis(20);

/// Listens for ever.
pub(super) async fn listen(bell: Arc<Bell>) {
    match changes::Changes::of(&bell.path) {
        Ok(mut changes) => loop {
            bell.compare();
            // An elapsed time-out is the look that covers a lost event.
            timeout(LOOK_ANYWAY, changes.next()).await.ok();
        },
        Err(error) => {
            tracing::warn!(%error, "the system does not tell of changes to the bell; looking every {WITHOUT_NOTICE:?}");
            loop {
                bell.compare();
                sleep(WITHOUT_NOTICE).await;
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod changes {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
    use tokio::io::unix::AsyncFd;

    #[expect(
        deprecated,
        reason = "its flaw is types that change their descriptor; an OwnedFd cannot, and unsafe is forbidden"
    )]
    fn registered(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
        AsyncFd::new(fd)
    }

    /// The kernel's notices of changes to one file.
    pub(super) struct Changes(AsyncFd<OwnedFd>);

    impl Changes {
        pub(super) fn of(path: &Path) -> io::Result<Self> {
            let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
            inotify.add_watch(path, AddWatchFlags::IN_MODIFY)?;
            Ok(Self(registered(inotify.into())?))
        }

        /// Waits for a change and swallows all notices that are there.
        pub(super) async fn next(&mut self) {
            let mut notices = [0; 4096];
            let Ok(mut guard) = self.0.readable().await else {
                return std::future::pending().await;
            };
            // A would-block result only means that somebody was quicker; the caller compares numbers anyway.
            guard
                .try_io(|fd| Ok(nix::unistd::read(fd, &mut notices)?))
                .ok();
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod changes {
    use std::io;
    use std::path::Path;

    /// No notices here.
    pub(super) struct Changes;

    impl Changes {
        pub(super) fn of(_: &Path) -> io::Result<Self> {
            Err(io::Error::from(io::ErrorKind::Unsupported))
        }

        pub(super) async fn next(&mut self) {
            std::future::pending().await
        }
    }
}

//! Frames over a socket: each with its length in front, bounded.

use std::io;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::record::{Frame, decode, encode};

/// What a frame may hold besides the message or the result.
const ROOM: usize = 1 << 20;
/// Frames that may wait to be written.
const WAITING: usize = 16;

/// The end that frames are read from.
#[derive(Debug)]
pub(super) struct Receiver(FramedRead<OwnedReadHalf, LengthDelimitedCodec>);

/// The end that frames are written to; dropping all of them tells the other side that nothing more comes.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    frames: mpsc::Sender<(Bytes, oneshot::Sender<()>)>,
    largest: usize,
}

/// Both ends of this side; `payload` is the largest message or result in bytes. Must be called within the runtime.
pub(super) fn link(stream: UnixStream, payload: usize) -> (Receiver, Sender) {
    let (read, write) = stream.into_split();
    // A body of bytes travels as base64.
    let largest = (payload / 3).saturating_mul(4).saturating_add(ROOM);
    let codec = || {
        LengthDelimitedCodec::builder()
            .max_frame_length(largest)
            .new_codec()
    };
    let (frames, mut waiting) = mpsc::channel::<(Bytes, oneshot::Sender<()>)>(WAITING);
    let mut write = FramedWrite::new(write, codec());
    tokio::spawn(async move {
        while let Some((frame, written)) = waiting.recv().await {
            // Whoever reads the other end notices that this side is gone.
            if write.send(frame).await.is_err() {
                return;
            }
            // Most do not wait for it.
            let _ = written.send(());
        }
    });
    let read = Receiver(FramedRead::new(read, codec()));
    (read, Sender { frames, largest })
}

impl Receiver {
    /// The next frame; `None` when the other side is gone. Cancel-safe.
    ///
    /// # Errors
    /// When what comes is no frame; nothing sound can follow.
    pub(super) async fn next(&mut self) -> io::Result<Option<Frame>> {
        match self.0.next().await {
            Some(Ok(bytes)) => decode(&bytes).map(Some).map_err(io::Error::other),
            Some(Err(error)) if is_gone(&error) => Ok(None),
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }
}

impl Sender {
    /// Sends a frame; waits while too many are waiting to be written.
    ///
    /// # Errors
    /// When the frame is too large or has no form, or the other side is gone; nothing of it was sent then.
    pub(super) async fn send(&self, frame: &Frame) -> io::Result<Written> {
        let bytes = encode(frame).map_err(io::Error::other)?;
        if bytes.len() > self.largest {
            let (size, largest) = (bytes.len(), self.largest);
            return Err(io::Error::other(format!(
                "{size} bytes for another process, the limit is {largest}"
            )));
        }
        let (done, written) = oneshot::channel();
        let sent = self.frames.send((bytes.into(), done)).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(Written(written))
    }
}

/// A frame on its way out.
#[derive(Debug)]
pub(super) struct Written(oneshot::Receiver<()>);

impl Written {
    /// Waits until the frame survives the death of this process.
    pub(super) async fn wait(self) {
        // An error says that the other side is gone.
        let _ = self.0.await;
    }
}

/// Whether the error says only that the other side has ended, perhaps in the middle of a frame.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
        || error.to_string() == "bytes remaining on stream"
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn pair() -> (Receiver, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (link(ours, 1_000).0, theirs)
    }

    #[tokio::test]
    async fn frames_arrive_whole_and_the_end_is_noticed() {
        let (mut receiver, theirs) = pair();
        let (kept, sender) = link(theirs, 1_000);
        sender.send(&Frame::Ready).await.unwrap();
        sender.send(&Frame::Unable("no".to_owned())).await.unwrap();
        assert!(matches!(receiver.next().await, Ok(Some(Frame::Ready))));
        assert!(matches!(receiver.next().await, Ok(Some(Frame::Unable(why))) if why == "no"));
        drop((sender, kept));
        assert!(matches!(receiver.next().await, Ok(None)));
    }

    #[tokio::test]
    async fn a_frame_that_is_huge_is_neither_sent_nor_read() {
        let (mut receiver, mut theirs) = pair();
        theirs.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        assert!(receiver.next().await.is_err());
        let (_, theirs) = pair();
        let (_kept, sender) = link(theirs, 1_000);
        let huge = Frame::Keep(vec![0; ROOM + 2_000]);
        assert!(sender.send(&huge).await.is_err());
    }

    #[tokio::test]
    async fn garbage_is_an_error() {
        let (mut receiver, mut theirs) = pair();
        theirs.write_all(&[0, 0, 0, 3, 9, 9, 9]).await.unwrap();
        assert!(receiver.next().await.is_err());
    }

    #[tokio::test]
    async fn an_end_in_the_middle_of_a_frame_is_an_end() {
        let (mut receiver, mut theirs) = pair();
        theirs.write_all(&[0, 0, 0, 9, 1]).await.unwrap();
        drop(theirs);
        assert!(matches!(receiver.next().await, Ok(None)));
    }
}

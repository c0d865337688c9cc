//! Random messages: read, sent, compared, echoed, over whatever sends pieces.

use std::fs;

use bytes::Bytes;
use futures::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::Semaphore;

use crate::Failure;

/// So many messages may be under way at once.
const IN_FLIGHT: usize = 16;

/// A message, and the fragments in which to send it.
pub struct Message {
    pub text: bool,
    pub payload: Bytes,
    pub fragments: Vec<usize>,
}

/// What is sent.
pub enum Piece {
    /// A fragment, or a message when it is the first and the last.
    Data {
        text: bool,
        first: bool,
        last: bool,
        payload: Bytes,
    },
    /// A close with 1000.
    Close,
}

impl Message {
    /// The same message in one piece.
    pub fn whole(mut self) -> Self {
        self.fragments = vec![self.payload.len()];
        self
    }

    /// The fragments to send.
    fn pieces(self) -> Vec<Piece> {
        let mut rest = self.payload;
        let count = self.fragments.len();
        let piece = |(index, size)| Piece::Data {
            text: self.text,
            first: index == 0,
            last: index == count - 1,
            payload: rest.split_to(size),
        };
        self.fragments.into_iter().enumerate().map(piece).collect()
    }
}

/// The messages of a file.
pub fn read(path: &str) -> Result<Vec<Message>, Failure> {
    let mut rest = Bytes::from(fs::read(path)?);
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let text = rest.split_to(1)[0] == 1;
        let mut number = || {
            let bytes = rest.split_to(4);
            u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
        };
        let count = number();
        let fragments: Vec<usize> = (0..count).map(|_| number()).collect();
        let payload = rest.split_to(fragments.iter().sum());
        messages.push(Message {
            text,
            payload,
            fragments,
        });
    }
    Ok(messages)
}

/// Sends every message and compares what comes back.
pub async fn exchange<E: Into<Failure>>(
    mut sink: impl Sink<Piece, Error = E> + Unpin,
    mut stream: impl Stream<Item = Result<(bool, Bytes), Failure>> + Unpin,
    messages: Vec<Message>,
) -> Result<(), Failure> {
    let room = Semaphore::new(IN_FLIGHT);
    let wanted: Vec<(bool, Bytes)> = messages
        .iter()
        .map(|message| (message.text, message.payload.clone()))
        .collect();
    let send = async {
        for message in messages {
            room.acquire().await?.forget();
            for piece in message.pieces() {
                sink.feed(piece).await.map_err(Into::into)?;
            }
            sink.flush().await.map_err(Into::into)?;
        }
        Ok::<_, Failure>(())
    };
    let receive = async {
        for (index, message) in wanted.iter().enumerate() {
            let got = stream.next().await;
            let got = got.ok_or_else(|| format!("message {index}: the end came instead"))?;
            let got = got.map_err(|error| format!("message {index}: {error}"))?;
            if got != *message {
                let (text, bytes) = (got.0, got.1.len());
                let same = format!("text {text}, {bytes} bytes of {}", message.1.len());
                return Err(format!("message {index} came back different: {same}").into());
            }
            room.add_permits(1);
        }
        Ok(())
    };
    futures::try_join!(send, receive)?;
    sink.send(Piece::Close).await.map_err(Into::into)?;
    match stream.next().await {
        Some(Ok(_)) => Err("a message after the last one".into()),
        _ => Ok(()),
    }
}

/// Sends every message back, in fragments of its own that `able` may change.
pub async fn echo<E: Into<Failure>>(
    mut sink: impl Sink<Piece, Error = E> + Unpin,
    mut stream: impl Stream<Item = Result<(bool, Bytes), Failure>> + Unpin,
    able: fn(Message) -> Message,
) -> Result<(), Failure> {
    let mut random = Random(88_172_645_463_325_252);
    while let Some(message) = stream.next().await {
        let (text, payload) = message?;
        let fragments = random.fragments(payload.len());
        let message = Message {
            text,
            payload,
            fragments,
        };
        for piece in able(message).pieces() {
            sink.feed(piece).await.map_err(Into::into)?;
        }
        sink.flush().await.map_err(Into::into)?;
    }
    Ok(())
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    /// Half the messages are whole, the others in up to eight fragments.
    fn fragments(&mut self, size: usize) -> Vec<usize> {
        let count = if self.below(2) == 0 { 0 } else { self.below(8) };
        let mut cuts: Vec<usize> = (0..count).map(|_| self.below(size + 1)).collect();
        cuts.extend([0, size]);
        cuts.sort_unstable();
        cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

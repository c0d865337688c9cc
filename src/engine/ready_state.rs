//! The four states that a browser's WebSocket knows.

/// How far a connection has come, with the numbers of `readyState` in browsers and in `ws`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[expect(clippy::exhaustive_enums, reason = "browsers know these four")]
pub enum ReadyState {
    /// 0: the handshake is not complete.
    Connecting = 0,
    /// 1: messages pass.
    Open = 1,
    /// 2: the closing handshake has begun, or the connection has failed and is being ended.
    Closing = 2,
    /// 3: nothing passes any more.
    Closed = 3,
}

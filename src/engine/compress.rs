//! Whether one message is compressed.

/// Whether a message that is sent is to be coded by the extension in use.
///
/// It is a wish of the sender for one message; the receiver takes either form at any time
/// (RFC 7692 §6). Without an extension it changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compress {
    /// As the extension finds it worth while: permessage-deflate leaves short messages as they
    /// are, and those that do not become smaller.
    #[default]
    Auto,
    /// Never: for what is compressed already, and for messages that hold a secret beside text
    /// that somebody else has chosen, whose size would tell about the secret (RFC 7692 §8).
    Never,
    /// Always, even where it makes the message longer.
    Always,
}

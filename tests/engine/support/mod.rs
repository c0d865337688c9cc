//! What the tests of the engine share.

pub(crate) mod chunks;
pub(crate) mod hex;
pub(crate) mod oracle;
pub(crate) mod pair;
pub(crate) mod raw_peer;
pub(crate) mod receiver;
pub(crate) mod streams;
pub(crate) mod verdicts;

//! The floors: the reads and writes of an echo server, without the work in between.

pub mod decoder;
pub mod epoll;
pub mod gauge;
pub mod tokio;

//! The protocol, with no socket, clock, entropy or thread of its own.

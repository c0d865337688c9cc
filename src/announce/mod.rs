//! The announcement server.

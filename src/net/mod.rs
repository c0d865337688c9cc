//! tokio drives an engine over any stream of bytes.

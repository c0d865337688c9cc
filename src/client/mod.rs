//! Opening a connection.

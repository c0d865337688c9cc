// Two open ends of one connection in memory. The examples of the manual include this file.

type End = framewire::net::WebSocket<tokio::io::DuplexStream>;

/// The client's end and the server's.
fn pair() -> (End, End) {
    pair_with(framewire::engine::Limits::default())
}

fn pair_with(limits: framewire::engine::Limits) -> (End, End) {
    use framewire::engine::{Connection, Role, Timestamp};

    let limits = std::sync::Arc::new(limits);
    let (near, far) = tokio::io::duplex(4096);
    let end = |stream, role| {
        // A seed that is known will do where nobody else listens.
        let connection = Connection::new(role, limits.clone(), Timestamp::ZERO, [7; 32]);
        End::new(stream, connection, Vec::new())
    };
    (end(near, Role::Client), end(far, Role::Server))
}

//! The keys of the process: where it listens, what it bears, where it keeps things.

use crate::announce::config::rule::{FILE, FOLDER, HOST, LISTEN, NATS_URL, NETWORK, SUBJECT};
use crate::announce::config::table::row::Kind::{
    Choice, Flag, Map, Rate, Size, Text, Texts, Time, Whole,
};
use crate::announce::config::table::row::Presence::{Default, Optional};
use crate::announce::config::table::row::table;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const HOUR: u64 = 3_600_000;

table! { ROWS:
    "server" Map, Optional, Restart,
        "Where the server listens, and for whom.";
    "server.listen" Text(LISTEN), Default("127.0.0.1:4000"), Restart,
        "The address and port. The environment variable PORT replaces the port.";
    "server.data" Text(FOLDER), Default("data"), Restart,
        "The folder for what the server keeps.";
    "server.tls" Map, Optional, Restart,
        "A certificate, for wss and https.";
    "server.tls.cert" Text(FILE), Optional, Restart,
        "The file with the chain of certificates in PEM.";
    "server.tls.key" Text(FILE), Optional, Restart,
        "The file with the private key in PEM.";
    "server.trusted_proxies" Texts(NETWORK), Default(""), Reload,
        "Addresses and networks of proxies that are believed about who connects through them: \
         the last address in X-Forwarded-For that is none of theirs, or in Forwarded where there \
         is no such header, and X-Forwarded-Proto.";
    //= A09
    "server.allow_cleartext" Flag, Default("false"), Restart,
        "Whether to listen beyond this machine without a certificate: behind a proxy that has one.";
    "server.hosts" Texts(HOST), Default(""), Reload,
        "What a request may be addressed to, at any port unless one is given; with none, \
         whatever it is.";
    "server.profile" Choice(&["development", "production"]), Default("development"), Restart,
        "In production the server does not start with what is unsafe; in development it warns.";
    //= B56
    "limits" Map, Optional, Reload,
        "What the server bears.";
    "limits.connections" Whole(1, 10_000_000), Default("100000"), Restart,
        "Connections at once.";
    "limits.connections_per_ip" Whole(1, 10_000_000), Default("4096"), Restart,
        "Connections at once of one address.";
    "limits.connections_per_user" Whole(1, 10_000), Default("20"), Reload,
        "Connections at once of one person.";
    "limits.accept_rate" Rate, Default("2000/s"), Restart,
        "New connections, and how many at once in that time; one more is answered 503, or \
         over TLS closed.";
    "limits.message" Size(KIB, 64 * MIB), Default("64KiB"), Restart,
        "The largest message. One that is no event for the bus has 64 KiB at most.";
    "limits.message_unauthenticated" Size(256, MIB), Default("16KiB"), Reload,
        "The largest message before signing in.";
    "limits.messages" Map, Optional, Reload,
        "Messages of one connection.";
    "limits.messages.rate" Rate, Default("1000/s"), Reload,
        "How many in the long run.";
    "limits.messages.burst" Whole(1, 1_000_000), Default("2000"), Reload,
        "How many at once.";
    "limits.publish" Map, Optional, Reload,
        "Announcements of one person.";
    "limits.publish.rate" Rate, Default("100/s"), Reload,
        "How many in the long run.";
    "limits.publish.burst" Whole(1, 1_000_000), Default("500"), Reload,
        "How many at once.";
    "limits.queue" Map, Optional, Restart,
        "What waits for one connection that receives slowly; beyond, it is closed with 4508.";
    "limits.queue.bytes" Size(4 * KIB, 1024 * MIB), Default("64MiB"), Restart,
        "So many bytes. Connections share those of what is announced to all of them.";
    "limits.queue.messages" Whole(1, 1_000_000), Default("4096"), Restart,
        "So many messages.";
    "limits.handshake" Map, Optional, Restart,
        "The request that opens a connection.";
    "limits.handshake.time" Time(100, 60_000), Default("5s"), Restart,
        "How long it may take.";
    "limits.handshake.bytes" Size(KIB, MIB), Default("16KiB"), Restart,
        "How large it may be.";
    "limits.handshake.headers" Whole(8, 256), Default("64"), Restart,
        "How many headers it may have.";
    "limits.compression" Map, Optional, Restart,
        "Compression of messages (permessage-deflate).";
    "limits.compression.enabled" Flag, Default("false"), Restart,
        "Whether it is agreed on with clients that offer it and whose request carries a token, \
         in the cookie or a subprotocol: nothing is expanded for whoever has not signed in.";
    "limits.compression.max_ratio" Whole(2, 1000), Default("20"), Restart,
        "How many times its size a message may grow when it is expanded to more than 64 KiB; \
         beyond, it closes the connection with 1009, as one does that is too large.";
    "heartbeat" Map, Optional, Restart,
        "How a connection shows that it is alive.";
    "heartbeat.interval" Time(1000, HOUR), Default("25s"), Restart,
        "How long it may be silent before it is pinged.";
    "heartbeat.jitter" Time(0, HOUR), Default("5s"), Restart,
        "How far pings are spread, so that they do not leave together.";
    "heartbeat.timeout" Time(100, HOUR), Default("10s"), Restart,
        "How long the answer may take.";
    "shutdown" Map, Optional, Reload,
        "How the server stops.";
    "shutdown.drain" Time(0, HOUR), Default("30s"), Reload,
        "How long connections have to leave.";
    "shutdown.slot" Time(0, 60_000), Default("20ms"), Reload,
        "How far apart clients are told to come back.";
    "store" Map, Optional, Restart,
        "Where announcements are kept.";
    "store.driver" Choice(&["sqlite"]), Default("sqlite"), Restart,
        "The kind of store.";
    "store.path" Text(FILE), Optional, Restart,
        "Its file; by default announce.db in the data folder.";
    "store.shared" Flag, Default("false"), Restart,
        "Whether several servers of this machine share the store; rates, bounds, rooms and \
         connections stay those of each.";
    "bus" Map, Optional, Restart,
        "How servers tell each other.";
    "bus.driver" Choice(&["local", "nats"]), Default("local"), Restart,
        "Within this process, or by NATS.";
    "bus.url" Text(NATS_URL), Optional, Restart,
        "The NATS server.";
    "bus.prefix" Text(SUBJECT), Default("ann"), Restart,
        "What all subjects begin with.";
    "observe" Map, Optional, Restart,
        "What the server tells about itself.";
    "observe.metrics" Flag, Default("true"), Restart,
        "Whether there is a page of metrics.";
    "observe.log" Choice(&["text", "json"]), Default("text"), Restart,
        "How the log is written.";
}

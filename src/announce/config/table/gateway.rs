//! The keys of the event bus endpoint.

use crate::announce::config::rule::{
    FILE, HTTP_URL, LABEL, NAMESPACE, ORIGIN, PATH, TOPIC, VARIABLE,
};
use crate::announce::config::table::row::Kind::{Choice, Flag, Map, Maps, Text, Texts, Time};
use crate::announce::config::table::row::Presence::{Default, Optional, Required};
use crate::announce::config::table::row::table;

table! { ROWS:
    "gateway" Map, Optional, Restart,
        "The event bus endpoint and what goes with it.";
    //= B03
    "gateway.socket" Map, Optional, Restart,
        "The endpoint. Where it is absent, there is none.";
    "gateway.socket.path" Text(PATH), Required, Restart,
        "The path at which sockets are opened; no other path that begins with it is meant.";
    "gateway.socket.onconnect" Map, Optional, Reload,
        "What happens when somebody has connected and signed in.";
    "gateway.socket.onconnect.publish" Text(TOPIC), Required, Reload,
        "The topic on which the server publishes it.";
    "gateway.socket.onmessage" Map, Optional, Reload,
        "What happens when a message arrives.";
    "gateway.socket.onmessage.publish" Text(TOPIC), Required, Reload,
        "The topic on which the server publishes every message.";
    //= B08
    "gateway.socket.onmessage.types" Maps(10_000), Optional, Reload,
        "Topics for messages of certain types, published after the topic for all.";
    "gateway.socket.onmessage.types[].type" Text(LABEL), Required, Reload,
        "The `type` of the message, compared letter by letter; no type is listed twice.";
    "gateway.socket.onmessage.types[].publish" Text(TOPIC), Required, Reload,
        "The topic on which the server publishes messages of this type as well.";
    "gateway.socket.onclose" Map, Optional, Reload,
        "What happens when a connection ends that was published as connected.";
    "gateway.socket.onclose.publish" Text(TOPIC), Required, Reload,
        "The topic on which the server publishes it, once.";
    "gateway.socket.send" Map, Optional, Reload,
        "How programs send to certain people.";
    //= B14
    "gateway.socket.send.subscribe" Text(TOPIC), Required, Reload,
        "The topic that the server listens on for messages to certain people.";
    "gateway.socket.broadcast" Map, Optional, Reload,
        "How programs send to everybody who is connected.";
    "gateway.socket.broadcast.subscribe" Text(TOPIC), Required, Reload,
        "The topic that the server listens on for messages to everybody.";
    "gateway.socket.broadcast.scope" Choice(&["namespace", "all-namespaces"]),
        Default("namespace"), Reload,
        "Who everybody is: the namespace of the program that sends, or all namespaces.";
    "gateway.namespace" Map, Optional, Reload,
        "What a connection without `?namespace=` is worth.";
    "gateway.namespace.required" Flag, Default("true"), Reload,
        "Whether a connection has to name its namespace.";
    "gateway.namespace.default" Text(NAMESPACE), Default("main"), Reload,
        "The namespace of a connection that names none, where it need not.";
    "gateway.origins" Texts(ORIGIN), Default(""), Reload,
        "The origins whose pages may connect to this endpoint; with none, those in `origins`.";
    "gateway.allow_raw" Flag, Default("false"), Reload,
        "Whether binary messages, and texts that are no JSON object, are published.";
    "gateway.handlers" Maps(1000), Optional, Reload,
        "Webhooks: what is published on a topic is posted to a URL, whose answer is the reply.";
    "gateway.handlers[].topic" Text(TOPIC), Required, Reload,
        "The topic.";
    "gateway.handlers[].url" Text(HTTP_URL), Required, Reload,
        "Where to post.";
    "gateway.handlers[].secret_env" Text(VARIABLE), Optional, Reload,
        "The environment variable with the secret that signs each post.";
    "gateway.handlers[].secret_file" Text(FILE), Optional, Reload,
        "The file with that secret.";
    "gateway.handlers[].timeout" Time(10, 60_000), Default("5s"), Reload,
        "How long an answer may take.";
}

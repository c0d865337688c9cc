//! What the manual promises to speak of.

const FROM_WS: &str = include_str!("../src/manual/from_ws.md");

/// The names of the interface of `ws` 8.
const NAMES: &[&str] = &[
    // WebSocket: options, events, members.
    "autoPong",
    "closeTimeout",
    "finishRequest",
    "followRedirects",
    "generateMask",
    "handshakeTimeout",
    "maxBufferedChunks",
    "maxFragments",
    "maxPayload",
    "maxRedirects",
    "origin",
    "perMessageDeflate",
    "protocolVersion",
    "skipUTF8Validation",
    "unexpected-response",
    "redirect",
    "upgrade",
    "addEventListener",
    "removeEventListener",
    "binaryType",
    "bufferedAmount",
    "extensions",
    "isPaused",
    "pause",
    "resume",
    "ping",
    "pong",
    "protocol",
    "readyState",
    "send",
    "terminate",
    "url",
    "close",
    "message",
    "open",
    "error",
    // WebSocketServer.
    "backlog",
    "clientTracking",
    "handleProtocols",
    "noServer",
    "verifyClient",
    "connection",
    "headers",
    "listening",
    "wsClientError",
    "address",
    "clients",
    "handleUpgrade",
    "shouldHandle",
    "createWebSocketStream",
];

//= E01 type=test
#[test]
fn every_name_of_ws_is_mapped_to_ours() {
    let missing: Vec<_> = NAMES
        .iter()
        .filter(|name| !FROM_WS.contains(**name))
        .collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}

#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: corpus/TARGET/NAME, one file for each row below.

A seed is a vector of the RFC or the smallest input that reaches a branch of its own. Change the
rows, run this, and commit both.
"""

import hashlib
import pathlib
import zlib

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = (
    b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: " + KEY + b"\r\n"
)
RESPONSE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)
MASK = bytes([0x37, 0xFA, 0x21, 0x3D])


def masked(first, payload, key=MASK):
    """A short frame as a client sends it."""
    body = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    return bytes([first, 0x80 | len(payload)]) + key + body


def to_server(*frames):
    """Frames for a server, behind the bytes that choose the role and the rest."""
    return lambda rest: bytes([1, *rest]) + b"".join(frames)


def to_client(*frames):
    """Frames for a client."""
    return lambda rest: bytes([0, *rest]) + b"".join(frames)


def pieces(size, text):
    """Text that arrives in pieces of one size."""
    return bytes([size]) + text


STREAMS = {
    "text-masked": to_server(masked(0x81, b"Hello")),
    "text-unmasked": to_client(b"\x81\x05Hello"),
    "fragments-with-a-ping": to_server(
        masked(0x01, b"Hel"), masked(0x89, b"?"), masked(0x00, b""), masked(0x80, b"lo")
    ),
    "character-in-two-fragments": to_client(b"\x01\x02\xf0\x9f", b"\x80\x02\x98\x80"),
    "text-not-utf8": to_client(b"\x81\x7d\xce\xba\xed\xa0\x80"),
    "length-of-16-bits": to_client(b"\x82\x7e\x00\x80" + bytes(128)),
    "length-of-64-bits": to_client(b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    "length-with-its-top-bit": to_server(b"\x82\xff\xff" + bytes(11)),
    "length-not-minimal": to_client(b"\x82\x7e\x00\x05Hello"),
    "two-faults": to_server(b"\xc9\xfe"),
    "pings": to_server(*[masked(0x89, bytes([n]) * n) for n in (0, 5, 120, 125, 1)]),
    "pong": to_client(b"\x8a\x02hi"),
    "close": to_server(masked(0x88, b"\x03\xe8bye"), masked(0x81, b"late")),
    "close-of-one-byte": to_client(b"\x88\x01\x03"),
    "continuation-of-nothing": to_client(b"\x80\x00"),
    "message-inside-a-message": to_client(b"\x01\x00", b"\x81\x00"),
    "empty-fragments": to_client(b"\x02\x00", b"\x00\x00" * 20, b"\x80\x00"),
    "reserved-opcode": to_client(b"\x81\x01a", b"\x83\x00"),
}

VERSION = b"Sec-WebSocket-Version: 13\r\n"


def deflated(text, bits=9, messages=1, keeps=True, before=b""):
    """A message in a window of 15 bits, behind the bytes that choose a smaller one for reading
    it, and how it comes: in so many messages, and in pieces of 40 bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(before) + packer.flush(zlib.Z_SYNC_FLUSH)
    packed = b"" if not before else packed
    packed += packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
    setting = next(it for it in range(0 if keeps else 0x80, 256) if 8 + it % 7 == bits)
    return bytes([setting, 40, messages - 1]) + packed.removesuffix(b"\x00\x00\xff\xff")


def last_block(text):
    """The same in a block that is said to be the last one, and one behind it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflated(b"")[:3] + packer.compress(text) + packer.flush() + b"\x00"


NOISE = hashlib.shake_128(b"noise").digest(400)

SEEDS = {
    "client_handshake": {
        "of-the-rfc": pieces(7, RESPONSE + b"Sec-WebSocket-Protocol: chat\r\n\r\n"),
        "frame-behind-the-head": pieces(1, RESPONSE + b"\r\n\x81\x05Hello"),
        "interim-answers": pieces(9, b"HTTP/1.1 100 Continue\r\n\r\n" * 8 + RESPONSE + b"\r\n"),
        "other-subprotocol": pieces(50, RESPONSE + b"Sec-WebSocket-Protocol: soap\r\n\r\n"),
        "extension-unasked": pieces(50, RESPONSE + b"Sec-WebSocket-Extensions: x\r\n\r\n"),
        "announced-body": pieces(50, RESPONSE + b"Content-Length: 5\r\n\r\nabcde"),
        "accept-twice": pieces(50, RESPONSE + RESPONSE.split(b"\r\n", 3)[3] + b"\r\n"),
        "refused": pieces(3, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
    },
    "close_body": {
        "empty": b"",
        "one-byte": b"\x03",
        "normal": b"\x03\xe8",
        "normal-with-reason": b"\x03\xe8bye",
        "reason-at-the-limit": b"\x03\xf1" + b"x" * 123,
        "reason-past-the-limit": b"\x03\xf1" + b"x" * 124,
        "reason-not-utf8": b"\x03\xe8\xc3(",
        "no-status": b"\x03\xed",
        "library-code": b"\x0b\xb8",
        "private-code": b"\x0f\xa0",
        "code-past-the-ranges": b"\x13\x88",
    },
    "connection_receive": {
        name: stream(b"\x80\x07") for name, stream in STREAMS.items()
    },
    "connection_send": {
        "message-each-way": b"\x00\x05\x01\x07\x0c\xff\x0f\xff",
        "fragments-around-a-ping": b"\x06\x03\x08\x01\x0c\x02\x04\x03\x0d\xff",
        "ping-inside-a-shared-payload": b"\x03\xc8\x0d\x64\x09\x05\x0d\xff\x0e\xff",
        "close-behind-data": b"\x00\x64\x02\xc8\x0a\xc9\x0c\x0a\x0f\xff",
        "closes-that-cross": b"\x0a\xc8\x0a\xc9\x0b\xca\x0c\x03\x0f\x02",
        "many-pings": b"\x08\x7d" * 6 + b"\x0c\xff\x0f\xff" * 4,
    },
    "extension_list": {
        "one-name": b"permessage-deflate",
        "parameters": b"permessage-deflate; client_max_window_bits; server_max_window_bits=10",
        "quoted-value": b'permessage-deflate; server_max_window_bits="10"',
        "escaped-quoted-value": b'foo; a="\\1\\0"',
        "two-offers": b"deflate-stream, mux; max-channels=4; flow-control",
        "two-lines": b"foo\nbar; baz=2",
        "empty-elements": b"foo,, ,bar",
        "nothing": b"",
        "open-quote": b'foo; a="1',
        "quoted-value-not-a-token": b'foo; a="1,2"',
        "repeated-parameter": b"foo; a; a=1",
    },
    "frame_header": {
        "text": b"\x81\x05Hello",
        "text-masked": masked(0x81, b"Hello"),
        "of-16-bits": b"\x82\x7e\x01\x00",
        "of-64-bits": b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
        "of-64-bits-masked": b"\x02\xff\x7f" + b"\xff" * 7 + MASK,
        "not-minimal-of-16-bits": b"\x82\x7e\x00\x7d",
        "not-minimal-of-64-bits": b"\x82\x7f" + bytes(6),
        "top-bit": b"\x82\x7f\x80",
        "long-ping": b"\x89\x7e",
        "fragmented-close": b"\x08",
        "reserved-opcode": b"\x8f",
        "reserved-bits": b"\xf1\x80" + MASK,
    },
    "inflate_windows": {
        "fixed-code": deflated(b"Hello, Hello"),
        "code-of-its-own": deflated(b"the cat and the hat and the rat and the bat " * 6),
        "run": deflated(bytes(900)),
        "just-within-the-window": deflated(NOISE[:256] + NOISE[:60], bits=8),
        "just-beyond-the-window": deflated(NOISE[:257] + NOISE[:60], bits=8),
        "stored": deflated(b"")[:3] + b"\x00\x05\x00\xfa\xffHello\x00",
        "last-block": last_block(b"Hello"),
        "no-context": deflated(b"Hello, Hello, Hello", keeps=False),
        "two-messages": deflated(b"", messages=2) + b"\xf2\x48\xcd\xc9\xc9\x07\x00" * 2,
        "two-blocks": deflated(b"Hello, Hello", before=b"Hello, "),
        "one-bit-short": deflated(b"Hello, Hello")[:-1],
    },
    "mask": {
        "hello": MASK + b"\x00Hello",
        "phase-one": MASK + b"\x01Hello",
        "ends-alone": MASK + b"\x03" + bytes(range(15)),
        "one-lane": MASK + b"\x00" + bytes(range(32)),
        "lanes-and-ends": MASK + b"\x05" + bytes(range(200)),
    },
    "request_head": {
        "of-the-rfc": REQUEST + b"Sec-WebSocket-Protocol: chat, superchat\r\n"
        b"Sec-WebSocket-Version: 13\r\nOrigin: http://example.com\r\n\r\n",
        "bytes-behind-the-head": REQUEST + b"\r\n\x81\x85" + MASK,
        "no-end": REQUEST,
        "line-feeds-alone": REQUEST.replace(b"\r", b"") + b"\n",
        "carriage-return-in-a-value": REQUEST + b"A: b\rc\r\n\r\n",
        "folded-line": REQUEST + b"A: b\r\n c\r\n\r\n",
        "blank-before-the-colon": REQUEST + b"A : b\r\n\r\n",
        "zero-byte": REQUEST + b"A: \x00\r\n\r\n",
        "bytes-beyond-ascii": REQUEST + b"A: caf\xc3\xa9 \xff\r\n\r\n",
        "absolute-target": b"GET http://example.com/chat?q HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "older-version": b"GET / HTTP/1.0\r\n\r\n",
        "http-2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "tls-hello": b"\x16\x03\x01\x02\x00\x01",
    },
    "response_head": {
        "of-the-rfc": RESPONSE + b"Sec-WebSocket-Protocol: chat\r\n\r\n",
        "frame-behind-the-head": RESPONSE + b"\r\n\x81\x05Hello",
        "not-found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "redirect": b"HTTP/1.1 302 Found\r\nLocation: wss://example.com/\r\n\r\n",
        "no-reason": b"HTTP/1.1 101\r\n\r\n",
        "interim": b"HTTP/1.1 103 Early Hints\r\n\r\n" + RESPONSE + b"\r\n",
        "status-of-two-digits": b"HTTP/1.1 42 x\r\n\r\n",
        "no-end": RESPONSE,
    },
    "split_invariance": {name: stream(b"\x03") for name, stream in STREAMS.items()},
    "server_handshake": {
        "of-the-rfc": pieces(7, REQUEST + VERSION + b"Sec-WebSocket-Protocol: chat, b\r\n\r\n"),
        "frame-behind-the-head": pieces(1, REQUEST + VERSION + b"\r\n\x81\x85" + MASK),
        "extensions": pieces(9, REQUEST + VERSION + b"Sec-WebSocket-Extensions: a; b\r\n\r\n"),
        "older-websocket": pieces(50, REQUEST + b"Sec-WebSocket-Version: 8\r\n\r\n"),
        "announced-body": pieces(50, REQUEST + VERSION + b"Content-Length: 5\r\n\r\nabcde"),
        "key-twice": pieces(50, REQUEST + VERSION + b"Sec-WebSocket-Key: x\r\n\r\n"),
        "page": pieces(5, b"GET /page HTTP/1.1\r\nHost: a\r\n\r\nGET /next"),
        "post": pieces(50, (REQUEST + VERSION + b"\r\n").replace(b"GET", b"POST")),
    },
    "utf8_stream": {
        "greek-in-pieces-of-one": pieces(1, "κόσμε".encode()),
        "every-length": pieces(3, "$¢€𐍈".encode()),
        "first-and-last-of-each-length": pieces(
            2, "\x00\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff".encode()
        ),
        "surrogate": pieces(2, b"\xce\xba\xed\xa0\x80"),
        "overlong-slash": pieces(1, b"\xc0\xaf"),
        "overlong-of-three": pieces(1, b"\xe0\x80\xaf"),
        "past-the-last-character": pieces(4, b"\xf4\x90\x80\x80"),
        "ends-inside-a-character": pieces(1, b"\xf0\x9f\x98"),
        "long-ascii-then-bad": pieces(64, b"a" * 130 + b"\xff"),
    },
}

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus"


def main():
    for target, seeds in SEEDS.items():
        (FOLDER / target).mkdir(parents=True, exist_ok=True)
        for name, content in seeds.items():
            (FOLDER / target / name).write_bytes(content)
        print(f"{target}: {len(seeds)} seeds")


if __name__ == "__main__":
    main()

"""A WebSocket client that is just enough to see whether a server echoes."""

import base64
import hashlib
import os
import socket
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE = 1, 2, 8


class Client:
    """One connection; whatever does not happen within `seconds` raises TimeoutError."""

    def __init__(self, address, seconds=5):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes = b""
        key = base64.b64encode(os.urandom(16))
        self.socket.sendall(
            b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n" % (address.encode(), key))
        while b"\r\n\r\n" not in self.bytes:
            self._more()
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        if not head.startswith(b"HTTP/1.1 101 ") or accept not in head:
            raise ValueError("the handshake was answered with %r" % head)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _more(self):
        more = self.socket.recv(1 << 18)
        if not more:
            raise EOFError("the connection ended")
        self.bytes += more

    def _take(self, count):
        while len(self.bytes) < count:
            self._more()
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def send(self, opcode, *payloads):
        """Sends messages at once, each in one frame."""
        self.socket.sendall(b"".join(frame(opcode, payload) for payload in payloads))

    def recv(self):
        """The opcode and payload of the next message, put together, or control frame."""
        kind, parts = None, []
        while True:
            opcode, is_last, payload = self._frame()
            if opcode & 8:
                return opcode, payload
            if (opcode == 0) != (kind is not None):
                raise ValueError("a fragment is out of place")
            kind = opcode or kind
            parts.append(payload)
            if is_last:
                return kind, b"".join(parts)

    def _frame(self):
        first, length = self._take(2)
        if first & 0x70 or length & 0x80:
            raise ValueError("a frame that begins with %02x %02x" % (first, length))
        if length == 126:
            length, = struct.unpack(">H", self._take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._take(8))
        return first & 0x0f, bool(first & 0x80), self._take(length)

    def close(self):
        """Closes, and has the server answer and end the connection."""
        self.send(CLOSE, struct.pack(">H", 1000))
        opcode, _ = self.recv()
        if opcode != CLOSE:
            raise ValueError("a message came after all had come")
        self.ended()

    def ended(self):
        """Waits for the end of the connection."""
        while self.socket.recv(1 << 16):
            pass


def frame(opcode, payload):
    """A masked frame."""
    key = os.urandom(4)
    size = len(payload)
    if size < 126:
        header = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        header = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        header = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
    mask = (key * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return header + key + masked.to_bytes(size, "big")

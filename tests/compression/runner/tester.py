"""The other side of a case: a raw socket that plays frames and notes what comes back."""

import base64
import hashlib
import os
import select
import socket
import time

from .inflate import Inflater, Unreadable
from .negotiation import NAME, Agreement, elements

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEADER = "sec-websocket-extensions"
# A Ping behind the frames of a case: whoever answers it has seen them.
SETTLED = b"settled"
SETTLED_SECONDS = 1.0
SILENT_SECONDS = 15.0


class Seen:
    """What an endpoint did."""

    def __init__(self):
        # None where the handshake failed; else the lines of extensions in the endpoint's head.
        self.extensions = None
        self.agreement = None
        self.messages = []
        self.pongs = []
        self.close = None
        self.has_ended = False
        self.fault = None


def frame(first, payload, masked):
    """One frame; the masking key is that of RFC 6455 §5.7."""
    head, size, bit = bytes([first]), len(payload), 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + size.to_bytes(8, "big")
    return head + (b"\x37\xfa\x21\x3d" + unmask(b"\x37\xfa\x21\x3d", payload) if masked else payload)


def unmask(key, payload):
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(size, "big")


def read_head(stream, deadline):
    """A head and what came behind it; None where the stream ends before."""
    got = b""
    while b"\r\n\r\n" not in got:
        stream.settimeout(max(deadline - time.monotonic(), 0.01))
        try:
            more = stream.recv(65536)
        except OSError:
            return None
        if not more:
            return None
        got += more
    head, _, rest = got.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(x.strip() for x in line.partition(":")[::2]) for line in lines]
    return first, [(name.lower(), value) for name, value in headers], rest


def values(headers, wanted):
    return [value for name, value in headers if name == wanted]


class Exchange:
    """The frames of one case, after the handshake."""

    def __init__(self, stream, rest, role, seen):
        self.stream, self.seen, self.role = stream, seen, role
        self.received = bytearray(rest)
        self.inflater = Inflater(seen.agreement) if seen.agreement else None
        self.message = None
        self.has_settled = False

    def play(self, frames, wanted):
        """Sends the frames, waits until what is wanted has come, and closes."""
        masked = self.role == "server"
        pings = [payload for first, payload in frames if first == 0x89]
        out = b"".join(frame(first, payload, masked) for first, payload in frames)
        out += frame(0x89, SETTLED, masked)
        self.take()

        def is_done():
            seen = self.seen
            is_whole = len(seen.messages) >= wanted.count and len(seen.pongs) >= len(pings)
            return self.has_settled and is_whole and not wanted.fails

        self.pump(out, is_done)
        if not self.is_over():
            self.pump(frame(0x88, (1000).to_bytes(2, "big"), masked), lambda: False)

    def is_over(self):
        return self.seen.has_ended or self.seen.close is not None or self.seen.fault is not None

    def pump(self, out, is_done):
        self.stream.setblocking(False)
        view, last = memoryview(out), time.monotonic()
        while not self.is_over() and not (is_done() and not view):
            patience = SETTLED_SECONDS if self.has_settled and not view else SILENT_SECONDS
            left = last + patience - time.monotonic()
            if left <= 0:
                return
            writers = [self.stream] if view else []
            readable, writable, _ = select.select([self.stream], writers, [], left)
            try:
                if readable:
                    self.read()
                    last = time.monotonic()
                if writable and not self.seen.has_ended:
                    view = view[self.stream.send(view[:1 << 16]):]
                    last = time.monotonic()
            except BlockingIOError:
                pass
            except OSError:
                self.drain()

    def drain(self):
        """A send failed: what had arrived before the reset may still be there."""
        try:
            self.read()
        except OSError:
            pass
        self.seen.has_ended = True

    def read(self):
        more = self.stream.recv(1 << 18)
        if not more:
            self.seen.has_ended = True
        self.received += more
        self.take()

    def take(self):
        """Takes every whole frame."""
        try:
            while self.seen.fault is None and self.take_frame():
                pass
        except Unreadable as why:
            self.seen.fault = f"a message {why}"

    def take_frame(self):
        got = self.received
        if len(got) < 2:
            return False
        first, size, at = got[0], got[1] & 0x7F, 2
        if size > 125:
            width = 2 if size == 126 else 8
            if len(got) < 2 + width:
                return False
            size, at = int.from_bytes(got[2:2 + width], "big"), 2 + width
        masked = bool(got[1] & 0x80)
        end = at + (4 if masked else 0) + size
        if len(got) < end:
            return False
        payload = bytes(got[end - size:end])
        if masked:
            payload = unmask(bytes(got[at:at + 4]), payload)
        del got[:end]
        if masked != (self.role == "client"):
            self.seen.fault = "a frame is masked as the other role does it"
            return False
        self.on_frame(first, payload)
        return True

    def on_frame(self, first, payload):
        seen = self.seen
        if seen.close is not None:
            seen.fault = "a frame behind the Close"
        elif first == 0x8A:
            if payload == SETTLED:
                self.has_settled = True
            else:
                seen.pongs.append(payload)
        elif first == 0x88:
            seen.close = int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005
        elif first == 0x89:
            pass
        elif first & 0x3F & ~0x83 == 0 and (first & 0x0F == 0) == (self.message is not None):
            self.on_data(first, payload)
        else:
            seen.fault = f"a frame that begins with {first:02x}"

    def on_data(self, first, payload):
        coded = first & 0x40 != 0
        if self.message is None:
            self.message = ("text" if first & 0x0F == 1 else "binary", coded, [])
        elif coded:
            self.seen.fault = "RSV1 on a continuation"
            return
        kind, coded, parts = self.message
        parts.append(payload)
        if not first & 0x80:
            return
        whole, self.message = b"".join(parts), None
        if coded and self.inflater is None:
            self.seen.fault = "a compressed message without agreement"
            return
        if coded:
            whole = self.inflater.message(whole)
        self.seen.messages.append((kind, coded, whole))


class Wanted:
    """When a case has said all it has to say."""

    def __init__(self, count, fails):
        self.count, self.fails = count, fails


def meet_server(address, lines, frames, wanted):
    """Plays a case to a server: offers `lines`, then sends the frames."""
    seen = Seen()
    key = base64.b64encode(os.urandom(16)).decode()
    request = ["GET / HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upgrade: websocket",
               "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    request += [f"Sec-WebSocket-Extensions: {line}" for line in lines]
    with socket.create_connection(address, timeout=SILENT_SECONDS) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall("\r\n".join(request + ["", ""]).encode())
        head = read_head(stream, time.monotonic() + SILENT_SECONDS)
        if head is None or not head[0].startswith("HTTP/1.1 101"):
            return seen
        _, headers, rest = head
        seen.extensions = values(headers, HEADER)
        agreed = elements(seen.extensions)
        if agreed and agreed[0][0] == NAME:
            seen.agreement = Agreement("server", agreed[0][1])
        Exchange(stream, rest, "server", seen).play(frames, wanted)
    return seen


class Asked:
    """A client that has asked for a case."""

    def __init__(self, stream, headers, target):
        self.stream, self.headers, self.target = stream, headers, target
        self.offers = elements(values(headers, HEADER))

    def answer(self, lines):
        key = values(self.headers, "sec-websocket-key")[0]
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                f"Sec-WebSocket-Accept: {accept}"]
        head += [f"Sec-WebSocket-Extensions: {line}" for line in lines]
        self.stream.sendall("\r\n".join(head + ["", ""]).encode())


def await_client(listener):
    """The next client and what it asks for; None where none comes."""
    listener.settimeout(60)
    while True:
        stream, _ = listener.accept()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = read_head(stream, time.monotonic() + SILENT_SECONDS)
        if head is not None:
            return Asked(stream, head[1], head[0].split(" ")[1])
        stream.close()


def meet_client(asked, lines, frames, wanted):
    """Plays a case to a client that has asked: answers with `lines`, then sends the frames."""
    seen = Seen()
    with asked.stream as stream:
        try:
            asked.answer(lines)
        except OSError:
            return seen
        seen.extensions = lines
        agreed = elements(lines)
        if agreed and agreed[0][0] == NAME:
            seen.agreement = Agreement("client", agreed[0][1])
        Exchange(stream, b"", "client", seen).play(frames, wanted)
    return seen

"""Whether a server is what it is measured as: nothing is timed that does not pass."""

import os
import time

from client import BINARY, TEXT, Client

SIZES = (0, 1, 125, 126, 65535, 65536, 1 << 20)
AT_ONCE = 100


class Failed(Exception):
    """A server did something else."""


def check(server, fan_out):
    """Checks one server, which is running."""
    try:
        if fan_out:
            everybody_hears(server)
        else:
            echoes(server)
            if not server.is_floor:
                refuses_what_is_no_text(server)
    except (OSError, EOFError, ValueError) as why:
        raise Failed("%s: %s" % (type(why).__name__, why)) from why


def content(kind, size):
    """A message that nobody has seen."""
    random = os.urandom(size)
    if kind == BINARY:
        return random
    # Text of one and of two bytes a character, cut where a character ends.
    text = bytes(32 + byte % 95 for byte in random[:size % 2])
    return text + "".join(chr(0xa1 + byte % 95) for byte in random[:size // 2]).encode()


def echoes(server):
    """Every size comes back, byte for byte, and many at once come back in order."""
    for kind in (TEXT, BINARY):
        for size in SIZES:
            with Client(server.address) as client:
                message = content(kind, size)
                for _ in range(3):
                    if not server.is_floor:
                        message = content(kind, size)
                    client.send(kind, message)
                    expect(client, kind, message)
                client.close()
        with Client(server.address) as client:
            one = content(kind, 16)
            many = [one if server.is_floor else content(kind, 16) for _ in range(AT_ONCE)]
            client.send(kind, *many)
            for message in many:
                expect(client, kind, message)
            client.close()


def refuses_what_is_no_text(server):
    """Text is validated."""
    with Client(server.address) as client:
        client.send(TEXT, b"\xc3\x28")
        try:
            opcode, _ = client.recv()
        except (EOFError, ConnectionError):
            return
        if opcode in (TEXT, BINARY):
            raise ValueError("text that is none came back")


def expect(client, kind, message):
    opcode, payload = client.recv()
    if (opcode, payload) != (kind, message):
        raise ValueError("%d bytes of kind %d came back as %d bytes of kind %d, or as others"
                         % (len(message), kind, len(payload), opcode))


def everybody_hears(server):
    """Each of three clients hears each message, also the one who sent it."""
    clients = [Client(server.address) for _ in range(3)]
    try:
        gather(clients)
        for kind in (TEXT, BINARY):
            for size in SIZES:
                for sender in clients:
                    message = content(kind, size)
                    sender.send(kind, message)
                    for client in clients:
                        expect(client, kind, message)
            many = [content(kind, 64) for _ in range(16)]
            clients[0].send(kind, *many)
            for client in clients:
                for message in many:
                    expect(client, kind, message)
        for client in clients:
            client.close()
    finally:
        for client in clients:
            client.socket.close()


def gather(clients):
    """Waits until everybody is heard: a server may let somebody hear a moment after the
    handshake."""
    calls, deadline = 0, time.monotonic() + 5
    heard = [b""] * len(clients)
    while time.monotonic() < deadline:
        call = b"call %d" % calls
        calls += 1
        clients[0].send(BINARY, call)
        while heard[0] != call:
            _, heard[0] = clients[0].recv()
        for at, client in enumerate(clients[1:], 1):
            client.socket.settimeout(0.2)
            try:
                while heard[at] != call:
                    _, heard[at] = client.recv()
            except TimeoutError:
                pass
            client.socket.settimeout(5)
        if all(it == call for it in heard):
            return
    raise ValueError("not everybody hears")

"""Random messages, over one of several packages.

    matrix.py PACKAGE echo DEFLATE [CERTIFICATE KEY]
    matrix.py PACKAGE exchange URL DEFLATE MESSAGES [ROOT]

A module for each package has two coroutines, `serve` and `connect`. The sockets that they give
have `send(text, pieces)`, `recv()`, which returns a pair or None at the end, and `close()`.
"""

import asyncio
import importlib
import random
import ssl
import sys

IN_FLIGHT = 16
PACKAGES = ("websockets", "aiohttp", "wsproto", "tornado")


def messages(path):
    """The messages of a file: whether it is text, and its pieces."""
    with open(path, "rb") as file:
        content = file.read()
    at = 0
    while at < len(content):
        text = content[at] == 1
        count = int.from_bytes(content[at + 1:at + 5], "little")
        at += 5
        sizes = [int.from_bytes(content[at + 4 * index:at + 4 * index + 4], "little")
                 for index in range(count)]
        at += 4 * count
        pieces = []
        for size in sizes:
            pieces.append(content[at:at + size])
            at += size
        yield text, pieces


def pieces(chance, payload):
    """Half the messages are whole, the others in up to eight fragments."""
    count = chance.choice((0, chance.randrange(8)))
    cuts = sorted([0, len(payload)] + [chance.randint(0, len(payload)) for _ in range(count)])
    return [payload[start:end] for start, end in zip(cuts, cuts[1:])]


async def echo(package, deflate, certificate=None, key=None):
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)

    async def answer(socket):
        chance = random.Random(7)
        while True:
            message = await socket.recv()
            if message is None:
                return
            text, payload = message
            await socket.send(text, pieces(chance, payload))

    def listening(port):
        print("listening on %s://127.0.0.1:%d" % ("wss" if tls else "ws", port), flush=True)

    await package.serve(deflate, tls, answer, listening)


async def exchange(package, url, deflate, path, root=None):
    """Returns the exit status."""
    tls = ssl.create_default_context(cafile=root) if root else None
    planned = list(messages(path))
    socket = await package.connect(url, deflate, tls)
    room = asyncio.Semaphore(IN_FLIGHT)

    async def send():
        for text, parts in planned:
            await room.acquire()
            await socket.send(text, parts)

    async def receive():
        for index, (text, parts) in enumerate(planned):
            got = await socket.recv()
            if got is None:
                return "message %d: the end came instead" % index
            if got != (text, b"".join(parts)):
                return "message %d came back different: %d bytes" % (index, len(got[1]))
            room.release()
        return None

    sending = asyncio.ensure_future(send())
    difference = await receive()
    sending.cancel()
    if difference is None:
        await socket.close()
    print(difference or "same %d" % len(planned), flush=True)
    return 1 if difference else 0


def main():
    words = sys.argv[1:]
    if len(words) >= 3 and words[0] in PACKAGES and words[1] in ("echo", "exchange"):
        package = importlib.import_module("on_" + words[0])
        mode = echo if words[1] == "echo" else exchange
        return asyncio.run(mode(package, *words[2:]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        pass

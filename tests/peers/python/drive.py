"""A client that runs every scenario against an echo server."""

import asyncio

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
SCENARIO_SECONDS = 10
SIZES = (0, 1, 125, 126, 127, 65535, 65536, 1024 * 1024)
LANGUAGES = "Grüße, 世界 — naïve ∑ 👋🏽 " * 3000


class Different(Exception):
    """The peer did something else than it should."""


def same(got, wanted, what):
    if type(got) is not type(wanted):
        raise Different("%s came as %s" % (what, type(got).__name__))
    if got != wanted:
        shown = repr(got)
        raise Different("%s is not the same: %s" % (what, shown[:80]))


def octets(size):
    return bytes((index * 31 + 7) % 256 for index in range(size))


async def echo(socket, message):
    await socket.send(message)
    same(await socket.recv(), message, "the echo")


async def no_subprotocol(socket):
    same(socket.subprotocol, None, "the subprotocol")
    same(socket.protocol.extensions, [], "the list of extensions")
    await echo(socket, "plain")


async def empty_list_of_extensions(socket):
    await no_subprotocol(socket)


# The header is sent, and lists nothing.
empty_list_of_extensions.options = {"extensions": []}


async def text(socket):
    await echo(socket, "Hello")


async def text_empty(socket):
    await echo(socket, "")


async def text_non_ascii(socket):
    await echo(socket, LANGUAGES)


async def binary(socket):
    await echo(socket, octets(256))


async def fragmented_text(socket):
    parts = ["Grü", "ße", "", ", 世界"]
    await socket.send(parts)
    same(await socket.recv(), "".join(parts), "the echo")


async def fragmented_binary(socket):
    whole = octets(200_000)
    await socket.send([whole[:1], whole[1:70_000], whole[70_000:]])
    same(await socket.recv(), whole, "the echo")


async def ping_between_fragments(socket):
    async def parts():
        yield "first "
        await (await socket.ping("between"))
        yield "last"

    await socket.send(parts())
    same(await socket.recv(), "first last", "the echo")


async def ping(socket):
    for payload in (b"", b"payload", octets(125)):
        await (await socket.ping(payload))
    await echo(socket, "after the pings")


async def pong_unasked(socket):
    await socket.pong("nobody asked")
    await echo(socket, "still here")


async def pipelined(socket):
    messages = ["message %d" % index for index in range(50)]
    for message in messages:
        await socket.send(message)
    for message in messages:
        same(await socket.recv(), message, "the echo")


async def closed(socket, code):
    """Waits for the end, which has to be a closing handshake with `code`."""
    try:
        message = await socket.recv()
        raise Different("a message after the Close: %r" % message[:80])
    except ConnectionClosed as end:
        if end.rcvd is None:
            raise Different("the connection ended without a Close")
        same(int(end.rcvd.code), code, "the close code")


def close(code, reason):
    async def scenario(socket):
        await socket.close(code, reason)
        await closed(socket, code)

    return scenario


async def close_empty(socket):
    # The public call always sends a code; a Close without a body needs the protocol object.
    async with socket.send_context():
        socket.protocol.send_close()
    # 1005 stands for a Close without a body.
    await closed(socket, 1005)


async def close_after_messages(socket):
    await socket.send("one")
    await socket.send("two")
    same(await socket.recv(), "one", "the first echo")
    same(await socket.recv(), "two", "the second echo")
    await close(1001, "going away")(socket)


def scenarios():
    """Every scenario by its name."""
    plain = (no_subprotocol, empty_list_of_extensions, text, text_empty, text_non_ascii, binary,
             fragmented_text, fragmented_binary, ping_between_fragments, ping, pong_unasked,
             pipelined, close_empty, close_after_messages)
    found = {scenario.__name__.replace("_", "-"): scenario for scenario in plain}
    found["close-1000"] = close(1000, "bye")
    found["close-3000"] = close(3000, "")
    found["close-4999"] = close(4999, "Grüße")
    found["close-longest-reason"] = close(1000, "r" * 123)
    for size in SIZES:
        letters = ("abcdefgh" * (size // 8 + 1))[:size]
        found["text-%d" % size] = lambda socket, letters=letters: echo(socket, letters)
        found["binary-%d" % size] = lambda socket, size=size: echo(socket, octets(size))
    return found


async def run(url, scenario):
    options = {"compression": None, "max_size": MESSAGE_BYTES_MAX, "ping_interval": None}
    # A server that leaves TCP open has to be noticed, so nothing here may close it earlier.
    options["close_timeout"] = 2 * SCENARIO_SECONDS
    options.update(getattr(scenario, "options", {}))
    async with asyncio.timeout(SCENARIO_SECONDS):
        socket = await connect(url, proxy=None, **options)
        try:
            await scenario(socket)
            # Nothing but the Close may be left.
            if socket.state is State.OPEN:
                await close(1000, "")(socket)
        finally:
            socket.transport.abort()


async def drive(url):
    """Runs every scenario, prints a line for each, and returns the exit status."""
    status = 0
    for name, scenario in scenarios().items():
        try:
            await run(url, scenario)
            print("ok %s" % name, flush=True)
        except TimeoutError:
            print("FAIL %s: not done after %d s" % (name, SCENARIO_SECONDS), flush=True)
            status = 1
        except Exception as error:
            print("FAIL %s: %s" % (name, str(error) or repr(error)), flush=True)
            status = 1
    return status

"""An echo server that also obeys commands."""

import asyncio
import re

from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
COMMAND = re.compile(r"([a-z]+)(?::(.*))?", re.DOTALL)


async def close(socket, argument):
    code, reason = argument.split(":", 1)
    if code:
        await socket.close(int(code), reason)
    else:
        # The public call always sends a code; a Close without a body needs the protocol object.
        async with socket.send_context():
            socket.protocol.send_close()


async def drop(socket, _):
    socket.transport.abort()


async def ping(socket, argument):
    await (await socket.ping(argument))
    await socket.send("pong:" + argument)


async def fragments(socket, argument):
    pongs = []

    async def parts():
        for part in range(1, int(argument) + 1):
            yield "part-%d;" % part
            if part == 1:
                pongs.append(await socket.ping("between"))

    await socket.send(parts())
    await pongs[0]
    await socket.send("pong:between")


async def burst(socket, argument):
    for part in range(1, int(argument) + 1):
        await socket.send("burst-%d" % part)


COMMANDS = {"close": close, "drop": drop, "ping": ping, "fragments": fragments, "burst": burst}


async def answer(socket):
    """Echoes every message, or does what it asks for."""
    try:
        async for message in socket:
            command = COMMAND.fullmatch(message) if isinstance(message, str) else None
            if command and command[1] in COMMANDS:
                await COMMANDS[command[1]](socket, command[2] or "")
            else:
                await socket.send(message)
    except ConnectionClosed:
        pass


async def serve():
    options = {"compression": None, "max_size": MESSAGE_BYTES_MAX, "ping_interval": None}
    async with listen(answer, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        print("listening on ws://127.0.0.1:%d" % port, flush=True)
        await asyncio.get_running_loop().create_future()

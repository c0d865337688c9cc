"""The package `websockets` as the endpoint of the compression suite.

Usage: deflate.py serve | deflate.py answer URL. What both modes do is written in ../README.md.
"""

import asyncio
import logging
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

OPTIONS = {"compression": None, "max_size": 1024 * 1024, "ping_interval": None}


async def echo(socket):
    try:
        async for message in socket:
            await socket.send(message)
    except ConnectionClosed:
        pass


async def serve():
    extensions = [ServerPerMessageDeflateFactory()]
    async with listen(echo, "127.0.0.1", 0, extensions=extensions, **OPTIONS) as server:
        port = server.sockets[0].getsockname()[1]
        print("listening on ws://127.0.0.1:%d" % port, flush=True)
        await asyncio.get_running_loop().create_future()


async def answer(url):
    async with connect(url + "/getCaseCount", proxy=None, **OPTIONS) as socket:
        count = int(await socket.recv())
    extensions = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]
    for index in range(1, count + 1):
        case = "%s/runCase?case=%d" % (url, index)
        try:
            async with connect(case, proxy=None, extensions=extensions, **OPTIONS) as socket:
                await echo(socket)
        except (InvalidHandshake, ConnectionClosed, OSError, EOFError):
            pass


def main():
    logging.disable()
    mode = sys.argv[1:2]
    if mode == ["serve"]:
        return asyncio.run(serve())
    if mode == ["answer"] and len(sys.argv) == 3:
        return asyncio.run(answer(sys.argv[2]))
    print("usage: deflate.py serve | deflate.py answer URL", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        pass

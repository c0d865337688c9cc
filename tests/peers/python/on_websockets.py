"""Sockets of the package `websockets`."""

import asyncio

from websockets.asyncio.client import connect as open_socket
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

MESSAGE_BYTES_MAX = 16 * 1024 * 1024


class Socket:
    def __init__(self, inner):
        self.inner = inner

    async def send(self, text, pieces):
        await self.inner.send(pieces if len(pieces) > 1 else pieces[0], text=text)

    async def recv(self):
        try:
            message = await self.inner.recv()
        except ConnectionClosed:
            return None
        text = isinstance(message, str)
        return text, message.encode() if text else message

    async def close(self):
        await self.inner.close(1000)


def options(deflate, factory):
    # An empty list would become a header without a value.
    chosen = None
    if deflate == "default":
        chosen = [factory()]
    elif deflate == "no-takeover":
        chosen = [factory(server_no_context_takeover=True, client_no_context_takeover=True)]
    elif deflate == "small-windows":
        chosen = [factory(server_max_window_bits=9, client_max_window_bits=10)]
    return {"compression": None, "extensions": chosen, "max_size": MESSAGE_BYTES_MAX,
            "ping_interval": None}


async def serve(deflate, tls, answer, listening):
    async def accepted(inner):
        await answer(Socket(inner))

    chosen = options(deflate, ServerPerMessageDeflateFactory)
    async with listen(accepted, "127.0.0.1", 0, ssl=tls, **chosen) as server:
        listening(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().create_future()


async def connect(url, deflate, tls):
    chosen = options(deflate, ClientPerMessageDeflateFactory)
    return Socket(await open_socket(url, ssl=tls, proxy=None, **chosen))

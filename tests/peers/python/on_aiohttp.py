"""Sockets of the package `aiohttp`.

It sends no fragments. A client can ask for compression in a window; a server does what it is
asked for, and leaves a client's window alone.
"""

import asyncio

from aiohttp import ClientSession, TCPConnector, WSMsgType, web

MESSAGE_BYTES_MAX = 16 * 1024 * 1024


class Socket:
    def __init__(self, inner, session=None):
        self.inner = inner
        self.session = session

    async def send(self, text, pieces):
        kind = WSMsgType.TEXT if text else WSMsgType.BINARY
        await self.inner.send_frame(b"".join(pieces), kind)

    async def recv(self):
        message = await self.inner.receive()
        if message.type is WSMsgType.TEXT:
            return True, message.data.encode()
        if message.type is WSMsgType.BINARY:
            return False, bytes(message.data)
        return None

    async def close(self):
        await self.inner.close(code=1000)
        await self.session.close()


async def serve(deflate, tls, answer, listening):
    async def accepted(request):
        inner = web.WebSocketResponse(compress=deflate != "off", max_msg_size=MESSAGE_BYTES_MAX)
        await inner.prepare(request)
        await answer(Socket(inner))
        return inner

    application = web.Application()
    application.router.add_get("/", accepted)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    listening(runner.addresses[0][1])
    await asyncio.get_running_loop().create_future()


async def connect(url, deflate, tls):
    session = ClientSession(connector=TCPConnector(ssl=tls or True))
    window = {"off": 0, "small-windows": 9}.get(deflate, 15)
    inner = await session.ws_connect(url, compress=window, max_msg_size=MESSAGE_BYTES_MAX)
    return Socket(inner, session)

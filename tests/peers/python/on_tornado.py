"""Sockets of the package `tornado`.

It sends no fragments and has no setting for the parameters of permessage-deflate: it does what
the other side asks for.
"""

import asyncio

from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler, websocket_connect

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
COMPRESSION = {"compression_level": 6}


class Socket:
    """A client's connection; a server's handler has the same way to send."""

    def __init__(self, inner, receive):
        self.inner = inner
        self.receive = receive

    async def send(self, text, pieces):
        try:
            await self.inner.write_message(b"".join(pieces), binary=not text)
        except WebSocketClosedError:
            pass

    async def recv(self):
        message = await self.receive()
        if message is None:
            return None
        text = isinstance(message, str)
        return text, message.encode() if text else message

    async def close(self):
        self.inner.close(1000)
        await self.receive()


async def serve(deflate, tls, answer, listening):
    class Handler(WebSocketHandler):
        def open(self):
            self.set_nodelay(True)
            self.received = asyncio.Queue()
            self.task = asyncio.ensure_future(answer(Socket(self, self.received.get)))

        def on_message(self, message):
            self.received.put_nowait(message)

        def on_close(self):
            self.received.put_nowait(None)

        def get_compression_options(self):
            return None if deflate == "off" else COMPRESSION

    application = Application([("/", Handler)], websocket_max_message_size=MESSAGE_BYTES_MAX)
    server = HTTPServer(application, ssl_options=tls)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    listening(sockets[0].getsockname()[1])
    await asyncio.get_running_loop().create_future()


async def connect(url, deflate, tls):
    options = None if deflate == "off" else COMPRESSION
    request = HTTPRequest(url, ssl_options=tls)
    inner = await websocket_connect(request, compression_options=options,
                                    max_message_size=MESSAGE_BYTES_MAX)
    return Socket(inner, inner.read_message)
